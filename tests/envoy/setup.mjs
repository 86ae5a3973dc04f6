// What the Envoy tests share: one example in front of one recording provider, and what every SCIM error looks like.

import { equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';

import { example, startEnvoy } from './envoy.mjs';
import { startProvider } from './provider.mjs';

/** The examples that have an `envoy.yaml`. */
export const EXAMPLES = readdirSync(new URL('../../examples/', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(new URL(`../../examples/${entry.name}/`, import.meta.url)).includes('envoy.yaml'))
  .map((entry) => entry.name);

/** The IdP's token is `test`, the provider's `provider-secret`. */
export const SECRETS = {
  SCIM_TOKEN_SHA256: createHash('sha256').update('test').digest('hex'),
  LEANIX_TOKEN: 'provider-secret',
  PROVIDER_TOKEN: 'provider-secret',
};

export const TOKEN = ['authorization', 'Bearer test'];
export const JSON_BODY = ['content-type', 'application/scim+json'];

/** The plain example: what the boundary does is the same for all. */
export const PLAIN = 'generic-to-generic';
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
