// The golden cases: loads `tests/traffic/*/*.json`, plays the IdP and a scripted provider against one host, and compares bytes.
//
// A case:
//   { note, config, with?, now?, hosts?, steps: [step, …] }
// config: a folder of examples/; with: a JSON merge patch of its configuration; hosts: the runners it is for (default: all)
// A step is one of these, with `now?` (RFC 3339) beside it:
//   { idp: { method, path, headers?, body? | text? | base64?, chunks? } }                    what the IdP sends
//   { provider: { expect: { method, path, headers?, body… }, reply: { status, headers?, body…, chunks? } } }
//   { provider: { expect: …, fault: timeout | reset | garbage } }                            what the provider sees and does
//   { idp: { expect: { status, headers?, body… } } }                                         what the IdP gets back
// headers: an object or a list of pairs (byte strings); in an `expect`, null says that the field must be absent.
// body: JSON, sent and expected as JSON.stringify writes it; text, base64: exact bytes; none of them: no body.
// chunks: send the body in pieces of that many bytes, chunked.
// Defaults: `content-type: application/scim+json` with every `body` that names none; `Host: scim.acme.example`.
// The IdP's answer is compared with `content-type: application/scim+json` (with `body`) and `cache-control: no-store` unless the case
// says otherwise, and carries no field of ENGINE_HEADERS that the case does not name. Request ids read as `ID`.
// Configurations keep their public provider URLs in cases; the runners put the scripted provider's address in their place and back.

import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

const ROOT = new URL('../../', import.meta.url);
const YAML = createRequire(new URL('js/package.json', ROOT))('yaml');

const ENGINE_HEADERS = ['content-type', 'location', 'etag', 'retry-after', 'www-authenticate', 'cache-control', 'allow'];
const HOP_HEADERS = ['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'server', 'x-envoy-upstream-service-time'];
const NEVER_TO_PROVIDER = /^(cookie|x-forwarded-.*|x-http-method.*|x-method-override|x-scimlock-.*|te|trailer)$/;
const PATIENCE = 20_000;

/** All cases, sorted; `filter` is a part of their file names. */
export function loadCases(filter = '') {
  const traffic = new URL('tests/traffic/', ROOT);
  const files = readdirSync(traffic, { recursive: true }).filter((file) => file.endsWith('.json')).sort();
  return files
    .filter((file) => file.includes(filter))
    .map((file) => ({ file, ...checkCase(file, JSON.parse(readFileSync(new URL(file, traffic), 'utf8'))) }));
}

/** An example's configuration as an object, its provider URLs pointing at `provider` (an origin); and how to name them back. */
export function loadConfig(name, provider, overrides = {}, patch = {}) {
  const config = mergePatch(YAML.parse(readExample(name)), patch);
  const authority = new URL(provider).host;
  let own = provider;
  for (const route of Object.values(config.routes)) {
    own = new URL(route.provider.url).origin;
    route.provider.url = provider + route.provider.url.slice(own.length);
  }
  const clusters = Object.values(config.envoy?.clusters ?? {});
  if (clusters.length > 0) config.envoy.clusters = { [authority]: clusters[0] };
  const host = new URL(own).host;
  return {
    config: { ...config, ...overrides },
    toLocal: (text) => text.replaceAll(own, provider),
    toPublic: (text) => text.replaceAll(provider, own).replaceAll(authority, host),
  };
}

/** RFC 7396. */
function mergePatch(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const merged = target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** The secrets that a configuration names, with their values: the IdP's token is `test`. */
export function secretsOf(config) {
  const digest = createHash('sha256').update('test').digest('hex');
  const names = [...JSON.stringify(config).matchAll(/"\$\{([^}"]+)\}"/g)].map(([, name]) => name);
  return Object.fromEntries(names.map((name) => [name, name === 'SCIM_TOKEN_SHA256' ? digest : 'provider-secret']));
}

/**
 * Runs all cases against one host and ends the process.
 * `start({ name, config, secrets })` starts the host and answers `{ port, setNow?(milliseconds), stop() }`.
 */
export async function run(host, start) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const sets = new Map();
  for (const one of loadCases(process.argv[2])) {
    if (one.hosts && !one.hosts.includes(host)) { count.skipped += 1; continue; }
    // A provider that does not answer is waited for: give those cases a short deadline of their own.
    const slow = one.steps.some((step) => step.provider?.fault === 'timeout');
    const key = `${one.config}${one.with ? ` ${JSON.stringify(one.with)}` : ''}${slow ? ' 1s' : ''}`;
    sets.set(key, [...(sets.get(key) ?? []), one]);
  }
  for (const [key, cases] of sets) {
    const provider = await startProvider();
    const loaded = loadConfig(cases[0].config, provider.origin, key.endsWith(' 1s') ? { limits: { time: '1s' } } : {}, cases[0].with);
    let gateway;
    try {
      gateway = await start({ name: cases[0].config, config: loaded.config, secrets: secretsOf(loaded.config) });
      for (const one of cases) {
        const problems = await play(one, gateway, provider, loaded);
        count[problems.length === 0 ? 'passed' : 'failed'] += 1;
        if (problems.length > 0) console.log(`FAILED ${one.file}: ${one.note}\n${problems.map((line) => `  ${line}`).join('\n')}`);
      }
    } catch (error) {
      count.failed += cases.length;
      console.log(`FAILED ${key}: ${error.stack}`);
    }
    await gateway?.stop();
    await provider.stop();
  }
  console.log(`${host}: ${count.passed} passed, ${count.failed} failed${count.skipped ? ` (${count.skipped} are for other hosts)` : ''}`);
  process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1);
}

async function play(one, gateway, provider, { toLocal, toPublic }) {
  const problems = [];
  provider.begin(toLocal, toPublic, problems);
  await gateway.setNow?.(Date.parse(one.now ?? '2026-01-01T00:00:00Z'));
  const steps = [...one.steps];
  let answer;
  while (steps.length > 0) {
    const step = steps.shift();
    if (step.now) await gateway.setNow?.(Date.parse(step.now));
    if (step.provider) continue;
    if (!step.idp.expect) {
      const next = steps.findIndex((later) => later.idp);
      provider.script(steps.slice(0, next < 0 ? steps.length : next).map((later) => later.provider));
      answer = exchange(gateway.port, step.idp).catch((error) => ({ error }));
      continue;
    }
    const got = await answer;
    if (got.error) problems.push(`no answer: ${got.error.message}`);
    else compareAnswer(step.idp.expect, got, toPublic, problems);
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

/** A provider that expects scripted requests and answers them with scripted replies. */
async function startProvider() {
  let steps = [], problems = [], toLocal, toPublic;
  const held = new Set();
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const received = [];
    try { for await (const piece of request) received.push(piece); } catch { return; }
    const label = `${request.method} ${request.url}`;
    const step = steps.shift();
    if (!step) {
      problems.push(`unexpected request to the provider: ${label}`);
      response.writeHead(599).end();
      return;
    }
    compareCall(step.expect, request, Buffer.concat(received), toPublic, problems);
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
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    begin: (local, open, list) => { [toLocal, toPublic, problems] = [local, open, list]; },
    script: (next) => { const left = steps; steps = [...next]; return left; },
    end: () => { for (const socket of held) socket.destroy(); held.clear(); steps = []; },
    stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}

function compareCall(expect, request, body, toPublic, problems) {
  const say = (what, wanted, got) => problems.push(`to the provider: ${what}: expected ${wanted}, got ${got}`);
  if (request.method !== expect.method) say('method', expect.method, request.method);
  if (toPublic(request.url) !== expect.path) say('path', expect.path, request.url);
  const headers = pairs(request.rawHeaders);
  for (const [name, value] of fieldsOf(expect.headers)) compareField(name, value, headers, toPublic, say);
  for (const [name, value] of headers) {
    if (NEVER_TO_PROVIDER.test(name)) say(`header \`${name}\``, 'none', value);
    if (name === 'authorization' && /^bearer test$/i.test(value)) say('credential', 'the gateway\'s own', 'the IdP\'s');
  }
  compareBody(expect, body, toPublic, say);
}

function compareAnswer(expect, { status, headers, body }, toPublic, problems) {
  const say = (what, wanted, got) => problems.push(`to the IdP: ${what}: expected ${wanted}, got ${got}`);
  if (status !== expect.status) say('status', expect.status, status);
  const wanted = fieldsOf(expect.headers);
  const names = wanted.map(([name]) => name);
  if (!names.includes('content-type')) wanted.push(['content-type', 'body' in expect ? 'application/scim+json' : null]);
  if (!names.includes('cache-control')) wanted.push(['cache-control', 'no-store']);
  for (const [name, value] of wanted) compareField(name, value, headers, toPublic, say);
  for (const [name, value] of headers) {
    if (names.includes(name) || HOP_HEADERS.includes(name)) continue;
    if (!ENGINE_HEADERS.includes(name)) say(`header \`${name}\``, 'none (it is not one a gateway sends)', value);
    else if (!wanted.some(([known]) => known === name)) say(`header \`${name}\``, 'none', value);
  }
  compareBody(expect, body, toPublic, say);
}

function compareField(name, wanted, headers, toPublic, say) {
  const got = headers.filter(([known]) => known === name).map(([, value]) => toPublic(value));
  if (!isDeepStrictEqual(got, wanted === null ? [] : [wanted])) say(`header \`${name}\``, wanted ?? 'none', got.join(' | ') || 'none');
}

function compareBody(expect, body, toPublic, say) {
  const wanted = withoutIds((bytesOf(expect) ?? Buffer.alloc(0)).toString('latin1'));
  const got = withoutIds(toPublic(body.toString('latin1')));
  if (wanted !== got) say('body', `\n    ${readable(wanted)}`, `\n    ${readable(got)}`);
}

const withoutIds = (text) => text.replace(/\(request [0-9a-f]{16,}\)/g, '(request ID)');
const readable = (text) => (text === '' ? '(empty)' : Buffer.from(text, 'latin1').toString('utf8'));

function bytesOf({ body, text, base64 }) {
  if (body !== undefined) return Buffer.from(JSON.stringify(body));
  if (text !== undefined) return Buffer.from(text);
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
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

function withDefaults(headers, content) {
  const fields = fieldsOf(headers);
  if (content.body !== undefined && !fields.some(([name]) => name === 'content-type')) fields.push(['content-type', 'application/scim+json']);
  return fields;
}

const fieldsOf = (headers = []) => (Array.isArray(headers) ? headers : Object.entries(headers)).map(([name, value]) => [name.toLowerCase(), value]);
const pairs = (flat) => flat.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), flat[index + 1]]] : []));

function readExample(name) {
  for (const file of ['scimlock.yaml', 'scimlock.json']) {
    try { return readFileSync(new URL(`examples/${name}/${file}`, ROOT), 'utf8'); } catch { /* the next one */ }
  }
  throw new Error(`examples/${name} has no scimlock.yaml and no scimlock.json`);
}

const CONTENT = ['body', 'text', 'base64'];
const SHAPE = {
  case: ['note', 'config', 'with', 'now', 'hosts', 'steps'],
  step: ['idp', 'provider', 'now'],
  request: ['method', 'path', 'headers', 'chunks', ...CONTENT],
  provider: ['expect', 'reply', 'fault'],
  call: ['method', 'path', 'headers', ...CONTENT],
  reply: ['status', 'headers', 'chunks', ...CONTENT],
  answer: ['status', 'headers', ...CONTENT],
};

/** Refuses what a case may not say; an unknown field is most likely a misspelt one. */
function checkCase(file, one) {
  const check = (shape, value, needed) => {
    for (const key of Object.keys(value)) if (!SHAPE[shape].includes(key)) throw new Error(`${file}: unknown field \`${key}\` in a ${shape}`);
    for (const key of needed) if (!(key in value)) throw new Error(`${file}: a ${shape} needs \`${key}\``);
    if (CONTENT.filter((key) => key in value).length > 1) throw new Error(`${file}: a ${shape} has one of ${CONTENT.join(', ')}`);
  };
  check('case', one, ['note', 'config', 'steps']);
  for (const step of one.steps) {
    check('step', step, []);
    if (!step.idp === !step.provider) throw new Error(`${file}: a step is either \`idp\` or \`provider\``);
    if (step.provider) {
      check('provider', step.provider, ['expect']);
      check('call', step.provider.expect, ['method', 'path']);
      if (!step.provider.reply === !step.provider.fault) throw new Error(`${file}: a provider either replies or has a fault`);
      if (step.provider.reply) check('reply', step.provider.reply, ['status']);
      else if (!['timeout', 'reset', 'garbage'].includes(step.provider.fault)) throw new Error(`${file}: unknown fault \`${step.provider.fault}\``);
    } else if (step.idp.expect) {
      check('answer', step.idp.expect, ['status']);
    } else {
      check('request', step.idp, ['method', 'path']);
    }
  }
  if (!one.steps.at(0)?.idp?.method || !one.steps.at(-1)?.idp?.expect) throw new Error(`${file}: begins with what the IdP sends and ends with what it gets`);
  return one;
}
