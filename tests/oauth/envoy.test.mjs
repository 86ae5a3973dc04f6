// The same in Envoy, and what only Envoy has: claims that its own `jwt_authn` verified.
import { equal } from 'node:assert/strict';
import { test } from 'node:test';

import { start } from './hosts.mjs';
import { key, startIssuer } from './issuer.mjs';
import { scenarios } from './scenarios.mjs';

scenarios('envoy');

test('envoy: claims that jwt_authn verified let in', async () => {
  const issuer = await startIssuer([key('one')]);
  const keys = await (await fetch(`${issuer.issuer}/jwks`)).text();
  const judge = {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
      providers: { own: { issuer: issuer.issuer, audiences: ['scim'], local_jwks: { inline_string: keys }, payload_in_metadata: 'claims' } },
      rules: [{ match: { prefix: '/' }, requires: { requires_any: { requirements: [{ provider_name: 'own' }, { allow_missing: {} }] } } }],
    },
  };
  const way = (more) => ({ accept: [{ envoy_jwt: { name: 'edge', payload: 'claims', issuer: issuer.issuer, audience: 'scim', ...more } }] });
  for (const [more, status] of [[{}, 200], [{ require: { sub: 'idp' } }, 200], [{ require: { sub: 'other' } }, 401], [{ issuer: 'https://other.example/' }, 401], [{ payload: 'other' }, 401]]) {
    const gateway = await start('envoy', way(more), issuer.issuer, { change: ({ manager }) => manager.http_filters.unshift(judge) });
    try {
      equal(await gateway.get(await issuer.token()), status, JSON.stringify(more));
      equal(await gateway.get(undefined), 401);
      equal(await gateway.get('opaque'), 401);
    } finally {
      await gateway.stop();
    }
  }
  await issuer.stop();
});
