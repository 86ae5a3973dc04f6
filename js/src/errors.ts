/** Errors that users of the package catch. */

import type { Problem } from './types.js';

/** The configuration is refused; `problems` says what is wrong, where, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Stable. */
  readonly code = 'ERR_SCIMLOCK_CONFIG';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((one) => `[${one.code}] ${one.pointer} ${one.message}: ${one.remedy}`).join('\n'));
    this.problems = problems;
  }
}
