// The Python packages that the developer commands keep outside the checkout.

import { join } from 'node:path';

const packages = process.env.SCIMLOCK_PYTHON;

/** A command, its arguments and its environment. */
export function python(...args) {
  if (!packages) throw new Error('SCIMLOCK_PYTHON names no folder of packages: run `cargo xtask test peers`');
  return ['python3', args, { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' }];
}

/** A command that the packages bring. */
export const script = (name) => join(packages ?? '', 'bin', name);
