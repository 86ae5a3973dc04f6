/** One message to try: the request that brings it through a route, and a provider that is imagined. */

import { type Command, Option } from 'commander';

import type { Call } from '../engine.js';
import type { Options } from '../types.js';
import { nameOf, readJson } from './files.js';
import { Refusal, Usage, suggestion } from './output.js';
import { type ResourceType, trial } from './trial.js';

export interface MessageOptions {
  route?: string;
  to: 'provider' | 'idp';
  type?: string;
  id?: string;
  method?: string;
  filter?: string;
  state?: string;
}

/** Adds the arguments and options that say which message is meant. */
export function withMessage(command: Command): Command {
  return command
    .argument('<config>', 'the configuration, YAML or JSON')
    .argument('[file]', 'the message: a resource, a PATCH, a ListResponse … (`-`: standard input)')
    .option('--route <name>', 'the route; may be left out where there is one')
    .addOption(new Option('--to <side>', 'where the message goes').choices(['provider', 'idp']).default('provider'))
    .option('--filter <filter>', 'a query of the IdP with this filter, in place of a file')
    .option('--type <name>', 'the resource type, where the message does not tell (default: User)')
    .option('--id <id>', 'the id of the resource')
    .addOption(new Option('--method <method>', 'of the IdP\'s request, where the message does not tell').choices(['POST', 'PUT', 'PATCH', 'GET', 'DELETE']))
    .option('--state <file>', 'what the provider has: a resource, or a ListResponse for queries');
}

/** A call to the provider. */
export type Sent = Pick<Call, 'method' | 'url'> & { body: string };

export interface Tried {
  route: string;
  calls: Sent[];
  status: number;
  answer: string;
  /** The provider's state decides what is sent, and it is not known. */
  needsState: boolean;
}

interface Message {
  schemas?: unknown;
  id?: unknown;
  status?: unknown;
}

const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** Sends the message through the route. */
export async function tryMessage(config: string, file: string | undefined, options: MessageOptions, trace: Options): Promise<Tried> {
  if ((file === undefined) === (options.filter === undefined) && options.method !== 'DELETE' && options.method !== 'GET') {
    throw new Usage(file === undefined ? 'name the file with the message, or give a `--filter`' : 'a file or a `--filter`, not both');
  }
  const { text, value } = file === undefined ? { text: undefined, value: {} } : readJson(file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(`error ${nameOf(file ?? '-')}: a SCIM message is a JSON object`);
  const message = value as Message;
  const state = options.state === undefined ? undefined : readJson(options.state);
  const id = options.id ?? idOf(options.to === 'idp' ? message : (state?.value as Message | undefined)) ?? 'ID';

  const calls: Sent[] = [];
  let needsState = false;
  const answering = options.to === 'idp';
  const fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const sent = { method: init.method ?? 'GET', url: String(input), body: init.body ? new TextDecoder().decode(init.body as Uint8Array) : '' };
    const written = calls.some(({ method }) => method !== 'GET');
    calls.push(sent);
    const answer = answering ? provided(text ?? '{}', message) : imagined(sent, init.headers, id, state?.text, written);
    if (answer) return answer;
    needsState = true;
    throw new Error('the state is not known');
  };
  const { send, types, route } = await trial(config, options.route, { ...trace, fetch });
  const { method, path, body } = requestOf(message, text, options, typeOf(message, options, types, answering), id);
  const answer = await send(method, path, body);
  return { route, calls, status: answer.status, answer: new TextDecoder().decode(answer.body), needsState };
}

const idOf = (message: Message | undefined): string | undefined => (typeof message?.id === 'string' ? message.id : undefined);

const lists = (message: Message, schema: string): boolean =>
  Array.isArray(message.schemas) && message.schemas.some((uri) => typeof uri === 'string' && uri.toLowerCase() === schema.toLowerCase());

function typeOf(message: Message, { type }: MessageOptions, types: ResourceType[], answering: boolean): ResourceType {
  const names = types.map(({ name }) => name);
  const named = types.find(({ name }) => name.toLowerCase() === type?.toLowerCase());
  if (type !== undefined && !named) throw new Refusal(`error: the route has no resource type \`${type}\`: ${suggestion(type, names)}`);
  // A list shows its type in its elements.
  const [first] = answering && 'Resources' in message && Array.isArray(message.Resources) ? (message.Resources as Message[]) : [];
  const found = named ?? types.find(({ schema }) => lists(first ?? message, schema)) ?? types.find(({ name }) => name === 'User') ?? types[0];
  if (!found) throw new Refusal('error: the route has no resource types');
  return found;
}

function requestOf(message: Message, text: string | undefined, options: MessageOptions, { endpoint }: ResourceType, id: string): { method: string; path: string; body?: Uint8Array } {
  const one = `${endpoint}/${encodeURIComponent(id)}`;
  const list = `${endpoint}${options.filter === undefined ? '' : `?filter=${encodeURIComponent(options.filter)}`}`;
  if (options.to === 'idp') return { method: 'GET', path: lists(message, LIST) ? list : one };
  if (text === undefined) return { method: options.method ?? 'GET', path: options.method === undefined || options.filter !== undefined ? list : one };
  const body = new TextEncoder().encode(text);
  if (lists(message, LIST)) throw new Refusal('error: a ListResponse is what a provider answers: say `--to idp`');
  if (lists(message, BULK)) return { method: 'POST', path: '/Bulk', body };
  if (lists(message, SEARCH)) return { method: 'POST', path: `${endpoint}/.search`, body };
  if (lists(message, PATCH)) return { method: 'PATCH', path: one, body };
  const method = options.method ?? 'POST';
  return { method, path: method === 'POST' ? endpoint : one, body };
}

/** What the file says, as the provider's answer. */
function provided(text: string, message: Message): Response {
  const status = lists(message, ERROR) ? Number(message.status) : 200;
  return answer(status >= 200 && status < 600 ? status : 500, text);
}

/** What an obliging provider would answer; nothing where its state would have to be known. */
function imagined({ method, url, body }: Sent, headers: RequestInit['headers'], id: string, state: string | undefined, written: boolean): Response | undefined {
  if (new Headers(headers as HeadersInit).get('x-csrf-token')?.toLowerCase() === 'fetch') return new Response(null, { status: 200, headers: { 'x-csrf-token': 'TOKEN' } });
  const { pathname } = new URL(url);
  const list = state !== undefined && state.includes(LIST);
  if (method === 'GET') {
    const one = pathname.endsWith(`/${encodeURIComponent(id)}`);
    // What is read after a write is for the answer to the IdP: nothing depends on it.
    if (one && written) return answer(404, '{}');
    if (one) return state === undefined || list ? undefined : answer(200, state);
    return answer(200, list ? state : JSON.stringify({ schemas: [LIST], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] }));
  }
  if (method === 'PATCH' || method === 'DELETE') return new Response(null, { status: 204 });
  try {
    return answer(method === 'POST' ? 201 : 200, JSON.stringify({ ...(JSON.parse(body) as object), id }));
  } catch {
    return new Response(null, { status: 204 });
  }
}

const answer = (status: number, body: string | undefined): Response => new Response(body ?? null, { status, headers: { 'content-type': 'application/scim+json' } });
