// What may cross the boundary in the real Envoy, and what may not: held heads, trailers, bytes, lengths, header fields, clusters.

import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { send, send2 } from './client.mjs';
import { reply } from './provider.mjs';
import { BASE, JSON_BODY, TOKEN, USERS, isScimError, start, stored, until, user } from './setup.mjs';

let gateway, port, provider;
before(async () => { gateway = await start(); ({ port, provider } = gateway); });
after(() => gateway.stop());
beforeEach(() => { provider.seen.length = 0; provider.answer = reply(200, stored('1')); });

const put = (more = {}) => ({ method: 'PUT', path: `${USERS}/1`, headers: [TOKEN, JSON_BODY], body: JSON.stringify(user()), ...more });
const get = (more = {}) => ({ method: 'GET', path: `${USERS}/1`, headers: [TOKEN], ...more });
const field = ({ headers }, name) => headers.filter(([known]) => known === name).map(([, value]) => value);

test('a request goes to the provider in the gateway\'s name and comes back in the provider\'s words', async () => {
  const answer = await send(port, put());
  equal(answer.status, 200, answer.text);
  equal(answer.json.meta.location, 'https://scim.acme.example/scim/v2/Users/1');
  const [seen] = provider.seen;
  equal(seen.method, 'PUT');
  equal(seen.url, `${BASE}/Users/1`);
  deepEqual(field(seen, 'host'), ['app.example']);
  deepEqual(field(seen, 'authorization'), ['Bearer provider-secret']);
  deepEqual(JSON.parse(seen.body), user());
});

test('nothing leaves before the last byte of the body was judged', async () => {
  const { connect } = await import('node:net');
  const body = JSON.stringify(user());
  const socket = connect(port, '127.0.0.1');
  socket.write(`PUT ${USERS}/1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test\r\ncontent-type: application/scim+json\r\ncontent-length: ${body.length}\r\n\r\n`);
  for (const piece of [body.slice(0, 10), body.slice(10, -1)]) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 150));
    equal(provider.seen.length, 0);
  }
  socket.write(body.slice(-1));
  await until(() => provider.seen.length === 1, 'the request');
  deepEqual(JSON.parse(provider.seen[0].body), user());
  socket.destroy();
});

for (const [what, broken] of [['a body cut off', '{"userName":'], ['a body that is no JSON', 'hello'], ['a duplicate member', '{"userName":"a","userName":"b"}']]) {
  test(`${what} is refused and the provider sees nothing`, async () => {
    for (const chunked of [false, true]) isScimError(await send(port, put({ body: broken, chunked })), 400);
    isScimError(await send2(port, put({ body: broken, trailers: { 'x-more': '1' } })), 400);
    equal(provider.seen.length, 0);
  });
}

test('HTTP/2 trailers end a request: its body is mapped and the trailers stay here', async () => {
  const answer = await send2(port, put({ trailers: { 'x-more': '1', authorization: 'Bearer test' } }));
  equal(answer.status, 200, answer.text);
  const [seen] = provider.seen;
  deepEqual(JSON.parse(seen.body), user());
  deepEqual(field(seen, 'content-length'), [String(seen.body.length)]);
  deepEqual(seen.trailers, []);
});

test('a gzip body behind Envoy\'s decompressor, which adds trailers, is mapped too', async () => {
  const behind = await start({
    change: ({ manager }) => manager.http_filters.unshift({
      name: 'envoy.filters.http.decompressor',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.decompressor.v3.Decompressor',
        decompressor_library: { name: 'gzip', typed_config: { '@type': 'type.googleapis.com/envoy.extensions.compression.gzip.decompressor.v3.Gzip' } },
      },
    }),
  });
  try {
    behind.provider.answer = reply(200, stored('1'));
    const answer = await send(behind.port, put({ headers: [TOKEN, JSON_BODY, ['content-encoding', 'gzip']], body: gzipSync(JSON.stringify(user())) }));
    equal(answer.status, 200, answer.text);
    deepEqual(JSON.parse(behind.provider.seen[0].body), user());
    const broken = await send(behind.port, put({ headers: [TOKEN, JSON_BODY, ['content-encoding', 'gzip']], body: gzipSync('{"userName":') }));
    isScimError(broken, 400);
    equal(behind.provider.seen.length, 1);
  } finally {
    await behind.stop();
  }
});

test('trailers of the provider end its answer and stay here', async () => {
  const trailing = await start({ change: ({ clusters }) => {
    const options = Object.values(clusters[0].typed_extension_protocol_options)[0];
    options.explicit_http_config.http_protocol_options = { enable_trailers: true };
  } });
  try {
    trailing.provider.answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/scim+json', trailer: 'x-secret' });
      response.write(JSON.stringify(stored('1')));
      response.addTrailers({ 'x-secret': 'provider' });
      response.end();
    };
    const answer = await send2(trailing.port, get());
    equal(answer.status, 200, answer.text);
    equal(answer.json.meta.location, 'https://scim.acme.example/scim/v2/Users/1');
    equal(answer.trailers?.['x-secret'], undefined);
    equal(answer.headers.get('trailer'), undefined);
  } finally {
    await trailing.stop();
  }
});

test('header bytes that are not UTF-8 harm neither this request nor the next', async () => {
  for (const name of ['x-mode', 'user-agent', 'accept', 'cookie', 'if-match']) {
    const answer = await send(port, get({ headers: [TOKEN, [name, '\xff\xfe']] }));
    ok([200, 400, 406].includes(answer.status), `${name}: ${answer.status} ${answer.text}`);
    equal((await send(port, get())).status, 200, `after ${name}`);
  }
  isScimError(await send(port, get({ headers: [['authorization', 'Bearer \xff']] })), 401);
  ok(!gateway.envoy.log.text.includes('panicked'), gateway.envoy.log.text);
});

test('a provider\'s header bytes that are not UTF-8 do no harm', async () => {
  provider.answer = reply(200, stored('1'), { 'x-mode': Buffer.from([0xff]).toString('latin1'), etag: 'W/"1"' });
  equal((await send(port, get())).status, 200);
});

test('lengths are true when a body grows or shrinks on the way to the IdP', async () => {
  // The gateway's own address is longer than the provider's; a password never comes back.
  for (const [sent, grows] of [[stored('1'), true], [stored('1', { password: 'x'.repeat(99) }), false]]) {
    provider.answer = reply(200, sent);
    const answer = await send(port, get());
    equal(answer.status, 200, answer.text);
    equal(Number(answer.headers.get('content-length')), answer.body.length);
    equal(answer.body.length > JSON.stringify(sent).length, grows);
    ok(!answer.text.includes('xxx'));
  }
});

test('lengths are true when a body shrinks or grows on the way to the provider', async () => {
  const name = 'entra-to-leanix';
  const mapped = await start({ name });
  try {
    mapped.provider.answer = reply(200, { id: '1', schemas: user().schemas });
    const operation = (body) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [body] });
    for (const [method, body, grows] of [
      ['PATCH', operation({ op: 'Replace', path: 'active', value: 'False' }), false],
      ['PUT', user({ active: 'True' }), true],
    ]) {
      mapped.provider.seen.length = 0;
      const text = JSON.stringify(body);
      const answer = await send(mapped.port, put({ method, body: text }));
      equal(answer.status, 200, answer.text);
      const sent = mapped.provider.seen.at(-1);
      equal(sent.method, 'PATCH');
      equal(sent.body.length > text.length, grows, sent.body.toString());
      notEqual(sent.body.length, text.length);
      deepEqual(field(sent, 'content-length'), [String(sent.body.length)]);
      JSON.parse(sent.body);
    }
  } finally {
    await mapped.stop();
  }
});

test('a body that nobody wants is swallowed: the provider gets none', async () => {
  provider.answer = reply(204);
  for (const chunked of [false, true]) {
    provider.seen.length = 0;
    const answer = await send(port, { method: 'DELETE', path: `${USERS}/1`, headers: [TOKEN], body: '{"evil":true}', chunked });
    equal(answer.status, 204, answer.text);
    equal(answer.headers.has('content-length'), false);
    equal(provider.seen[0].body.length, 0);
    ok(['0', undefined].includes(field(provider.seen[0], 'content-length')[0]));
  }
});

test('a HEAD gets no body and does not hang', async () => {
  const answer = await send(port, get({ method: 'HEAD' }));
  equal(answer.body.length, 0);
  isScimErrorHead(await send(port, { method: 'HEAD', path: `${USERS}/1` }), 401);
});

test('204 and 304 pass without a body', async () => {
  provider.answer = reply(204);
  const deleted = await send(port, { method: 'DELETE', path: `${USERS}/1`, headers: [TOKEN] });
  equal(deleted.status, 204);
  equal(deleted.body.length, 0);
  provider.answer = reply(304, undefined, { etag: 'W/"1"' });
  const unchanged = await send(port, get({ headers: [TOKEN, ['if-none-match', 'W/"1"']] }));
  equal(unchanged.status, 304, unchanged.text);
  equal(unchanged.body.length, 0);
});

test('a wrong token is refused and the provider sees nothing', async () => {
  for (const headers of [[], [['authorization', 'Bearer wrong']], [TOKEN, TOKEN], [['authorization', 'Bearer test, Bearer test']], [['authorization', 'Basic dGVzdA==']]]) {
    for (const request of [get({ headers }), put({ headers: [...headers, JSON_BODY] })]) {
      const answer = await send(port, request);
      isScimError(answer, 401);
      ok(answer.headers.get('www-authenticate').startsWith('Bearer'));
    }
  }
  equal(provider.seen.length, 0);
});

test('only listed header fields reach the provider', async () => {
  const extra = [
    ['cookie', 'session=1'], ['x-forwarded-for', '192.0.2.1'], ['x-forwarded-host', 'evil.example'], ['x-forwarded-proto', 'http'],
    ['forwarded', 'for=192.0.2.1'], ['x-scimlock-cluster', 'evil'], ['x-request-id', '1'],
    ['x-envoy-upstream-rq-timeout-ms', '1'], ['x-envoy-retry-on', '5xx'], ['te', 'trailers'], ['user-agent', 'IdP'], ['x-anything', '1'],
  ];
  equal((await send(port, put({ headers: [TOKEN, JSON_BODY, ...extra] }))).status, 200);
  const allowed = ['host', 'accept', 'accept-encoding', 'authorization', 'content-type', 'content-length', 'if-match', 'if-none-match', 'traceparent'];
  const [seen] = provider.seen;
  deepEqual(seen.headers.filter(([name]) => !allowed.includes(name)), []);
  ok(!JSON.stringify(seen.headers).includes('Bearer test'));
});

test('a field that would change the method is refused', async () => {
  isScimError(await send(port, put({ headers: [TOKEN, JSON_BODY, ['x-http-method-override', 'DELETE']] })), 400);
  equal(provider.seen.length, 0);
});

test('only listed header fields come back', async () => {
  provider.answer = reply(200, stored('1'), { 'set-cookie': 'a=b', server: 'secret/1.0', 'x-powered-by': 'x', etag: 'W/"1"', 'content-encoding': 'identity' });
  const answer = await send(port, get());
  const allowed = ['content-type', 'content-length', 'cache-control', 'etag', 'location', 'date', 'server', 'connection'];
  deepEqual([...answer.headers.keys()].filter((name) => !allowed.includes(name)), []);
  equal(answer.headers.get('server'), 'envoy');
});

test('a cluster named by the client is ignored', async () => {
  const other = await start();
  try {
    other.provider.answer = reply(200, stored('1'));
    for (const value of ['evil', 'provider', '']) {
      const answer = await send(other.port, get({ headers: [TOKEN, ['x-scimlock-cluster', value]] }));
      equal(answer.status, 200, answer.text);
      isScimError(await send(other.port, get({ headers: [['x-scimlock-cluster', value]] })), 401);
    }
    equal(other.provider.seen.length, 3);
  } finally {
    await other.stop();
  }
});

test('targets that could mean two things are refused', async () => {
  for (const path of ['/scim/v2/../x', '/scim/v2//Users', '/scim/v2/Users/%2e%2e/1', '/scim/v2/Users%2f1', '/scim/v2/Users/%00', '/other']) {
    const answer = await send(port, { method: 'GET', path, headers: [TOKEN] });
    ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
    isScimError(answer, answer.status);
  }
  equal(provider.seen.length, 0);
});

test('one audit line an exchange, without values', async () => {
  const lines = () => gateway.envoy.log.text.split('\n').filter((line) => line.includes('wasm log') && line.includes('{'));
  const count = lines().length;
  await send(port, put());
  await send(port, { method: 'GET', path: `${USERS}/1` });
  await until(() => lines().length >= count + 2, 'two audit lines');
  const records = lines().slice(count).map((line) => JSON.parse(line.slice(line.indexOf('{'))));
  equal(records.length, 2);
  ok(!lines().join('\n').includes('mira.osei'));
  ok(!gateway.envoy.log.text.includes('provider-secret'));
});

function isScimErrorHead(answer, status) {
  equal(answer.status, status);
  equal(answer.body.length, 0);
  equal(answer.headers.get('content-type'), 'application/scim+json');
}
