/** What a host says itself, where the engine cannot be asked: one answer to the IdP, one line in its own log. */

import type { RawResponse } from './types.js';

/** A mistake between host and engine: a bug. Its message holds nothing of a request. */
export class Misuse extends Error {}

/** An answer of the host's own. */
export function failure(status: number, detail: string): RawResponse {
  const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), detail };
  return {
    status,
    headers: [['content-type', 'application/scim+json'], ['cache-control', 'no-store']],
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
}

/** The answer to a request that failed in the host; the log gets the place. Other errors' messages may quote values. */
export function failed(error: unknown): RawResponse {
  const known = error instanceof Misuse || error instanceof WebAssembly.RuntimeError;
  const { name, message, stack = '' } = error instanceof Error ? error : new Error('');
  const frames = stack.split('\n').filter((line) => /^\s+at |@/.test(line));
  console.error([`scimlock: a request failed inside the gateway: ${name}${known ? `: ${message}` : ''}`, ...frames].join('\n'));
  return failure(500, 'the gateway failed; what became of the request is not known; its own log says more');
}
