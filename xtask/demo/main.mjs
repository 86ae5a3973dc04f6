// The demo: an IdP's real traffic through scimlock to a simulated provider, and what became of each request.
// node main.mjs --host envoy|node [--keep]      (run by `cargo xtask demo`, which builds first and ends what is left)
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Ids } from '../../tests/e2e/replay.mjs';
import { loadConfig } from '../../tests/runners/case.mjs';
import { startEnvoy, startNode, startProvider, stopAll } from './hosts.mjs';
import { showRequest, showStart, showSummary, showCommands } from './show.mjs';

const EXAMPLE = 'entra-to-leanix';
const PROVIDER = 'leanix';
const NAMES = { idp: 'Entra ID', provider: 'SAP LeanIX' };

const { values: options } = parseArgs({ options: { host: { type: 'string', default: 'envoy' }, keep: { type: 'boolean', default: false } } });
const folder = mkdtempSync(join(tmpdir(), 'scimlock-demo-'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { clean(); process.exit(130); });

try {
  await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
if (!(options.keep && process.exitCode === undefined)) clean();

async function main() {
  const lines = readFileSync(new URL(`../../examples/${EXAMPLE}/traffic.ndjson`, import.meta.url), 'utf8');
  const requests = lines.trim().split('\n').map((line) => JSON.parse(line));
  const token = /^Bearer (.*)$/.exec(requests[0].headers.Authorization)[1];
  const credential = randomBytes(24).toString('base64url');

  const provider = await startProvider(PROVIDER, credential);
  const { config: document, toPublic } = loadConfig(EXAMPLE, provider.url.origin);
  const secrets = secretsOf(document, token, credential);
  const start = { envoy: startEnvoy, node: startNode }[options.host];
  const gateway = await start(EXAMPLE, { document, secrets, provider: provider.url, folder });

  showStart(NAMES, options.host, gateway.port, provider.url);
  const begun = performance.now();
  const done = [];
  const ids = new Ids();
  for (const [index, line] of [...requests, withWrongToken(requests[0])].entries()) {
    const one = ids.fill(line);
    const seen = (await provider.log()).length;
    const heard = gateway.audit.length;
    const answer = await exchange(gateway.port, one);
    ids.learn(index + 1, answer.body);
    const calls = (await provider.log()).slice(seen);
    const audit = await arrived(gateway.audit, heard);
    const entry = { number: index + 1, request: one, answer, calls, audit, toPublic };
    done.push(entry);
    showRequest(entry, NAMES);
  }
  showSummary(done, performance.now() - begun, NAMES);
  // The last request came with a wrong token: it has to be refused, and the provider must not hear of it.
  const refused = done.at(-1);
  if (refused.answer.status !== 401 || refused.calls.length > 0) throw new Error('the wrong token was not refused');
  if (!done.some(({ calls }) => calls.length > 0)) throw new Error('nothing reached the provider');
  if (options.keep) showCommands(gateway.port, token, new URL(document.public_url).host, document.routes);
}

const withWrongToken = (one) => ({ ...one, headers: { ...one.headers, Authorization: 'Bearer not-the-token' }, wrong: true });

/** The secrets that the example names: the digest of the IdP's token, and the provider's credential. */
function secretsOf(document, token, credential) {
  const names = [...JSON.stringify(document).matchAll(/"\$\{([^}"]+)\}"/g)].map(([, name]) => name);
  const digest = createHash('sha256').update(token).digest('hex');
  return Object.fromEntries(names.map((name) => [name, name.endsWith('SHA256') ? digest : credential]));
}

/** Sends a request as recorded. */
function exchange(port, { method, path, headers, body }) {
  const bytes = body === null ? undefined : Buffer.from(JSON.stringify(body));
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const fields = { ...headers, ...(bytes && { 'Content-Length': bytes.length }) };
    const call = send({ host: '127.0.0.1', port, method, path, headers: fields, agent: false }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      const text = Buffer.concat(parts).toString();
      resolve({ status: response.statusCode, body: text === '' ? undefined : JSON.parse(text), time: performance.now() - begun });
    });
    call.setTimeout(20_000, () => call.destroy(new Error(`no answer to ${method} ${path}`)));
    call.on('error', reject);
    call.end(bytes);
  });
}

/** The audit record of the exchange that just ended: hosts write it to a log, which takes a moment. */
async function arrived(records, heard) {
  for (let waited = 0; records.length === heard && waited < 2000; waited += 5) await new Promise((tick) => setTimeout(tick, 5));
  return records[heard];
}

function clean() {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}
