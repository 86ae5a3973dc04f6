/**
 * One instance of the wasm module and its calling convention (see wasm.rs): numbers and byte buffers.
 * An answer is read out completely before the next call.
 */

import { Misuse } from './failure.js';
import type { Metric, Passwords, Peer, Problem } from './types.js';

export type Fields = [name: string, value: string][];

export interface Call {
  timeout: number;
  method: string;
  url: string;
  headers: Fields;
  body: Uint8Array<ArrayBuffer>;
}

export interface Answer {
  status: number;
  headers: Fields;
  body: Uint8Array<ArrayBuffer>;
}

/** What the engine wants of the store; `key` in hex digits, times in milliseconds. */
export interface StoreRequest {
  key: string;
  class: 'local' | 'shared';
  secret: boolean;
  operation:
    | { kind: 'get' }
    | { kind: 'put'; expect: number | undefined; value: Uint8Array<ArrayBuffer>; ttl: number }
    | { kind: 'add'; delta: number; ttl: number };
}

/** A signature to verify: the key as SubjectPublicKeyInfo, the signature as JWS has it. */
export interface Verify {
  algorithm: string;
  key: Uint8Array<ArrayBuffer>;
  message: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

/** What the host can do beside the engine. */
export interface Facts {
  /** The shared store is one for all instances, and atomic. */
  atomicStore: boolean;
  /** Signatures are verified by the host. */
  verifies: boolean;
  /** The slow hashes of passwords that the host computes. */
  passwords: Passwords['algorithms'];
}

export type Effect = { audit: string } | { metric: Metric } | { trace: string };

export type Action =
  | { kind: 'read' }
  | { kind: 'callout' | 'forward'; call: Call }
  | { kind: 'store'; request: StoreRequest }
  | { kind: 'verify'; verify: Verify }
  | { kind: 'wait'; time: number }
  | { kind: 'respond'; answer: Answer }
  | { kind: 'unserved'; name: string };

export interface Step {
  effects: Effect[];
  action: Action;
}

export const Fault = { TooLarge: 0, Unreachable: 1, Timeout: 2, Reset: 3 } as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

export type Input =
  | { kind: 'request'; end: boolean; method: string; path: string; headers: Fields; peer: Peer | undefined }
  | { kind: 'body' | 'responseBody'; last: boolean; bytes: Uint8Array }
  | { kind: 'response'; end: boolean; status: number; headers: Fields }
  | { kind: 'reply'; answer: Answer }
  | { kind: 'stored'; value: Uint8Array | undefined; version: number }
  | { kind: 'put'; won: boolean }
  | { kind: 'number'; number: number }
  | { kind: 'verified'; right: boolean }
  | { kind: 'elapsed' }
  | { kind: 'fault'; fault: Fault };

interface Exports {
  memory: WebAssembly.Memory;
  reserve: (length: number) => number;
  compile: () => number;
  secrets: () => number;
  profiles: () => number;
  open: (explain: number) => number;
  handle: (exchange: number, now: number, kind: number) => number;
  close: (exchange: number, now: number) => number;
  __wbindgen_start?: () => void;
}

export type Explain = keyof typeof EXPLAIN;
const EXPLAIN = { no: 0, masked: 1, values: 2 } as const;

/** A number, a byte string, or bytes. */
type Part = number | string | Uint8Array;

const UNSERVED: Record<number, string> = { 6: 'emit', 8: 'abort', 9: 'done', 255: 'misuse' };

/** Slow hashes, one bit each. */
const PASSWORDS = ['argon2id', 'bcrypt', 'pbkdf2'] as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Engine {
  readonly #wasm: Exports;
  /** The module trapped: its memory cannot be trusted any more. */
  broken = false;

  constructor(module: WebAssembly.Module) {
    // The engine needs nothing of its host; what the bindings declare is set-up for values that are never passed.
    const imports: Record<string, Record<string, () => void>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => {};
    const { exports } = new WebAssembly.Instance(module, imports);
    const wrapped = Object.entries(exports).map(([name, value]) => [name, typeof value === 'function' ? notInlined(value) : value]);
    this.#wasm = Object.fromEntries(wrapped) as unknown as Exports;
    this.#wasm.__wbindgen_start?.();
  }

  /** Compiles the configuration of this instance's gateway. */
  compile(json: string, secrets: Iterable<readonly [string, string]>, facts: Facts): { standing: boolean; problems: Problem[]; rules: string } {
    const texts = [json, ...[...secrets].flat()].map((text) => encoder.encode(text));
    const passwords = PASSWORDS.reduce((bits, name, bit) => bits | Number(facts.passwords.includes(name)) << bit, 0);
    const parts: Part[] = [Number(facts.atomicStore), Number(facts.verifies), passwords, ...texts];
    const answer = this.#call(parts, () => this.#wasm.compile());
    return { standing: answer.number() === 1, problems: JSON.parse(answer.text() || '[]') as Problem[], rules: answer.text() };
  }

  /** The names of the secrets that a configuration makes references to. */
  secretNames(json: string): string[] {
    const answer = this.#call([encoder.encode(json)], () => this.#wasm.secrets());
    return answer.list(() => answer.text());
  }

  /** What is known of products: the list of profiles (`''`), what works between which (`*`), or one profile. */
  profiles(name: string): unknown {
    const text = this.#call([encoder.encode(name)], () => this.#wasm.profiles()).text();
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Opens an exchange; `explain`: not at all, with values masked, or with values. */
  open(seed: Uint8Array, explain: Explain = 'no'): number {
    this.#reserve(seed.length).set(seed);
    const exchange = this.#guard(() => this.#wasm.open(EXPLAIN[explain]));
    if (exchange === 0) throw new Misuse('the engine opened no exchange');
    return exchange;
  }

  handle(exchange: number, now: number, input: Input): Step {
    const [kind, parts] = partsOf(input);
    const answer = this.#call(parts, () => this.#wasm.handle(exchange, now, kind));
    return { effects: answer.list(() => answer.effect()), action: answer.action() };
  }

  /** Forgets an exchange; answers what there is to report of one that was not over. */
  close(exchange: number, now: number): Effect[] {
    if (this.broken) return [];
    const answer = this.#call([], () => this.#wasm.close(exchange, now));
    return answer.list(() => answer.effect());
  }

  #call(parts: Part[], call: () => number): Reader {
    let length = 0;
    for (const part of parts) length += typeof part === 'number' ? 4 : 4 + part.length;
    const bytes = this.#reserve(length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    let at = 0;
    for (const part of parts) {
      view.setUint32(at, typeof part === 'number' ? part : part.length, true);
      at += 4;
      if (typeof part === 'number') continue;
      if (typeof part !== 'string') bytes.set(part, at);
      else writeByteString(bytes, at, part);
      at += part.length;
    }
    const pointer = this.#guard(call) >>> 0;
    if (pointer === 0) throw new Misuse('the engine is busy');
    return new Reader(this.#wasm.memory.buffer, pointer);
  }

  #reserve(length: number): Uint8Array<ArrayBuffer> {
    const pointer = this.#guard(() => this.#wasm.reserve(length)) >>> 0;
    if (pointer === 0) throw new Misuse('the engine has no room');
    return new Uint8Array(this.#wasm.memory.buffer as ArrayBuffer, pointer, length);
  }

  #guard<T>(call: () => T): T {
    if (this.broken) throw new Misuse('the engine has stopped');
    try {
      return call();
    } catch (error) {
      this.broken = true;
      throw error;
    }
  }
}

/**
 * The function, so that an optimising compiler does not inline it: V8 11.3 (Node 20) loses a caller's local
 * variable when it inlines calls into WebAssembly, and the process crashes. It does not look into proxies.
 */
const notInlined = <F extends object>(call: F): F => new Proxy(call, {});

function partsOf(input: Input): [kind: number, parts: Part[]] {
  switch (input.kind) {
    case 'request': return [0, [Number(input.end), input.method, input.path, ...fields(input.headers), ...peerParts(input.peer)]];
    case 'body': return [1, [Number(input.last), input.bytes]];
    case 'response': return [2, [Number(input.end), input.status, ...fields(input.headers)]];
    case 'responseBody': return [3, [Number(input.last), input.bytes]];
    case 'reply': return [4, [input.answer.status, ...fields(input.answer.headers), input.answer.body]];
    case 'stored': return [5, [0, Number(input.value !== undefined), input.value ?? new Uint8Array(), ...halves(input.version)]];
    case 'put': return [5, [1, Number(input.won)]];
    case 'number': return [5, [2, ...halves(input.number)]];
    case 'verified': return [6, [Number(input.right)]];
    case 'elapsed': return [7, []];
    case 'fault': return [8, [input.fault]];
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** A whole number of 64 bits as two of 32, the lower one first. */
const halves = (number: number): Part[] => [number % 2 ** 32, Math.floor(number / 2 ** 32)].map((half) => half >>> 0);

const text = (value: string): Part => encoder.encode(value);
const texts = (list: readonly string[] = []): Part[] => [list.length, ...list.map(text)];

function peerParts({ address = '', certificate }: Peer = {}): Part[] {
  if (!certificate) return [address, 0];
  const { subject = '', dns, uris, sha256 = '' } = certificate;
  const digits = /^[0-9a-f]{64}$/i.test(sha256) ? (sha256.match(/../g) ?? []) : [];
  return [address, 1, text(subject), ...texts(dns), ...texts(uris), Uint8Array.from(digits, (pair) => parseInt(pair, 16))];
}

const fields = (headers: Fields): Part[] => [headers.length, ...headers.flat()];

function writeByteString(bytes: Uint8Array, at: number, text: string): void {
  // Texts of ASCII, which nearly all are, fit exactly; for short ones the call is not worth it.
  if (text.length > 64 && encoder.encodeInto(text, bytes.subarray(at, at + text.length)).read === text.length) return;
  for (let index = 0; index < text.length; index += 1) {
    // Some workers read header fields as UTF-8, so that a character may be no byte. 0xff stands for it: refused
    // where the field matters, passed over elsewhere.
    bytes[at + index] = Math.min(text.charCodeAt(index), 0xff);
  }
}

/** Reads an answer; whatever it hands out is a copy. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 4;

  constructor(memory: ArrayBufferLike, pointer: number) {
    const length = new DataView(memory, pointer, 4).getUint32(0, true);
    this.#bytes = new Uint8Array(memory, pointer, length);
    this.#view = new DataView(memory, pointer, length);
  }

  number(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  list<T>(one: () => T): T[] {
    return Array.from({ length: this.number() }, one);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#part());
  }

  text(): string {
    return decoder.decode(this.#part());
  }

  effect(): Effect {
    const kind = this.number();
    if (kind === 0) return { audit: this.text() };
    if (kind === 2) return { trace: this.text() };
    const name = this.text();
    const labels = Object.fromEntries(this.list(() => [this.text(), this.text()]));
    return { metric: { type: kind === 1 ? 'counter' : 'gauge', name, labels, value: this.#whole() } };
  }

  action(): Action {
    const kind = this.number();
    switch (kind) {
      case 0: return { kind: 'read' };
      case 1: return { kind: 'callout', call: this.#callParts() };
      case 2: return { kind: 'store', request: this.#storeRequest() };
      case 3: return { kind: 'verify', verify: { algorithm: this.text(), key: this.bytes(), message: this.bytes(), signature: this.bytes() } };
      case 4: return { kind: 'wait', time: this.number() };
      case 5: return { kind: 'forward', call: this.#callParts() };
      case 7: return { kind: 'respond', answer: { status: this.number(), headers: this.#fields(), body: this.bytes() } };
      default: return { kind: 'unserved', name: UNSERVED[kind] ?? String(kind) };
    }
  }

  #storeRequest(): StoreRequest {
    const key = hex(this.#part());
    const place = this.number() === 0 ? 'local' : 'shared';
    const secret = this.number() === 1;
    switch (this.number()) {
      case 0: return { key, class: place, secret, operation: { kind: 'get' } };
      case 1: {
        const conditional = this.number() === 1;
        const version = this.#whole();
        return { key, class: place, secret, operation: { kind: 'put', expect: conditional ? version : undefined, value: this.bytes(), ttl: this.#whole() } };
      }
      default: return { key, class: place, secret, operation: { kind: 'add', delta: this.#whole(), ttl: this.#whole() } };
    }
  }

  /** A whole number of 64 bits, lower half first. */
  #whole(): number {
    return this.number() + (this.number() | 0) * 2 ** 32;
  }

  #callParts(): Call {
    return { timeout: this.number(), method: this.text(), url: this.text(), headers: this.#fields(), body: this.bytes() };
  }

  #fields(): Fields {
    return this.list(() => [this.text(), this.#byteString()]);
  }

  #byteString(): string {
    let text = '';
    for (const byte of this.#part()) text += String.fromCharCode(byte);
    return text;
  }

  #part(): Uint8Array {
    const length = this.number();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
