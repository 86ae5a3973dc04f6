/** What users of the package see: the gateway, its options, its messages. */

/** Compiles a configuration and answers the gateway that runs it. */
export type CreateGateway = (config: string | object, options?: Options) => Promise<Gateway>;

export interface Options {
  /**
   * The values of the `${NAME}` and `${file:/path}` references of the configuration, by `NAME` or `file:/path`:
   * a record (a Worker's `env`, say) or a function. Default: `process.env` where there is one.
   */
  secrets?: Readonly<Record<string, unknown>> | ((name: string) => string | undefined | Promise<string | undefined>);
  /** Takes each audit record, one line of JSON without attribute values. Default: `console.log`. */
  onAudit?: (line: string) => void;
  /** Takes each change of a counter or a gauge. */
  onMetric?: (metric: Metric) => void;
  /** Takes each step of each exchange, one line of JSON: what was repaired, mapped, adapted and sent, and why. */
  onTrace?: (line: string) => void;
  /** `true`: steps show attribute values, which are personal data. Default: they are masked. */
  traceValues?: boolean;
  /** Sends requests to the provider in place of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
  /**
   * Keeps what all instances of the gateway have to agree on, as how many users were deactivated lately. Without
   * it that is kept in this process. What is secret never goes there.
   */
  store?: Store;
  /**
   * Computes slow hashes of passwords (`phc` in `accept`): `await passwords()` of `scimlock/node`. Without it a
   * configuration that has them is refused.
   */
  passwords?: Passwords;
  /** The clock: Unix time in milliseconds. For tests. */
  now?: () => number;
  /** 16 random bytes, from which request ids are made. For tests. */
  seed?: () => Uint8Array;
}

/** A store that several instances of the gateway share. What it throws ends in a SCIM error 503. */
export interface Store {
  /** True where `put` with `expect` and `add` are atomic for all instances; rules that count need that. */
  readonly atomic: boolean;
  /**
   * What was put: without `value` where its life time is over. The version changes with every write; `0` is
   * never one.
   */
  get: (key: string) => Awaitable<{ value: Uint8Array | undefined; version: number } | undefined>;
  /**
   * Writes a value for `ttl` milliseconds, if its version is still `expect` (`0`: there must be none;
   * `undefined`: in any case). Answers whether it was written.
   */
  put: (key: string, value: Uint8Array, options: { expect?: number; ttl: number }) => Awaitable<boolean>;
  /** Adds to a number, which counts from 0 again `ttl` milliseconds after the first addition. Answers the sum. */
  add: (key: string, delta: number, ttl: number) => Awaitable<number>;
}

/** Computes slow hashes of passwords. */
export interface Passwords {
  /** What it can compute. */
  readonly algorithms: readonly ('argon2id' | 'bcrypt' | 'pbkdf2')[];
  /** Whether a password is the one of a hash, a PHC string. It should not block: a hash takes a tenth of a second. */
  verify: (algorithm: Passwords['algorithms'][number], hash: string, password: Uint8Array) => Promise<boolean>;
}

export type Awaitable<T> = T | Promise<T>;

export interface Gateway {
  /**
   * Answers one request of the identity provider. It never rejects: whatever goes wrong is a SCIM error.
   *
   * A `Request` is not what was sent: runtimes collapse dot segments of the URL and join header fields of one
   * name. A server that still has the bytes as received should hand them to `handle`.
   */
  fetch: (request: Request, peer?: Peer) => Promise<Response>;
  /** Answers one request given as it was received. It never rejects. */
  handle: (message: RawRequest) => Promise<RawResponse>;
  /** What deserves attention in the configuration, but does not stop the gateway. */
  readonly warnings: readonly Problem[];
}

/** A request as it was received. Texts are byte strings: one character, up to U+00FF, a byte. */
export interface RawRequest {
  method: string;
  /** Path and query as sent: the request target. */
  path: string;
  /** All fields in order; several fields of one name stay apart. */
  headers: Iterable<readonly [name: string, value: string]>;
  body?: Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | null;
  peer?: Peer | undefined;
}

/**
 * What the host itself found out about the client: from the connection, never from header fields, which anybody can
 * send. What is not known lets nobody in.
 */
export interface Peer {
  /** The address at the connection's other end. */
  address?: string;
  /** The certificate that the client showed, if it was verified. */
  certificate?: {
    /** The subject as RFC 4514 writes it. */
    subject?: string;
    /** DNS names and URIs among its alternative names. */
    dns?: readonly string[];
    uris?: readonly string[];
    /** Its SHA-256 in 64 hex digits. */
    sha256?: string;
  };
}

/** A complete answer; the server adds its hop fields and `content-length`. */
export interface RawResponse {
  status: number;
  headers: [name: string, value: string][];
  body: Uint8Array<ArrayBuffer>;
}

export interface Metric {
  /** `value` is added to a counter; a gauge is set to it. */
  type: 'counter' | 'gauge';
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** One problem of a configuration. */
export interface Problem {
  /** Stable: `SL` and four digits. */
  code: string;
  /** Where: a JSON pointer (RFC 6901). */
  pointer: string;
  route: string | null;
  message: string;
  remedy: string;
  warning: boolean;
}
