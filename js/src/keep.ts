/** Requests to the store: to this process's own, or to the user's where a value may leave the process. */

import { Fault, type Input, type StoreRequest } from './engine.js';
import type { Awaitable, Store } from './types.js';

/** Carries a request of the engine's out; at once where the store answers at once. It never rejects. */
export function carryOut(request: StoreRequest, memory: Store, shared: Store | undefined): Awaitable<Input> {
  // What is secret stays in this process.
  const store: Store = request.class === 'shared' && !request.secret && shared ? shared : memory;
  try {
    const input = ask(store, request);
    return isLater(input) ? input.catch(unreachable) : input;
  } catch (error) {
    return unreachable(error);
  }
}

function ask(store: Store, { key, operation }: StoreRequest): Awaitable<Input> {
  switch (operation.kind) {
    case 'get': return then(store.get(key), (found) => ({ kind: 'stored', value: found?.value, version: found?.version ?? 0 }));
    case 'put': {
      const { value, expect, ttl } = operation;
      return then(store.put(key, value, expect === undefined ? { ttl } : { expect, ttl }), (won) => ({ kind: 'put', won }));
    }
    case 'add': return then(store.add(key, operation.delta, operation.ttl), (number) => ({ kind: 'number', number }));
  }
}

const then = <T>(answer: Awaitable<T>, input: (answer: T) => Input): Awaitable<Input> =>
  isLater(answer) ? Promise.resolve(answer).then(input) : input(answer);

/** A promise, of whatever make. */
const isLater = <T>(answer: Awaitable<T>): answer is Promise<T> => typeof (answer as Partial<Promise<T>> | undefined)?.then === 'function';

function unreachable(error: unknown): Input {
  console.error(`scimlock: the store cannot be asked: ${error instanceof Error ? error.name : 'error'}`);
  return { kind: 'fault', fault: Fault.Unreachable };
}
