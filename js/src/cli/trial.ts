/**
 * A route of a configuration to try messages on: the same engine and rules as in service, with a provider that is
 * imagined. Who may call and what the provider is shown are replaced, so that no secret is needed and none is used.
 */

import { createHash, randomBytes } from 'node:crypto';

import { createGateway } from '../index.js';
import type { Gateway, Options, RawResponse } from '../types.js';
import { describe, located } from './check.js';
import { readDocument } from './document.js';
import { inspected } from './engine.js';
import { Refusal, contentOf, suggestion } from './output.js';
import { secretOf } from './secrets.js';

/** A resource type of a route as the IdP sees it. */
export interface ResourceType {
  name: string;
  endpoint: string;
  schema: string;
  schemaExtensions?: { schema: string }[];
}

export interface Trial {
  route: string;
  types: ResourceType[];
  /** Sends a request of the IdP; `path` follows the route's. */
  send: (method: string, path: string, body?: Uint8Array) => Promise<RawResponse>;
}

interface Route {
  idp: { path: string };
  provider: object;
}

/** The token that a trial's requests carry. */
export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Makes a route ready. */
export async function trial(file: string, wanted: string | undefined, options: Options): Promise<Trial> {
  const { config, route } = await routeOf(file, wanted);
  const token = randomBytes(24).toString('base64url');
  const gateway = await gatewayFor(config, route, token, options);
  const base = config.routes[route]?.idp.path ?? '';
  const headers: [string, string][] = [['host', 'scimlock.invalid'], ['authorization', `Bearer ${token}`]];
  const send = (method: string, path: string, body?: Uint8Array): Promise<RawResponse> => {
    const own: [string, string][] = body ? [['content-type', 'application/scim+json']] : [];
    return gateway.handle({ method, path: base + path, headers: [...headers, ...own], body: body ?? null });
  };
  const known = contentOf((await send('GET', '/ResourceTypes')).body) as { Resources?: ResourceType[] };
  return { route, types: known.Resources ?? [], send };
}

export interface Config {
  routes: Record<string, Route>;
}

/** Reads a configuration that has no errors, whatever its secrets are. */
export async function readConfig(file: string): Promise<Config> {
  const document = readDocument(file);
  const { problems } = await inspected(document.json, placeholder);
  const errors = problems.filter((problem) => !problem.warning);
  if (errors.length > 0) throw new Refusal(located(errors, document).map((problem) => describe(file, problem)).join('\n'));
  return JSON.parse(document.json) as Config;
}

async function routeOf(file: string, wanted: string | undefined): Promise<{ config: Config; route: string }> {
  const config = await readConfig(file);
  const names = Object.keys(config.routes);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new Refusal(`error ${file}: there is no route \`${wanted}\`: ${suggestion(wanted, names)}`);
  }
  const [only, ...more] = names;
  if (wanted === undefined && (only === undefined || more.length > 0)) {
    throw new Refusal(`error ${file}: say which route is meant: --route ${names.join(' | ')}`);
  }
  return { config, route: wanted ?? only ?? '' };
}

/** A gateway with this one route, or all of them, that takes one token and has a credential without meaning. */
export function gatewayFor(config: Config, route: string | undefined, token: string, options: Options): Promise<Gateway> {
  const chosen = Object.entries(config.routes).filter(([name]) => route === undefined || name === route);
  const routes = Object.fromEntries(chosen.map(([name, one]) => [name, {
    ...one,
    mode: undefined,
    idp: { ...one.idp, open: undefined, accept: [{ bearer: { name: 'trial', sha256: tokenHash(token), expires: '9999-12-31' } }] },
    provider: { ...one.provider, credential: { bearer: '${TRIAL_CREDENTIAL}' } },
  }]));
  return createGateway(JSON.stringify({ ...config, routes }), { onAudit: () => {}, ...options, secrets: placeholder });
}

/** A secret's value, or one that has the form of a token's hash where it is not set. */
const placeholder = (name: string): string => secretOf(name) || tokenHash('not set');
