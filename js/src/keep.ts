/** Requests to the store: to this process's own, or to the user's where a value may leave the process. */

import { Fault, type Input, type StoreRequest } from './engine.js';
import { Failed } from './provider.js';
import type { Store } from './types.js';

/** Carries a request of the engine's out. Throws `Failed` where the store cannot be asked. */
export async function carryOut(request: StoreRequest, memory: Store, shared: Store | undefined): Promise<Input> {
  // What is secret stays in this process.
  const store: Store = request.class === 'shared' && !request.secret && shared ? shared : memory;
  const { key, operation } = request;
  try {
    switch (operation.kind) {
      case 'get': {
        const found = await store.get(key);
        return { kind: 'stored', value: found?.value, version: found?.version ?? 0 };
      }
      case 'put': {
        const { value, expect, ttl } = operation;
        return { kind: 'put', won: await store.put(key, value, expect === undefined ? { ttl } : { expect, ttl }) };
      }
      case 'add': return { kind: 'number', number: await store.add(key, operation.delta, operation.ttl) };
    }
  } catch (error) {
    console.error(`scimlock: the store cannot be asked: ${error instanceof Error ? error.name : 'error'}`);
    throw new Failed(Fault.Unreachable);
  }
}
