// The gateway's own credential in Envoy: tokens are fetched once for all workers, kept in shared data, and renewed in mid-stream.

import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';

import { send } from './client.mjs';
import { example, freePort, startEnvoy, validate } from './envoy.mjs';
import { reply, startProvider } from './provider.mjs';
import { JSON_BODY, PLAIN, SECRETS, TOKEN, USERS, isScimError, stored, user } from './setup.mjs';

const OAUTH = { token_url: 'https://login.example/token', client_id: 'scimlock', client_secret: '${PROVIDER_TOKEN}' };
const TOKENS = (...tokens) => (_, response) => reply(200, { access_token: tokens.length > 1 ? tokens.shift() : tokens[0], expires_in: 3600 })(_, response);

function config({ oauth = OAUTH, clusters = { 'app.example': 'provider', 'login.example': 'issuer' }, limits } = {}) {
  const made = example(PLAIN, 'scimlock.yaml');
  const [route] = Object.values(made.routes);
  route.provider.credential = { oauth };
  made.envoy = { clusters };
  return limits ? { ...made, limits } : made;
}

/** Envoy with two workers, a provider and an issuer. */
async function begin(t, { issuerPort, ...options } = {}) {
  const [provider, issuer] = [await startProvider(), await startProvider()];
  provider.answer = reply(200, stored('1'));
  issuer.answer = TOKENS('fetched');
  const envoy = await startEnvoy({ name: PLAIN, config: config(options), secrets: SECRETS, provider: provider.port, issuer: issuerPort ?? issuer.port, workers: 2 });
  t.after(async () => { await envoy.stop(); await provider.stop(); await issuer.stop(); });
  const authorizations = () => provider.seen.map(({ headers }) => headers.find(([name]) => name === 'authorization')?.[1]);
  return { provider, issuer, port: envoy.port, log: envoy.log, authorizations };
}

const get = { method: 'GET', path: `${USERS}/1`, headers: [TOKEN] };
const post = { method: 'POST', path: USERS, headers: [TOKEN, JSON_BODY], body: JSON.stringify(user()) };

test('many requests on two workers at once: one token is fetched, and all wait for it', async (t) => {
  const { issuer, port, authorizations } = await begin(t);
  issuer.answer = (seen, response) => setTimeout(() => TOKENS('fetched')(seen, response), 700);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => send(port, at % 2 ? get : post)));
  for (const answer of answers) ok([200, 201].includes(answer.status), `${answer.status} ${answer.text}`);
  equal(issuer.seen.length, 1);
  equal(authorizations().filter((value) => value === 'Bearer fetched').length, 40);
});

test('a token that is refused is fetched anew, and the write goes once more with the same bytes', async (t) => {
  const { provider, issuer, port, authorizations } = await begin(t);
  issuer.answer = TOKENS('fetched-1', 'fetched-2');
  provider.answer = (seen, response) => {
    const fresh = seen.headers.some(([, value]) => value === 'Bearer fetched-2');
    reply(fresh ? 201 : 401, fresh ? stored('1') : { detail: 'x'.repeat(100_000) })(seen, response);
  };
  const answer = await send(port, post);
  equal(answer.status, 201, answer.text);
  equal(answer.json.id, '1');
  equal(authorizations().join(), 'Bearer fetched-1,Bearer fetched-2');
  equal(provider.seen[0].body.toString(), provider.seen[1].body.toString());
  equal(issuer.seen.length, 2);
});

test('a token endpoint that is down, slow, wrong: 503 with the reason, and the provider sees nothing', async (t) => {
  const down = await begin(t, { issuerPort: freePort() });
  const refused = await send(down.port, post);
  isScimError(refused, 503);
  match(refused.json.detail, /login\.example cannot be reached; nothing was sent/);
  equal(down.provider.seen.length, 0);

  const { provider, issuer, port } = await begin(t, { limits: { time: '2s' } });
  issuer.answer = () => {};
  const start = Date.now();
  const late = await send(port, post);
  isScimError(late, 503);
  match(late.json.detail, /login\.example did not answer in time/);
  ok(Date.now() - start < 10_000);
  // Nobody tries for a second after that.
  await new Promise((later) => setTimeout(later, 1_100));
  issuer.answer = reply(200, '<html>', { 'content-type': 'text/html' });
  match((await send(port, post)).json.detail, /something else than a token/);
  equal(provider.seen.length, 0);
});

test('a token endpoint without a cluster is refused when Envoy starts', async () => {
  const { ok: good, log } = await validate({ name: PLAIN, config: config({ clusters: { 'app.example': 'provider' } }), secrets: SECRETS });
  equal(good, false);
  match(log, /SL0305.*credential\/oauth\/token_url.*the host `login\.example` has no Envoy cluster/);
});
