/** The gateway: compiles the configuration and drives one exchange a request, carrying out what the engine says. */

import { ConfigError } from './errors.js';
import { type Action, type Effect, Engine, type Input } from './engine.js';
import { Misuse, failed } from './failure.js';
import { carryOut } from './keep.js';
import { Deadline, Failed, type Source, callOut, send, sourceOf } from './provider.js';
import { edgePeer } from './peer.js';
import { memoryStore } from './store.js';
import type { Gateway, Options, Passwords, Peer, Problem, RawRequest, RawResponse, Store } from './types.js';
import { verifies, verify } from './verify.js';

/** How long the body of a request may take to arrive. */
const BODY_TIME = 60_000;

/** What one mapping rule does. */
export interface RuleReport {
  rule: string;
  idp?: string;
  provider?: string;
  class: 'two-way' | 'to-provider' | 'to-idp' | 'dropped';
  /** Why it is not two-way. */
  why?: string;
  /** What of the IdP's values does not come back. */
  lossy?: string;
}

/** What `check` says of a configuration. */
export interface Findings {
  problems: Problem[];
  /** What each rule does, by route and resource type; nothing where the gateway would not start. */
  rules: Record<string, Record<string, { rules: RuleReport[] }>>;
  secrets: { name: string; set: boolean }[];
}

/**
 * Compiles `config` on an engine module. `alone`: this process is all there is, so that what it keeps in its own
 * memory is one store for the gateway.
 */
export async function create(module: WebAssembly.Module, config: string | object, alone: boolean, options: Options = {}): Promise<Gateway> {
  const json = typeof config === 'string' ? config : JSON.stringify(config);
  const secrets = await resolve(new Engine(module).secretNames(json), options.secrets);
  return new Host(module, json, secrets, alone, options).gateway();
}

/** Compiles `config` only to see what is wrong with it. */
export async function inspect(module: WebAssembly.Module, json: string, from: Options['secrets'], passwords: Passwords['algorithms']): Promise<Findings> {
  const engine = new Engine(module);
  const names = engine.secretNames(json);
  const secrets = await resolve(names, from);
  const { problems, rules } = engine.compile(json, secrets, { atomicStore: true, verifies: verifies(), passwords });
  return {
    problems,
    rules: JSON.parse(rules || '{}') as Findings['rules'],
    secrets: names.map((name) => ({ name, set: Boolean(secrets.get(name)) })),
  };
}

async function resolve(names: string[], from: Options['secrets']): Promise<Map<string, string>> {
  const environment = (globalThis as { process?: { env?: Record<string, string> } }).process?.env;
  const source = from ?? environment ?? {};
  const values = new Map<string, string>();
  for (const name of names) {
    const value = typeof source === 'function' ? await source(name) : Object.hasOwn(source, name) ? source[name] : undefined;
    if (typeof value === 'string') values.set(name, value);
  }
  return values;
}

class Host {
  readonly #compile: () => Engine;
  readonly #options: Options;
  readonly #fetch: typeof globalThis.fetch;
  readonly #memory: Store;
  #engine: Engine;
  #warnings: Problem[] = [];

  constructor(module: WebAssembly.Module, json: string, secrets: Map<string, string>, alone: boolean, options: Options) {
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#memory = memoryStore(() => this.#now());
    const { store, passwords } = options;
    const facts = { atomicStore: store ? store.atomic : alone, verifies: verifies(), passwords: passwords?.algorithms ?? [] };
    this.#compile = () => {
      const engine = new Engine(module);
      const { standing, problems } = engine.compile(json, secrets, facts);
      if (!standing) throw new ConfigError(problems);
      this.#warnings = problems;
      return engine;
    };
    this.#engine = this.#compile();
  }

  gateway(): Gateway {
    const handle = (message: RawRequest): Promise<RawResponse> => this.#handle(message);
    return { handle, fetch: (request, peer) => answerRequest(request, peer, handle), warnings: this.#warnings };
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  async #handle(message: RawRequest): Promise<RawResponse> {
    try {
      return await this.#run(message);
    } catch (error) {
      return failed(error);
    }
  }

  async #run(message: RawRequest): Promise<RawResponse> {
    // An engine that trapped is not asked again: the next request gets a new one.
    if (this.#engine.broken) this.#engine = this.#compile();
    const engine = this.#engine;
    const { seed = randomSeed, store, passwords, onTrace, traceValues } = this.#options;
    const carrier = new Carrier(message.body, this.#fetch, passwords);
    const exchange = engine.open(seed(), !onTrace ? 'no' : traceValues ? 'values' : 'masked');
    try {
      const { method, path } = message;
      const headers = [...message.headers].map(([name, value]): [string, string] => [name, value]);
      let input: Input = { kind: 'request', end: !message.body, method, path, headers, peer: message.peer };
      for (;;) {
        const { effects, action } = engine.handle(exchange, this.#now(), input);
        for (const effect of effects) this.#report(effect);
        if (action.kind === 'respond') return action.answer;
        const next = action.kind === 'store' ? carryOut(action.request, this.#memory, store) : carrier.carryOut(action);
        // Most stores answer at once: no need to let others run first.
        input = next instanceof Promise ? await next : next;
      }
    } finally {
      carrier.cancel();
      for (const effect of engine.close(exchange, this.#now())) this.#report(effect);
    }
  }

  /** Reports are sent off and forgotten: one that cannot be delivered changes no answer. */
  #report(effect: Effect): void {
    const { onAudit = console.log, onMetric, onTrace } = this.#options;
    try {
      if ('audit' in effect) onAudit(effect.audit);
      else if ('metric' in effect) onMetric?.(effect.metric);
      else onTrace?.(effect.trace);
    } catch (error) {
      console.error(`scimlock: a report was not taken: ${error instanceof Error ? error.name : 'error'}`);
    }
  }
}

/** Carries out the actions of one exchange. */
class Carrier {
  readonly #fetch: typeof globalThis.fetch;
  readonly #passwords: Passwords | undefined;
  #side: 'body' | 'responseBody' = 'body';
  #source: Source | undefined;
  #whole: Uint8Array | undefined;

  constructor(body: RawRequest['body'], fetch: typeof globalThis.fetch, passwords: Passwords | undefined) {
    this.#fetch = fetch;
    this.#passwords = passwords;
    if (body instanceof Uint8Array) this.#whole = body;
    else if (body) this.#source = sourceOf(body, new Deadline(BODY_TIME));
  }

  async carryOut(action: Exclude<Action, { kind: 'respond' | 'store' }>): Promise<Input> {
    try {
      switch (action.kind) {
        case 'read': return await this.#read();
        case 'forward': return await this.#forward(action.call);
        case 'callout': return { kind: 'reply', answer: await callOut(action.call, this.#fetch) };
        case 'verify': return { kind: 'verified', right: await verify(action.verify, this.#passwords) };
        case 'wait':
          await new Promise((elapsed) => setTimeout(elapsed, action.time));
          return { kind: 'elapsed' };
        case 'unserved': throw new Misuse(`the engine asked for \`${action.name}\`, which this host does not do`);
      }
    } catch (error) {
      if (error instanceof Failed) return { kind: 'fault', fault: error.fault };
      throw error;
    }
  }

  cancel(): void {
    this.#source?.cancel();
  }

  async #read(): Promise<Input> {
    const bytes = this.#whole ?? (await this.#source?.next());
    const last = this.#whole !== undefined || bytes === undefined;
    if (last) {
      this.cancel();
      this.#source = this.#whole = undefined;
    }
    return { kind: this.#side, last, bytes: bytes ?? new Uint8Array() };
  }

  async #forward(call: Parameters<typeof send>[0]): Promise<Input> {
    this.cancel();
    this.#side = 'responseBody';
    this.#whole = this.#source = undefined;
    const { status, headers, body } = await send(call, this.#fetch);
    this.#source = body;
    return { kind: 'response', end: body === undefined, status, headers };
  }
}

const randomSeed = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));

async function answerRequest(request: Request, peer: Peer | undefined, handle: Gateway['handle']): Promise<Response> {
  const { method, url, headers, body } = request;
  const answer = await handle({ method, path: targetOf(url), headers, body, peer: peer ?? edgePeer(request) });
  try {
    return toResponse(answer, method);
  } catch (error) {
    return toResponse(failed(error), method);
  }
}

function toResponse({ status, headers, body }: RawResponse, method: string): Response {
  return new Response(body.length === 0 || method === 'HEAD' ? null : body, { status, headers });
}

/** Path and query of a URL, without parsing it once more. */
function targetOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.indexOf('#');
  return start < 0 ? '/' : url.slice(start, end < 0 ? undefined : end);
}
