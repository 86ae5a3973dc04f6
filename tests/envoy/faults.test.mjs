// When something fails: the provider, Envoy's own limits, the VM. Every answer is a SCIM error, and nothing half done passes.

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { get as fetchText } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';

import { send, send2 } from './client.mjs';
import { freePort } from './envoy.mjs';
import { reply } from './provider.mjs';
import { JSON_BODY, TOKEN, USERS, isScimError, start, stored, until, user } from './setup.mjs';

const MIB = 2 ** 20;
let gateway, port, provider;
before(async () => { gateway = await start({ limits: { time: '2s' } }); ({ port, provider } = gateway); });
after(() => gateway.stop());
beforeEach(() => { provider.seen.length = 0; provider.answer = reply(200, stored('1')); });

const get = (more = {}) => ({ method: 'GET', path: `${USERS}/1`, headers: [TOKEN], ...more });
const post = (body, more = {}) => ({ method: 'POST', path: USERS, headers: [TOKEN, JSON_BODY], body, ...more });

test('a provider that does not answer in time: 504', async () => {
  provider.answer = () => {};
  const begin = Date.now();
  isScimError(await send(port, get()), 504);
  ok(Date.now() - begin < 10_000);
});

test('a provider that breaks the connection: 502', async () => {
  provider.answer = (_, response) => response.destroy();
  isScimError(await send(port, get()), 502);
});

test('a provider that breaks off in the middle of an answer: never half an answer', async () => {
  provider.answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/scim+json', 'content-length': 500 });
    response.write('{"id":"1"');
    setTimeout(() => response.destroy(), 100);
  };
  const answer = await send(port, get());
  ok(answer.status >= 500, String(answer.status));
  isScimError(answer, answer.status);
});

test('a provider that stalls in the middle of an answer: never half an answer, and in time', async () => {
  provider.answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/scim+json', 'content-length': 500 });
    response.write('{"id":"1"');
  };
  const begin = Date.now();
  const answer = await send(port, get());
  isScimError(answer, answer.status);
  ok(answer.status >= 500 && Date.now() - begin < 10_000);
});

test('a cluster that Envoy does not have: 502', async () => {
  const lost = await start({ name: 'entra-to-leanix', change: ({ clusters }) => {
    clusters[0].name = clusters[0].load_assignment.cluster_name = 'other';
  } });
  try {
    isScimError(await send(lost.port, get()), 502);
    const beside = await send(lost.port, { method: 'PUT', path: `${USERS}/1`, headers: [TOKEN, JSON_BODY], body: JSON.stringify(user()) });
    isScimError(beside, 500);
    match(lost.envoy.log.text, /dispatch_http_call/);
    ok(!lost.envoy.log.text.includes('panicked'), lost.envoy.log.text);
  } finally {
    await lost.stop();
  }
});

test('what the provider itself says with 503 or 504 is not taken for Envoy\'s word', async () => {
  for (const status of [503, 504]) {
    provider.answer = reply(status, { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), detail: 'maintenance' }, { 'retry-after': '7' });
    const answer = await send(port, get());
    ok(answer.status >= 500);
    equal(provider.seen.length, 1);
    provider.seen.length = 0;
  }
});

test('a redirect is not followed and not passed on', async () => {
  provider.answer = reply(302, { a: 1 }, { location: 'http://evil.example/' });
  const answer = await send(port, get());
  isScimError(answer, 502);
  equal(answer.headers.has('location'), false);
  equal(provider.seen.length, 1);
});

test('a provider that is down: 502, whether the request went through the stream or beside it', async () => {
  const down = await start({ name: 'entra-to-leanix' });
  try {
    await down.provider.stop();
    const replace = { method: 'PUT', path: `${USERS}/1`, headers: [TOKEN, JSON_BODY], body: JSON.stringify(user()) };
    for (const request of [get(), replace]) {
      const answer = await send(down.port, request);
      isScimError(answer, 502);
      match(answer.json.detail, /cannot be reached/);
    }
  } finally {
    await down.envoy.stop();
  }
});

test('a body over the limit of the configuration: 413', async () => {
  const body = Buffer.alloc(2 * MIB, 0x20);
  for (const chunked of [false, true]) isScimError(await send(port, post(body, { chunked })), 413);
  equal(provider.seen.length, 0);
});

test('a body over Envoy\'s own limit: 413 as a SCIM error, and the provider sees nothing', async () => {
  const small = await start({ change: ({ listener, manager }) => {
    listener.per_connection_buffer_limit_bytes = 65_536;
    manager.http2_protocol_options = { initial_stream_window_size: 65_536, initial_connection_window_size: 65_536 };
  } });
  try {
    for (const chunked of [false, true]) isScimError(await send(small.port, post(Buffer.alloc(300_000, 0x20), { chunked })), 413);
    isScimError(await send2(small.port, post(Buffer.alloc(300_000, 0x20))), 413);
    equal(small.provider.seen.length, 0);
    small.provider.answer = reply(200, stored('1', { nickName: 'x'.repeat(300_000) }));
    const answer = await send(small.port, get());
    isScimError(answer, answer.status);
    ok(answer.status >= 500);
  } finally {
    await small.stop();
  }
});

test('a response of several megabytes passes', async () => {
  const nickName = 'x'.repeat(5 * MIB);
  provider.answer = reply(200, stored('1', { nickName }));
  const answer = await send(port, get());
  equal(answer.status, 200);
  equal(answer.json.nickName.length, nickName.length);
});

test('what Envoy refuses before the filter is a SCIM error too', async () => {
  isScimError(await raw('GET /scim/v2/Users HTTP/1.1\r\nno colon\r\n\r\n'), 400);
  isScimError(await raw('POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'), 400);
});

test('a body that Envoy holds back, because the plugin lacks the flag, is refused and never hangs', async () => {
  const wrong = await start({ change: ({ plugin }) => { delete plugin.allow_on_headers_stop_iteration; } });
  try {
    wrong.provider.answer = reply(200, stored('1'));
    isScimError(await send(wrong.port, post(JSON.stringify(user()), { patience: 40_000 })), 408);
    equal(wrong.provider.seen.length, 0);
  } finally {
    await wrong.stop();
  }
});

test('an IdP that hangs up leaves the filter healthy and the exchange on record', async () => {
  provider.answer = (_, response) => setTimeout(() => reply(200, stored('1'))(_, response), 300);
  const audits = () => gateway.envoy.log.text.split('\n').filter((line) => line.includes('wasm log') && line.includes('{')).length;
  const count = audits();
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${USERS}/1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test\r\n\r\n`);
  await until(() => provider.seen.length === 1, 'the request at the provider');
  socket.destroy();
  await until(() => audits() === count + 1, 'the audit line');
  provider.answer = reply(200, stored('1'));
  equal((await send(port, get())).status, 200);
});

test('many requests at once, good and bad, do not mix', async () => {
  provider.answer = (seen, response) => reply(200, stored(seen.url.split('/').at(-1)))(seen, response);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => {
    const request = get({ path: `${USERS}/${index}`, headers: index % 4 === 0 ? [] : [TOKEN] });
    return send(port, request);
  }));
  answers.forEach((answer, index) => {
    if (index % 4 === 0) isScimError(answer, 401);
    else deepEqual([answer.status, answer.json.id], [200, String(index)]);
  });
});

test('metrics are counted under their names', async () => {
  const admin = freePort();
  const watched = await start({ change: ({ made }) => { made.admin = { address: { socket_address: { address: '127.0.0.1', port_value: admin } } }; } });
  try {
    watched.provider.answer = reply(200, stored('1'));
    await send(watched.port, get());
    await send(watched.port, get({ headers: [] }));
    const stats = await new Promise((resolve, reject) => {
      fetchText(`http://127.0.0.1:${admin}/stats?filter=scimlock_`, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve(text));
      }).on('error', reject);
    });
    match(stats, /scimlock_requests.*route=directory.*: 1/);
    const [, used] = stats.match(/scimlock_access_last_used.*: (\d+)/);
    ok(Math.abs(used - Date.now() / 1000) < 60, stats);
    equal(stats.match(/access_last_used/g).length, 1, 'not of what was refused');
  } finally {
    await watched.stop();
  }
});

async function raw(text) {
  return new Promise((resolve, reject) => {
    const received = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => received.push(data)).on('error', reject);
    socket.on('data', () => setTimeout(() => socket.end(), 100)).on('close', () => {
      const all = Buffer.concat(received);
      const [head, body = ''] = all.toString('utf8').split('\r\n\r\n');
      const headers = new Map(head.split('\r\n').slice(1).map((line) => [line.split(': ')[0], line.split(': ')[1]]));
      resolve({ status: Number(head.split(' ')[1]), headers, body: all, text: body, get json() { return JSON.parse(body); } });
    });
  });
}
