// What the Envoy tests share: one example in front of one recording provider, and what every SCIM error looks like.

import { equal, ok } from 'node:assert/strict';

import { secretsOf } from '../runners/case.mjs';
import { example, startEnvoy } from './envoy.mjs';
import { EXAMPLES, PLAIN } from './examples.mjs';
import { startProvider } from './provider.mjs';

export { EXAMPLES, PLAIN };

/** The IdP's token is `test`, the provider's `provider-secret`. */
export const SECRETS = Object.assign({}, ...EXAMPLES.map((name) => secretsOf(example(name, 'scimlock.yaml'))));

export const TOKEN = ['authorization', 'Bearer test'];
export const JSON_BODY = ['content-type', 'application/scim+json'];

export const BASE = '/api/scim';
export const USERS = '/scim/v2/Users';

/** Envoy with an example in front of a provider; `limits` and `change` as tests need them. */
export async function start({ name = PLAIN, limits, change } = {}) {
  const provider = await startProvider();
  const config = { ...example(name, 'scimlock.yaml'), ...(limits && { limits }) };
  const envoy = await startEnvoy({ name, config, secrets: SECRETS, provider: provider.port, change });
  return { provider, envoy, port: envoy.port, stop: async () => { await envoy.stop(); await provider.stop(); } };
}

/** A user as the IdP sends it and, with an id, as the provider answers it. */
export const user = (more = {}) => ({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'mira.osei@nordwind.example', ...more });
export const stored = (id, more = {}) => user({ id, ...more, meta: { resourceType: 'User', location: `https://app.example${BASE}/Users/${id}` } });

/** Asserts that an answer is a complete SCIM error. */
export function isScimError(answer, status) {
  equal(answer.status, status, answer.text);
  equal(answer.headers.get('content-type'), 'application/scim+json');
  equal(answer.headers.get('cache-control'), 'no-store');
  equal(answer.json.schemas[0], 'urn:ietf:params:scim:api:messages:2.0:Error');
  equal(answer.json.status, String(status));
  ok(answer.json.detail.length > 0);
}

/** Waits until `condition` holds. */
export async function until(condition, what) {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 200) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
