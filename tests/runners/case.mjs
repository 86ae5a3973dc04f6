// The golden cases of this repository: loads `tests/traffic/*/*.json`, plays the IdP and a scripted provider against one host, and compares bytes.
//
// What a case may say and how answers are compared is the package's own: js/src/cli/cases.js. Here, too:
//   config: a folder of examples/; hosts: the runners a case is for (default: all)
// Defaults: `Host: scim.acme.example`. Configurations keep their public provider URLs in cases; the runners put the scripted provider's
// address in their place and back.

import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { createHash } from 'node:crypto';

import { bytesOf, checkCase, compareAnswer, compareCall, mergePatch, pairs, withDefaults } from '../../js/src/cli/cases.js';

const ROOT = new URL('../../', import.meta.url);
const YAML = createRequire(new URL('js/package.json', ROOT))('yaml');

const PATIENCE = 20_000;

/** All cases, sorted; `filter` is a part of their file names. */
export function loadCases(filter = '') {
  const traffic = new URL('tests/traffic/', ROOT);
  const files = readdirSync(traffic, { recursive: true }).filter((file) => file.endsWith('.json')).sort();
  return files
    .filter((file) => file.includes(filter))
    .map((file) => ({ file, ...checkCase(file, JSON.parse(readFileSync(new URL(file, traffic), 'utf8')), ['note', 'config', 'steps']) }));
}

/** An example's configuration as an object, its provider URLs pointing at `provider` (an origin); and how to name them back. */
export function loadConfig(name, provider, overrides = {}, patch = {}, issuer = provider) {
  const config = mergePatch(YAML.parse(readExample(name)), patch);
  const moved = new Map([[provider, provider], [issuer, issuer]]);
  const move = (url, to) => {
    const { origin } = new URL(url);
    moved.set(to, origin);
    return to + url.slice(origin.length);
  };
  for (const { provider: side } of Object.values(config.routes)) {
    side.url = move(side.url, provider);
    const oauth = side.credential?.oauth;
    if (oauth) oauth.token_url = move(oauth.token_url, issuer);
  }
  const [cluster] = Object.values(config.envoy?.clusters ?? {});
  if (cluster) {
    config.envoy.clusters = { [new URL(provider).host]: cluster };
    if (issuer !== provider && moved.get(issuer) !== issuer) config.envoy.clusters[new URL(issuer).host] = 'issuer';
  }
  const places = [...moved].flatMap(([local, own]) => [[local, own], [new URL(local).host, new URL(own).host]]);
  return {
    config: { ...config, ...overrides },
    toLocal: (text) => places.filter((_, at) => at % 2 === 0).reduce((all, [local, own]) => all.replaceAll(own, local), text),
    toPublic: (text) => places.reduce((all, [local, own]) => all.replaceAll(local, own), text),
  };
}

/** The secrets that a configuration names, with their values: the IdP's token is `test`, that of a second one `login`. */
export function secretsOf(config) {
  const digest = (token) => createHash('sha256').update(token).digest('hex');
  const tokens = { SCIM_TOKEN_SHA256: digest('test'), LOGIN_TOKEN_SHA256: digest('login') };
  const names = [...JSON.stringify(config).matchAll(/"\$\{([^}"]+)\}"/g)].map(([, name]) => name);
  const key = () => readFileSync(new URL('tests/keys/rsa.pem', ROOT), 'utf8');
  return Object.fromEntries(names.map((name) => [name, tokens[name] ?? (name.endsWith('_KEY') ? key() : 'provider-secret')]));
}

/** What the host keeps from one case is not to help another one. */
const KEEPS = /"issuer":|x-csrf-token|grant_type|access_tokens/;
const NOW = '2026-01-01T00:00:00Z';

/**
 * Runs all cases against one host and ends the process.
 * `start(setups)` starts the host with `atOnce` configurations at most, each `{ name, config, secrets, provider, issuer, now }`,
 * and answers `{ gateways: [{ port, setNow?(milliseconds) }], stop() }`; `now` is for a host whose clock cannot be set.
 */
export async function run(host, start, atOnce = 1) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const sets = new Map();
  for (const one of loadCases(process.argv[2])) {
    if (one.hosts && !one.hosts.includes(host)) { count.skipped += 1; continue; }
    // A provider that does not answer is waited for: give those cases a short deadline of their own.
    const slow = one.steps.some((step) => (step.provider ?? step.issuer)?.fault === 'timeout');
    const own = KEEPS.test(JSON.stringify(one.steps)) ? one.file : '';
    const key = JSON.stringify([one.config, one.with, slow, one.now, own]);
    sets.set(key, { slow, cases: [...(sets.get(key)?.cases ?? []), one] });
  }
  const waiting = [...sets.values()];
  while (waiting.length > 0) {
    const some = waiting.splice(0, atOnce);
    for (const set of some) await prepare(set);
    let running;
    try {
      running = await start(some.map(({ setup }) => setup));
      for (const [at, { cases, provider, loaded }] of some.entries()) {
        for (const one of cases) {
          const problems = await play(one, running.gateways[at], provider, loaded).catch((error) => [error.stack]);
          count[problems.length === 0 ? 'passed' : 'failed'] += 1;
          if (problems.length > 0) console.log(`FAILED ${one.file}: ${one.note}\n${problems.map((line) => `  ${line}`).join('\n')}`);
        }
      }
    } catch (error) {
      count.failed += some.flatMap(({ cases }) => cases).length;
      console.log(`FAILED to start: ${error.stack}`);
    }
    await running?.stop();
    for (const { provider } of some) await provider.stop();
  }
  console.log(`${host}: ${count.passed} passed, ${count.failed} failed${count.skipped ? ` (${count.skipped} are for other hosts)` : ''}`);
  process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1);
}

/** A provider and a configuration for the cases of a set. */
async function prepare(set) {
  const [{ config: name, with: patch, now = NOW }] = set.cases;
  const provider = await startProvider();
  const loaded = loadConfig(name, provider.origin, set.slow ? { limits: { time: '1s' } } : {}, patch, provider.issuer);
  const { config } = loaded;
  const setup = { name, config, secrets: secretsOf(config), provider: portOf(provider.origin), issuer: portOf(provider.issuer), now: Date.parse(now) };
  Object.assign(set, { provider, loaded, setup });
}

const portOf = (url) => Number(new URL(url).port);

async function play(one, gateway, provider, { toLocal, toPublic }) {
  const problems = [];
  provider.begin(toLocal, toPublic, problems);
  await gateway.setNow?.(Date.parse(one.now ?? NOW));
  const steps = [...one.steps];
  let answer;
  while (steps.length > 0) {
    const step = steps.shift();
    if (step.now && !gateway.setNow) return ['the clock of this host cannot be set: say `hosts`'];
    if (step.now) await gateway.setNow(Date.parse(step.now));
    if (step.provider || step.issuer) continue;
    if (!step.idp.expect) {
      const next = steps.findIndex((later) => later.idp);
      provider.script(steps.slice(0, next < 0 ? steps.length : next).map((later) => later.provider ?? { side: 'issuer', ...later.issuer }));
      answer = exchange(gateway.port, step.idp).catch((error) => ({ error }));
      continue;
    }
    const got = await answer;
    if (got.error) problems.push(`no answer: ${got.error.message}`);
    else compareAnswer(step.idp.expect, got, toPublic, (what, wanted, seen) => problems.push(`to the IdP: ${what}: expected ${wanted}, got ${seen}`));
    for (const left of provider.script([])) problems.push(`never sent to the provider: ${left.expect.method} ${left.expect.path}`);
  }
  provider.end();
  return problems;
}

/** Sends one request with exactly these bytes and reads the answer. */
function exchange(port, { method, path, headers, chunks, ...content }) {
  const body = bytesOf(content);
  const fields = withDefaults(headers, content);
  const names = fields.map(([name]) => name.toLowerCase());
  if (!names.includes('host')) fields.unshift(['host', 'scim.acme.example']);
  if (body && !names.includes('content-length') && !names.includes('transfer-encoding')) {
    fields.push(chunks ? ['transfer-encoding', 'chunked'] : ['content-length', String(body.length)]);
  }
  fields.push(['connection', 'close']);
  const head = `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return new Promise((resolve, reject) => {
    const received = [];
    const socket = connect(port, '127.0.0.1', async () => {
      socket.write(Buffer.from(head, 'latin1'));
      for (const piece of body ? pieces(body, chunks) : []) {
        if (!socket.writable) break;
        socket.write(piece);
        if (chunks) await new Promise((tick) => setTimeout(tick, 1));
      }
    });
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error('timed out')));
    socket.on('data', (data) => received.push(data));
    // A host may close while the rest of a refused body is still on its way.
    socket.on('error', (error) => (received.length > 0 ? finish() : reject(error)));
    socket.on('close', finish);
    function finish() {
      try { resolve(parseResponse(Buffer.concat(received), method)); } catch (error) { reject(error); }
    }
  });
}

function parseResponse(bytes, method) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('the answer has no complete head');
  const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
  const field = (name) => headers.find(([known]) => known === name)?.[1];
  let rest = bytes.subarray(end + 4);
  if (field('transfer-encoding') === 'chunked') rest = dechunk(rest);
  else if (method !== 'HEAD' && status !== 304 && rest.length !== Number(field('content-length') ?? rest.length)) {
    throw new Error(`content-length is ${field('content-length')}, but ${rest.length} bytes came`);
  }
  return { status, headers, body: rest };
}

function dechunk(bytes) {
  const parts = [];
  for (;;) {
    const line = bytes.indexOf('\r\n');
    const size = parseInt(bytes.subarray(0, line).toString('latin1'), 16);
    if (line < 0 || Number.isNaN(size)) throw new Error('the answer breaks off');
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    bytes = bytes.subarray(line + 2 + size + 2);
  }
}

/** A provider and an issuer of tokens that expect scripted requests and answer them with scripted replies. */
async function startProvider() {
  let steps = [], problems = [], toLocal, toPublic;
  const held = new Set();
  const listener = (side) => async (request, response) => {
    const received = [];
    try { for await (const piece of request) received.push(piece); } catch { return; }
    const label = `${request.method} ${request.url}`;
    const step = steps.shift();
    if ((step?.side ?? 'provider') !== side || !step) {
      problems.push(`unexpected request to the ${side}: ${label}`);
      response.writeHead(599).end();
      return;
    }
    const say = (what, wanted, got) => problems.push(`to the ${side}: ${what}: expected ${wanted}, got ${got}`);
    const { method, url: path, rawHeaders } = request;
    compareCall(step.expect, { method, path, headers: pairs(rawHeaders), body: Buffer.concat(received) }, toPublic, say);
    if (step.fault === 'timeout') return void held.add(request.socket);
    if (step.fault === 'reset') return void request.socket.resetAndDestroy();
    if (step.fault === 'garbage') return void request.socket.end('this is not HTTP\r\n\r\n');
    const { status, headers, chunks, ...content } = step.reply;
    const body = localBytes(content, toLocal);
    const fields = withDefaults(headers, content).map(([name, value]) => [name, toLocal(value)]);
    if (body && !chunks) fields.push(['content-length', String(body.length)]);
    response.writeHead(status, fields.flat());
    if (body && chunks) for (let at = 0; at < body.length; at += chunks) response.write(body.subarray(at, at + chunks));
    response.end(chunks ? undefined : body);
  };
  const servers = ['provider', 'issuer'].map((side) => createServer({ keepAliveTimeout: 60_000 }, listener(side)));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const [origin, issuer] = servers.map((server) => `http://127.0.0.1:${server.address().port}`);
  return {
    origin,
    issuer,
    begin: (local, open, list) => { [toLocal, toPublic, problems] = [local, open, list]; },
    script: (next) => { const left = steps; steps = [...next]; return left; },
    end: () => { for (const socket of held) socket.destroy(); held.clear(); steps = []; },
    stop: () => Promise.all(servers.map((server) => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }))),
  };
}

function localBytes(content, toLocal) {
  const body = bytesOf(content);
  return body && content.base64 === undefined ? Buffer.from(toLocal(body.toString())) : body;
}

function* pieces(body, chunks) {
  if (!chunks) return yield body;
  for (let at = 0; at < body.length; at += chunks) {
    const part = body.subarray(at, at + chunks);
    yield Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
  }
  yield Buffer.from('0\r\n\r\n');
}

function readExample(name) {
  for (const file of ['scimlock.yaml', 'scimlock.json']) {
    try { return readFileSync(new URL(`examples/${name}/${file}`, ROOT), 'utf8'); } catch { /* the next one */ }
  }
  throw new Error(`examples/${name} has no scimlock.yaml and no scimlock.json`);
}
