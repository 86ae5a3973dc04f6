/** Where the command line finds secrets: the environment, and files for `${file:/path}`. */

import { readFileSync } from 'node:fs';

/** The value of a reference; a file's last line break does not belong to it. */
export function secretOf(name: string): string | undefined {
  if (!name.startsWith('file:')) return process.env[name];
  try {
    return readFileSync(name.slice('file:'.length), 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}
