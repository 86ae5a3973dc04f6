/** The entry without an engine: for hosts that bring `scimlock/engine.wasm` in their own way. */

import { create } from './gateway.js';
import { moduleOf } from './module.js';
import type { Gateway, Options } from './types.js';

export { ConfigError } from './errors.js';
export { memoryStore } from './store.js';
export type { Gateway, Metric, Options, Passwords, Problem, RawRequest, RawResponse, Store } from './types.js';

/**
 * Compiles a configuration and answers the gateway that runs it on `options.engine`: `scimlock/engine.wasm`,
 * compiled or as bytes.
 *
 * @throws {ConfigError} when the configuration has errors.
 */
export async function createGateway(
  config: string | object,
  options: Options & { engine: WebAssembly.Module | BufferSource },
): Promise<Gateway> {
  return create(await moduleOf(options.engine), config, false, options);
}
