// The gateway's own credential in JavaScript: tokens are fetched once for all requests and stay in this process.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createGateway, memoryStore } from 'scimlock';

import { AUTHORIZED, SECRETS, USER, configFor, reply, startProvider } from './support.mjs';

const URL_OF_USER = 'https://scim.example/scim/v2/Users/42';

async function start(t, issue, { limits, listener, ...options } = {}) {
  const provider = await startProvider(t, listener);
  const issuer = await startProvider(t, issue);
  const config = configFor(provider.origin, limits);
  config.routes.main.provider.credential = { oauth: { token_url: `${issuer.origin}/token`, client_id: 'c', client_secret: '${PROVIDER_TOKEN}' } };
  const audit = [], metrics = [];
  const gateway = await createGateway(config, { secrets: SECRETS, onAudit: (line) => audit.push(JSON.parse(line)), onMetric: (metric) => metrics.push(metric.name), ...options });
  return { provider, issuer, audit, metrics, get: () => gateway.fetch(new Request(URL_OF_USER, { headers: AUTHORIZED })) };
}

const token = (response, text, life = 3600) => reply(response, 200, { access_token: text, expires_in: life });

test('many requests at once fetch one token', async (t) => {
  const { provider, issuer, audit, get } = await start(t, (_, response) => setTimeout(() => token(response, 'fetched'), 150));
  const answers = await Promise.all(Array.from({ length: 60 }, get));
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
  assert.equal(issuer.requests.length, 1);
  assert.deepEqual(new Set(provider.requests.map(({ headers }) => headers.authorization)), new Set(['Bearer fetched']));
  assert.equal(audit.filter((record) => record.credential).length, 1);
  assert.deepEqual(audit.find((record) => record.credential).credential, ['POST 200']);
});

test('a token that is refused is fetched anew, once', async (t) => {
  let issued = 0;
  const listener = (request, response) => (request.headers.authorization === 'Bearer fetched-2' ? reply(response, 200, USER) : reply(response, 401, {}));
  const { provider, issuer, metrics, audit, get } = await start(t, (_, response) => token(response, `fetched-${(issued += 1)}`), { listener });
  assert.equal((await get()).status, 200);
  assert.equal((await get()).status, 200);
  assert.equal(issuer.requests.length, 2);
  assert.equal(provider.requests.length, 3);
  assert.equal(metrics.filter((name) => name === 'credential_renewals').length, 1);
  assert.deepEqual(audit[0].provider, ['GET 401', 'GET 200']);
});

test('a token endpoint that is slow or gone: 503, in time, and nothing is sent', async (t) => {
  for (const [issue, expected] of [
    [() => {}, /did not answer in time/],
    [(request) => request.socket.destroy(), /broke the connection/],
    [(_, response) => response.end('no token'), /something else than a token/],
    [(_, response) => reply(response, 400, { error: 'invalid_client' }), /refused it \(400 invalid_client\)/],
  ]) {
    const { provider, get } = await start(t, issue, { limits: { time: '1s' } });
    const answer = await get();
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.match((await answer.json()).detail, expected);
    assert.equal(provider.requests.length, 0);
  }
});

test('what is secret never goes to the store of others', async (t) => {
  const asked = [];
  const store = new Proxy(memoryStore(), { get: (target, name) => (name === 'atomic' ? true : (...args) => { asked.push(name); return target[name](...args); }) });
  const { get } = await start(t, (_, response) => token(response, 'fetched'), { store });
  assert.equal((await get()).status, 200);
  assert.deepEqual(asked, []);
});
