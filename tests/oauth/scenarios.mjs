// What an OpenID provider and a gateway do together, played on each host.

import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';

import { sha256, start } from './hosts.mjs';
import { CLIENT_SECRET, key, startIssuer } from './issuer.mjs';

const [ONE, TWO] = [key('one'), key('two', 'ec')];
const publicKey = ({ kty, crv, x, y, kid, use, alg }) => ({ kty, crv, x, y, kid, use, alg });

/** A little more than the time for which an issuer is left alone. */
const AFTER_MISS = 31_000, AFTER_FAILURE = 12_000, AFTER_PAUSE = 1_100;

/** Most of the time the scenarios wait: some run at once. */
export const scenarios = (host) => describe(host, { concurrency: 6 }, () => all(host));

function all(host) {
  const play = (name, idpOf, run, credentialOf = () => undefined) =>
    test(`${host}: ${name}`, async () => {
      const issuer = await startIssuer([ONE]);
      const credential = credentialOf(issuer.issuer);
      const gateway = await start(host, idpOf(issuer.issuer), issuer.issuer, { credential });
      try {
        await run(gateway, issuer);
        ok(credential || gateway.seen.every((shown) => shown === 'Bearer provider-secret'));
      } finally {
        await gateway.stop();
        await issuer.stop();
      }
    });
  const jwt = (issuer, more = { discovery: true }) => ({
    accept: [{ jwt: { name: 'issuer', issuer, audience: 'scim', algorithms: ['RS256', 'ES256'], require: { scope: { contains: 'scim' } }, ...more } }],
  });

  play('keys are discovered, and found again when they change', jwt, async (gateway, issuer) => {
    const first = await issuer.token();
    equal(await gateway.get(first), 200);
    equal(await gateway.get(first), 200);
    deepEqual(issuer.asked.filter((what) => what.startsWith('GET')), ['GET /.well-known/openid-configuration', 'GET /jwks']);
    for (const bad of [undefined, `${first}x`, first.slice(0, -2), first.replace('.', '.e30'), 'opaque']) equal(await gateway.get(bad), 401, bad);
    issuer.use([TWO]);
    // Verdicts have 256 places, by the token's digest: of two tokens with one place the older is judged anew.
    const place = (token) => parseInt(sha256(token).slice(0, 8), 16) % 256;
    let second;
    do second = await issuer.token(); while (place(second) === place(first));
    await gateway.advance(AFTER_MISS);
    equal(await gateway.get(second), 200);
    equal(await gateway.get(first), 200, 'its verdict still counts');
    equal(issuer.asked.filter((what) => what === 'GET /jwks').length, 2);
    equal(gateway.seen.length, 4);
  });

  for (const how of ['down', 'slow', 'html', 'error', 'empty']) {
    play(`an issuer that is ${how} at the start: nobody knows, so 503, and nobody gets in`, (issuer) => jwt(issuer, { keys: `${issuer}/jwks` }), async (gateway, issuer) => {
      const token = await issuer.token();
      issuer.fail(how);
      equal(await gateway.get(token), 503);
      equal(await gateway.get(token), 503);
      equal(issuer.asked.filter((what) => what === 'GET /jwks').length, 1, 'it is left alone for a while');
      issuer.fail('none');
      await gateway.advance(AFTER_FAILURE);
      equal(await gateway.get(token), 200);
      issuer.fail(how);
      equal(await gateway.get(token), 200);
      equal(gateway.seen.length, 2);
    });
  }

  const asks = (issuer) => ({
    accept: [{ introspection: { name: 'asked', url: `${issuer}/token/introspection`, client_id: 'gateway', client_secret: '${GATEWAY_SECRET}', audience: 'scim' } }],
  });
  play('an opaque token is asked about', asks, async (gateway, issuer) => {
    const token = await issuer.token('urn:opaque');
    equal(await gateway.get(token), 200);
    equal(await gateway.get(token), 200);
    equal(await gateway.get('unknown'), 401);
    equal(issuer.asked.filter((what) => what.includes('introspection')).length, 2);
    issuer.fail('down');
    equal(await gateway.get('another'), 503);
    equal(await gateway.get(token), 200);
  });

  const inside = (network) => () => ({ accept: [{ bearer: { name: 'inside', sha256: sha256('inside'), expires: '2099-12-31', networks: [network] } }] });
  play('a token from its own network', inside('127.0.0.0/8'), async (gateway) => equal(await gateway.get('inside'), 200));
  play('a token from another network', inside('10.0.0.0/8'), async (gateway) => equal(await gateway.get('inside'), 401));

  // The route gives tokens itself: for a secret, and for an assertion that the OpenID provider signed (workload identity federation).
  const grants = (issuer) => ({
    authorization: {
      key: '${GRANT_KEY}',
      clients: [
        { name: 'by-secret', client_id: 'app', secret: { sha256: sha256('app-secret'), expires: '2099-12-31' } },
        { name: 'by-assertion', client_id: 'federated', read_only: true, assertion: { issuer, subject: 'idp', audience: 'scim', discovery: true, algorithms: ['RS256'] } },
      ],
    },
  });
  play('the route gives tokens of its own', grants, async (gateway, issuer) => {
    const ask = async (form, headers = {}) => {
      const response = await fetch(`${gateway.origin}/scim/v2/oauth/token`, { method: 'POST', headers: { host: 'scim.acme.example', ...headers }, body: new URLSearchParams(form) });
      return { status: response.status, ...(await response.json()) };
    };
    const metadata = await (await fetch(`${gateway.origin}/.well-known/oauth-authorization-server/scim/v2`)).json();
    equal(metadata.token_endpoint, 'https://scim.acme.example/scim/v2/oauth/token');
    const plain = await ask({ grant_type: 'client_credentials' }, { authorization: `Basic ${btoa('app:app-secret')}` });
    deepEqual([plain.status, plain.token_type, plain.expires_in], [200, 'Bearer', 3600]);
    equal(await gateway.get(plain.access_token), 200);
    equal(await gateway.get(`${plain.access_token.slice(0, -2)}AA`), 401);
    const assertion = { grant_type: 'client_credentials', client_id: 'federated', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
    const federated = await ask({ ...assertion, client_assertion: await issuer.token() });
    equal(federated.status, 200, JSON.stringify(federated));
    equal(await gateway.get(federated.access_token), 200);
    const written = await fetch(`${gateway.origin}/scim/v2/Users/1`, { method: 'DELETE', headers: { authorization: `Bearer ${federated.access_token}` } });
    equal(written.status, 403);
    equal((await ask({ ...assertion, client_assertion: `${await issuer.token()}x` })).error, 'invalid_client');
    equal((await ask({ ...assertion, client_id: 'app', client_assertion: await issuer.token() })).error, 'invalid_client');
    equal(await gateway.get(await issuer.token()), 401, 'the assertion itself is no token');
    equal(gateway.seen.length, 2);
  });

  // A well-kept client library, which is strict, in the IdP's place.
  const OPERATOR = 'operator-code', CALLBACK = 'https://idp.acme.example/callback', ISSUER = 'https://scim.acme.example/scim/v2';
  const strict = () => {
    const secret = { sha256: sha256(CLIENT_SECRET), expires: '2099-12-31' };
    const own = { issuer: 'signer', subject: 'signer', audience: ISSUER, algorithms: ['ES256'], keys: { keys: [publicKey(TWO)] } };
    return {
      authorization: {
        key: '${GRANT_KEY}',
        clients: [
          { name: 'by-code', client_id: 'portal', secret, redirect_uris: [CALLBACK] },
          { name: 'by-key', client_id: 'signer', assertion: own },
        ],
        operator: { sha256: sha256(OPERATOR), expires: '2099-12-31' },
      },
    };
  };
  play('a strict client gets tokens by code, by refresh and by its own key', strict, async (gateway) => {
    const home = (url) => String(url).replace('https://scim.acme.example', gateway.origin);
    const options = { [oauth.customFetch]: (url, init) => fetch(home(url), init) };
    const issuer = new URL(ISSUER);
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }));
    const client = { client_id: 'portal' }, proof = oauth.ClientSecretBasic(CLIENT_SECRET);
    const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState();

    const page = new URL(server.authorization_endpoint);
    const parameters = { client_id: 'portal', redirect_uri: CALLBACK, response_type: 'code', state, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
    for (const [name, value] of Object.entries(parameters)) page.searchParams.set(name, value);
    const shown = await fetch(home(page));
    equal(shown.status, 200);
    const fields = [...(await shown.text()).matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name, value]) => [name, value]);
    const allow = (operator, decision) => fetch(home(server.authorization_endpoint), { method: 'POST', redirect: 'manual', body: new URLSearchParams([...fields, ['operator', operator], ['decision', decision]]) });
    equal((await allow('guess', 'allow')).status, 403);
    const denied = await allow('', 'deny');
    throws(() => oauth.validateAuthResponse(server, client, new URL(denied.headers.get('location')), state), { error: 'access_denied' });
    const allowed = await allow(OPERATOR, 'allow');
    const callback = oauth.validateAuthResponse(server, client, new URL(allowed.headers.get('location')), state);

    const redeem = async (pkce = verifier, as = proof) => oauth.processAuthorizationCodeResponse(server, client, await oauth.authorizationCodeGrantRequest(server, client, as, callback, CALLBACK, pkce, options));
    await rejects(redeem(oauth.generateRandomCodeVerifier()), { error: 'invalid_grant' });
    await rejects(redeem(verifier, oauth.ClientSecretBasic('guess')), { status: 401 });
    const first = await redeem();
    equal(await gateway.get(first.access_token), 200);
    const renew = async (token) => oauth.processRefreshTokenResponse(server, client, await oauth.refreshTokenGrantRequest(server, client, proof, token, options));
    const second = await renew(first.refresh_token);
    equal(await gateway.get(second.access_token), 200);
    await rejects(renew(first.access_token), { error: 'invalid_grant' });
    equal(await gateway.get(first.refresh_token), 401, 'a refresh token is no access token');

    const signer = { client_id: 'signer' };
    const key = await crypto.subtle.importKey('jwk', TWO, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const credentials = async (key) => oauth.processClientCredentialsResponse(server, signer, await oauth.clientCredentialsGrantRequest(server, signer, oauth.PrivateKeyJwt(key), {}, options));
    equal(await gateway.get((await credentials({ key, kid: 'two' })).access_token), 200);
    const { privateKey: strange } = await oauth.generateKeyPair('ES256');
    await rejects(credentials({ key: strange, kid: 'two' }), { status: 401 });
    equal(gateway.seen.length, 3);
  });

  // What the provider is shown: a token that the gateway fetches as a client of the OpenID provider.
  const anybody = () => ({ accept: [{ bearer: { name: 'idp', sha256: sha256('idp'), expires: '2099-12-31' } }] });
  const secret = { client_secret: '${CLIENT_SECRET}' };
  const clients = {
    'by-basic': () => secret,
    'by-body': () => ({ ...secret, auth: 'body' }),
    'by-key': (issuer) => ({ private_key: '${CLIENT_KEY}', key_id: 'own', assertion_audience: issuer }),
  };
  const fetched = (client_id, resource) => (issuer) => ({ oauth: { token_url: `${issuer}/token`, client_id, scope: 'scim', resource, ...clients[client_id](issuer) } });
  const grantsOf = (issuer) => issuer.asked.filter((what) => what === 'POST /token').length;
  const right = async ({ seen }, issuer, client_id) => {
    const keys = createRemoteJWKSet(new URL(`${issuer.issuer}/jwks`));
    for (const shown of new Set(seen)) {
      const { payload } = await jwtVerify(shown.replace(/^Bearer /, ''), keys, { issuer: issuer.issuer, audience: 'scim', clockTolerance: 120 });
      deepEqual([payload.client_id, payload.scope], [client_id, 'scim']);
    }
  };
  for (const client of Object.keys(clients)) {
    play(`a token for the provider, as the client ${client}: one for many`, anybody, async (gateway, issuer) => {
      deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => gateway.get('idp')))), new Set([200]));
      equal(await gateway.get('idp'), 200);
      equal(await gateway.get('other'), 401);
      deepEqual([gateway.seen.length, grantsOf(issuer)], [21, 1]);
      await right(gateway, issuer, client);
    }, fetched(client, 'urn:scim'));
  }
  play('a token for the provider is renewed before it ends, and none is fetched where that fails', anybody, async (gateway, issuer) => {
    for (const how of ['down', 'slow', 'html', 'error', 'empty']) {
      issuer.fail(how);
      equal(await gateway.get('idp'), 503, how);
      await gateway.advance(AFTER_PAUSE);
    }
    equal(gateway.seen.length, 0);
    issuer.fail('none');
    const before = grantsOf(issuer);
    equal(await gateway.get('idp'), 200);
    issuer.fail('down');
    equal(await gateway.get('idp'), 200, 'what is there is used');
    issuer.fail('none');
    await gateway.advance(11_000);
    equal(await gateway.get('idp'), 200);
    deepEqual([new Set(gateway.seen).size, grantsOf(issuer) - before], [2, 2]);
    await right(gateway, issuer, 'by-basic');
  }, fetched('by-basic', 'urn:short'));
}
