/** A store in the memory of this process. */

import type { Store } from './types.js';

/** Entries over which those that are over are looked for. */
const SWEEP = 4096;

interface Entry {
  value: Uint8Array | number;
  version: number;
  end: number;
}

/** A store in this process: atomic, as nothing runs beside it. */
class MemoryStore implements Store {
  readonly atomic = true;
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  #version = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): { value: Uint8Array | undefined; version: number } | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const shown = entry.end > this.#now() && typeof entry.value !== 'number';
    return { value: shown ? (entry.value as Uint8Array) : undefined, version: entry.version };
  }

  put(key: string, value: Uint8Array, { expect, ttl }: { expect?: number; ttl: number }): boolean {
    if (expect !== undefined && (this.#entries.get(key)?.version ?? 0) !== expect) return false;
    this.#set(key, value, this.#now() + ttl);
    return true;
  }

  add(key: string, delta: number, ttl: number): number {
    const entry = this.#entries.get(key);
    const live = entry && entry.end > this.#now() ? entry : undefined;
    const sum = (typeof live?.value === 'number' ? live.value : 0) + delta;
    this.#set(key, sum, live?.end ?? this.#now() + ttl);
    return sum;
  }

  #set(key: string, value: Entry['value'], end: number): void {
    this.#version += 1;
    this.#entries.set(key, { value, version: this.#version, end });
    if (this.#entries.size % SWEEP !== 0) return;
    const now = this.#now();
    for (const [other, entry] of this.#entries) if (entry.end <= now) this.#entries.delete(other);
  }
}

/** A store in this process, for `options.store` where the gateway runs in one process or isolate only. */
export const memoryStore = (now: () => number = Date.now): Store => new MemoryStore(now);
