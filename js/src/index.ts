/**
 * The package's entry, with the engine in it. It is built three times: with the engine's bytes inside, for
 * Node, Deno, Bun and browsers; and with an import of the compiled module, for hosts that compile ahead.
 */

import engine from './engine.wasm';

import { create } from './gateway.js';
import { moduleOf } from './module.js';
import type { CreateGateway } from './types.js';

export { ConfigError } from './errors.js';
export { memoryStore } from './store.js';
export type { CreateGateway, Gateway, Metric, Options, Passwords, Problem, RawRequest, RawResponse, Store } from './types.js';

/** Built for a host that runs one gateway in many isolates, which come and go and share no memory. */
declare const ISOLATES: boolean;

/**
 * Compiles a configuration (an object or JSON text) and answers the gateway that runs it.
 *
 * @throws {ConfigError} when the configuration has errors.
 */
export const createGateway: CreateGateway = async (config, options) => create(await moduleOf(engine), config, !ISOLATES, options);
