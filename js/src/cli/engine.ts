/** The engine as the command line asks it about configurations. */

import engine from '../engine.wasm';

import { type Findings, inspect } from '../gateway.js';
import { moduleOf } from '../module.js';
import type { Options } from '../types.js';

/** What is wrong with a configuration (JSON text), and the secrets it names. */
export const inspected = async (json: string, secrets: Options['secrets']): Promise<Findings> => inspect(await moduleOf(engine), json, secrets);
