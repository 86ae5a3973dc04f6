// The gateway in JavaScript: what it sends, and how every failure ends in a SCIM error.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { ConfigError, createGateway } from 'scimlock';

import { AUTHORIZED, SECRETS, USER, configFor, reply, startProvider } from './support.mjs';

const URL_OF_USER = 'https://scim.example/scim/v2/Users/42';
const POST = { method: 'POST', headers: { ...AUTHORIZED, 'content-type': 'application/scim+json' }, duplex: 'half' };

process.on('unhandledRejection', (error) => { throw error; });

async function start(t, listener, { limits, ...options } = {}) {
  const provider = await startProvider(t, listener);
  const audit = [];
  const gateway = await createGateway(configFor(provider.origin, limits), { secrets: SECRETS, onAudit: (line) => audit.push(JSON.parse(line)), ...options });
  const get = (init = {}) => gateway.fetch(new Request(URL_OF_USER, { headers: AUTHORIZED, ...init }));
  const post = (body, init = {}) => gateway.fetch(new Request('https://scim.example/scim/v2/Users', { ...POST, body, ...init }));
  return { ...provider, gateway, audit, get, post };
}

async function assertError(response, ...statuses) {
  const body = await response.json();
  assert.ok(statuses.includes(response.status), `${response.status} is none of ${statuses}: ${JSON.stringify(body)}`);
  assert.deepEqual(body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error']);
  assert.equal(body.status, String(response.status));
  assert.match(response.headers.get('content-type'), /^application\/scim\+json/);
  return body;
}

test('a request reaches the provider with its credential and comes back', async (t) => {
  const { requests, get, audit } = await start(t);
  const response = await get();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal((await response.json()).userName, USER.userName);
  const [{ method, url, headers }] = requests;
  assert.deepEqual([method, url], ['GET', '/api/Users/42']);
  assert.equal(headers.authorization, 'Bearer provider-secret');
  assert.equal(headers['accept-encoding'], 'identity');
  assert.equal(headers.cookie, undefined);
  assert.equal(audit.length, 1);
});

test('many exchanges at a time do not mix', async (t) => {
  const { gateway } = await start(t, (request, response) => {
    const id = request.url.split('/').at(-1);
    setTimeout(() => reply(response, 200, { ...USER, id, userName: `u${id}` }), Math.random() * 30);
  });
  await Promise.all(Array.from({ length: 60 }, async (_, id) => {
    const response = await gateway.fetch(new Request(`https://scim.example/scim/v2/Users/${id}`, { headers: AUTHORIZED }));
    assert.equal((await response.json()).userName, `u${id}`);
  }));
});

// Node 20 crashes when its compiler inlines calls into the engine, which it does once they are hot.
test('a long run survives the optimising compiler', async () => {
  const body = new TextEncoder().encode(JSON.stringify({ ...USER, id: undefined }));
  const fetch = async () => new Response(JSON.stringify(USER), { status: 201, headers: { 'content-type': 'application/scim+json' } });
  const gateway = await createGateway(configFor('http://127.0.0.1:9'), { secrets: SECRETS, onAudit: () => {}, fetch });
  const headers = Object.entries({ ...AUTHORIZED, 'content-type': 'application/scim+json', host: 'x', 'content-length': String(body.length) });
  for (let count = 0; count < 6000; count += 1) {
    assert.equal((await gateway.handle({ method: 'POST', path: '/scim/v2/Users', headers, body })).status, 201);
  }
});

test('redirects are not followed', async (t) => {
  const other = await startProvider(t);
  const { requests, get } = await start(t, (request, response) => response.writeHead(302, { location: other.origin }).end());
  await assertError(await get(), 502);
  assert.equal(requests.length, 1);
  assert.equal(other.requests.length, 0);
});

const failures = {
  'that never answers': [() => {}, 504],
  'that stops in the middle of its answer': [(_, response) => response.writeHead(200, { 'content-type': 'application/scim+json' }).write('{"id"'), 504],
  'that breaks the connection': [(request) => request.socket.destroy(), 502, 504],
  'that breaks off in the middle of its answer': [(request, response) => response.writeHead(200, { 'content-length': 99 }).write('{', () => request.socket.destroy()), 502, 504],
  'that speaks no HTTP': [(request) => request.socket.end('no\r\n\r\n'), 502, 504],
  'whose answer is too large': [(_, response) => response.writeHead(200, { 'content-type': 'application/scim+json' }).end('x'.repeat(2 << 20)), 502],
};
for (const [what, [listener, ...statuses]] of Object.entries(failures)) {
  test(`a provider ${what} ends in a SCIM error`, async (t) => {
    const { get } = await start(t, listener, { limits: { time: '1s', response: '1MiB' } });
    await assertError(await get(), ...statuses);
  });
}

test('a provider that is not there ends in a SCIM error', async () => {
  const server = createServer();
  const port = await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
  await new Promise((resolve) => server.close(resolve));
  const gateway = await createGateway(configFor(`http://127.0.0.1:${port}`), { secrets: SECRETS, onAudit: () => {} });
  await assertError(await gateway.fetch(new Request(URL_OF_USER, { headers: AUTHORIZED })), 502, 503);
});

test('a body over the limit is refused, even one without an end', async (t) => {
  const { requests, post } = await start(t);
  await assertError(await post('x'.repeat(2 << 20)), 413);
  let pulled = 0;
  const endless = new ReadableStream({ pull: (controller) => { pulled += 1; controller.enqueue(new Uint8Array(65536)); } });
  await assertError(await post(endless), 413);
  assert.ok(pulled < 100, `${pulled} pieces were read`);
  assert.equal(requests.length, 0);
});

test('a body that breaks off or never comes sends nothing', async (t) => {
  const { requests, post } = await start(t);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
  await assertError(await post(broken), 400);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const answer = post(new ReadableStream({ pull: () => new Promise(() => {}) }));
  await new Promise(setImmediate);
  t.mock.timers.tick(60_001);
  await assertError(await answer, 408);
  assert.equal(requests.length, 0);
});

test('header fields and paths are judged as they came', async (t) => {
  const { requests, gateway } = await start(t);
  const raw = (path, headers) => gateway.handle({ method: 'GET', path, headers });
  const bearer = ['Authorization', 'Bearer test'];
  assert.equal((await raw('/scim/v2/Users/42', [bearer, bearer])).status, 401);
  assert.equal((await raw('/scim/v2/x/../Users/42', [bearer])).status, 400);
  assert.equal((await raw('/scim/v2/Users/4%2f2', [bearer])).status, 400);
  assert.equal((await raw('/scim/v2/Users/\u0394', [bearer])).status, 400);
  const twice = new Headers([['authorization', 'Bearer test'], ['authorization', 'Bearer test']]);
  await assertError(await gateway.fetch(new Request(URL_OF_USER, { headers: twice })), 401);
  assert.equal(requests.length, 0);
});

test('what the host itself throws is a SCIM error that quotes nothing', async (t) => {
  const log = t.mock.method(console, 'error', () => {});
  const { get } = await start(t, undefined, { now: () => { throw new Error('hush'); } });
  const body = await assertError(await get(), 500);
  assert.doesNotMatch(JSON.stringify([body, log.mock.calls.map((call) => call.arguments)]), /hush/);
});

test('an engine that trapped is replaced', async (t) => {
  t.mock.method(console, 'error', () => {});
  const { Instance } = WebAssembly;
  t.after(() => { WebAssembly.Instance = Instance; });
  let traps = 0, instances = 0;
  WebAssembly.Instance = function (module, imports) {
    instances += 1;
    const { exports } = new Instance(module, imports);
    const handle = (...args) => {
      if (traps-- > 0) throw new WebAssembly.RuntimeError('unreachable');
      return exports.handle(...args);
    };
    return { exports: { ...exports, handle } };
  };
  const { get } = await start(t);
  const before = instances;
  traps = 1;
  await assertError(await get(), 500);
  assert.equal((await get()).status, 200);
  assert.equal((await get()).status, 200);
  assert.equal(instances, before + 1);
});

test('a report that is not taken changes no answer', async (t) => {
  t.mock.method(console, 'error', () => {});
  const throws = () => { throw new Error('full'); };
  const { get } = await start(t, undefined, { onAudit: throws, onMetric: throws });
  assert.equal((await get()).status, 200);
});

test('a request id comes from the seed', async (t) => {
  const { gateway } = await start(t, undefined, { seed: () => new Uint8Array(16).fill(0xab) });
  const { detail } = await (await gateway.fetch(new Request(URL_OF_USER))).json();
  assert.match(detail, /\(request (ab){8,}\)$/);
});

test('secrets come from a record or a function', async (t) => {
  const { origin } = await startProvider(t);
  await createGateway(configFor(origin), { secrets: async (name) => SECRETS[name] });
  await createGateway(JSON.stringify(configFor(origin)), { secrets: SECRETS });
  await assert.rejects(createGateway(configFor(origin), { secrets: { IDP_TOKEN: SECRETS.IDP_TOKEN } }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'ERR_SCIMLOCK_CONFIG');
    const [problem] = error.problems;
    assert.equal(problem.pointer, '/routes/main/provider/credential/bearer');
    assert.match(problem.code, /^SL\d{4}$/);
    assert.equal(problem.route, 'main');
    assert.equal(problem.warning, false);
    assert.match(problem.message, /PROVIDER_TOKEN/);
    assert.doesNotMatch(error.message, new RegExp(SECRETS.IDP_TOKEN));
    return true;
  });
});
