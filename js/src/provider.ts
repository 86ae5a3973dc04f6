/** Requests to the provider: sent with `fetch`, bounded in time and size, and every failure turned into a fault. */

import { type Answer, type Call, Fault, type Fields } from './engine.js';
import { Misuse } from './failure.js';

/** The largest answer to a callout; forwarded answers are bounded by the engine as they are read. */
const CALLOUT_LIMIT = 16 * 1024 * 1024;

/** No connection came about: the provider has not seen the request. Every other failure leaves that open. */
const UNREACHABLE = new Set([
  'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Why something was not delivered. */
export class Failed extends Error {
  constructor(readonly fault: Fault) {
    super('the peer failed');
  }
}

/** A time limit over several steps. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #over: Promise<never>;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(milliseconds: number) {
    this.#over = new Promise((_, reject) => {
      this.#controller.signal.addEventListener('abort', () => reject(new Failed(Fault.Timeout)));
    });
    this.#over.catch(() => {});
    this.#timer = setTimeout(() => this.#controller.abort(), Math.min(milliseconds, 0x7fff_ffff));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The result of `work`, or the end of the time. */
  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#over]);
  }

  /** Stops the clock. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Stops the clock and breaks off what is under way. */
  breakOff(): void {
    this.stop();
    this.#controller.abort();
  }
}

/** Bytes that arrive in pieces. */
export interface Source {
  /** The next piece; `undefined` at the end. Throws `Failed`. */
  next(): Promise<Uint8Array | undefined>;
  /** Nothing more is wanted. */
  cancel(): void;
}

/** The head of an answer, and its body still to be read. */
export interface Incoming {
  status: number;
  headers: Fields;
  body: Source | undefined;
}

/** Sends a call. Throws `Failed`. */
export async function send(call: Call, fetch: typeof globalThis.fetch): Promise<Incoming> {
  // Routes are compared before this host's URL parser sees the path: what it would change is not sent.
  if (new URL(call.url).href !== call.url) throw new Misuse('the path to the provider is not in its normal form');
  const deadline = new Deadline(call.timeout);
  try {
    const { method, headers, body } = call;
    const init: RequestInit = { method, headers, redirect: 'manual', signal: deadline.signal };
    if (body.length > 0) init.body = body;
    const response = await deadline.race(fetch(call.url, init));
    return {
      // A browser hides redirects; that it was one is all there is to know.
      status: response.type === 'opaqueredirect' ? 302 : response.status,
      headers: [...response.headers],
      body: response.body ? sourceOf(response.body, deadline) : (deadline.stop(), undefined),
    };
  } catch (error) {
    deadline.breakOff();
    throw error instanceof Failed ? error : new Failed(faultOf(error));
  }
}

/** Sends a call and reads the complete answer. Throws `Failed`. */
export async function callOut(call: Call, fetch: typeof globalThis.fetch): Promise<Answer> {
  const { status, headers, body } = await send(call, fetch);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (let part = await body?.next(); part; part = await body?.next()) {
      length += part.length;
      if (length > CALLOUT_LIMIT) throw new Failed(Fault.TooLarge);
      parts.push(part);
    }
  } finally {
    body?.cancel();
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return { status, headers, body: whole };
}

/** Reads any kind of body until the deadline. */
export function sourceOf(body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>, deadline: Deadline): Source {
  const reader = 'getReader' in body ? body.getReader() : undefined;
  const iterator = reader ? undefined : (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const step = (): Promise<{ done?: boolean | undefined; value?: Uint8Array | undefined }> =>
    reader ? reader.read() : iterator!.next();
  let complete = false;
  return {
    async next() {
      try {
        const { done, value } = await deadline.race(step());
        if (!done) return value;
        complete = true;
        deadline.stop();
        return undefined;
      } catch (error) {
        throw error instanceof Failed ? error : new Failed(Fault.Reset);
      }
    },
    cancel() {
      if (complete) return;
      deadline.breakOff();
      const cancelled: Promise<unknown> | undefined = reader ? reader.cancel() : iterator?.return?.();
      cancelled?.catch(() => {});
    },
  };
}

function faultOf(error: unknown): Fault {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth += 1) {
    const code = 'code' in cause ? String(cause.code) : '';
    if (UNREACHABLE.has(code) || cause.message.includes('client error (Connect)')) return Fault.Unreachable;
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return Fault.Timeout;
    // Several addresses were tried.
    if (cause instanceof AggregateError && cause.errors.length > 0) return faultOf(cause.errors[0]);
  }
  return Fault.Reset;
}
