// The demo: what an IdP sends, through scimlock to a simulated provider, and what becomes of each request.
// node main.mjs --host envoy|node [--keep]      (run by `cargo xtask demo`, which builds first and ends what is left)
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Ids, exchange, loadTraffic } from '../../tests/e2e/replay.mjs';
import { loadConfig, secretsOf } from '../../tests/runners/case.mjs';
import { createSimulator } from '../../tests/simulators/server.mjs';
import { records, startEnvoy, startNode, stopAll } from './hosts.mjs';
import { showCommands, showRequest, showStart, showSummary } from './show.mjs';

const EXAMPLE = 'entra-to-leanix';
const PROVIDER = 'leanix';
const NAMES = { idp: 'Entra ID', provider: 'SAP LeanIX' };
const HOSTS = {
  envoy: { start: startEnvoy, title: 'the real Envoy, with scimlock as its filter' },
  node: { start: startNode, title: 'the npm package as a server in Node' },
};

const { values: options } = parseArgs({ options: { host: { type: 'string', default: 'envoy' }, keep: { type: 'boolean', default: false } } });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopAll().finally(() => process.exit(130)));
const folder = mkdtempSync(join(tmpdir(), 'scimlock-demo-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const simulator = await createSimulator(PROVIDER, { credential: 'provider-secret' });
try {
  await main();
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
if (!options.keep || process.exitCode === 1) {
  await stopAll();
  await simulator.close();
}

async function main() {
  const provider = new URL(`http://127.0.0.1:${await simulator.listen()}${simulator.base}`);
  const { config: document } = loadConfig(EXAMPLE, provider.origin);
  const host = HOSTS[options.host];
  const gateway = await host.start(EXAMPLE, { document, secrets: secretsOf(document), provider, folder });
  const traffic = loadTraffic(EXAMPLE);
  const origin = `http://127.0.0.1:${gateway.port}`;
  const base = `${origin}${Object.values(document.routes)[0].idp.path}`;
  const bases = [new URL(base).pathname, simulator.base];

  showStart(NAMES, host.title, base, provider.href);
  const begun = performance.now();
  const ids = new Ids();
  const done = [];
  for (const [index, line] of [...traffic, withWrongToken(traffic[0])].entries()) {
    const request = ids.fill(line);
    const [seen, heard] = [simulator.log.length, records(gateway.output()).length];
    const start = performance.now();
    const answer = await exchange(origin, request);
    const time = performance.now() - start;
    ids.learn(index + 1, answer.body);
    done.push({ number: index + 1, request, answer, time, calls: simulator.log.slice(seen), audit: await arrived(gateway, heard) });
    showRequest(done.at(-1), bases);
  }
  showSummary(done, performance.now() - begun);
  check(done);
  if (options.keep) showCommands(base, traffic[0].headers.Authorization);
}

function withWrongToken(line) {
  return { ...line, note: 'the first request again, with a wrong token', headers: { ...line.headers, Authorization: 'Bearer not-the-token' }, expect: 401 };
}

/** The demo is a test too: the answers are as expected, and the provider hears nothing of a wrong token. */
function check(done) {
  const wrong = done.filter(({ request, answer }) => answer.status !== request.expect);
  if (wrong.length > 0) throw new Error(`not answered as expected: ${wrong.map(({ number }) => `request ${number}`).join(', ')}`);
  if (done.at(-1).calls.length > 0) throw new Error('a request with a wrong token reached the provider');
  if (done.flatMap(({ calls }) => calls).some(({ violations }) => violations.length > 0)) throw new Error('the provider objected');
}

/** The audit record of the exchange that just ended: hosts write it to a log, which takes a moment. */
async function arrived(gateway, heard) {
  for (let waited = 0; waited < 2000; waited += 5) {
    const found = records(gateway.output())[heard];
    if (found) return found;
    await new Promise((tick) => setTimeout(tick, 5));
  }
  throw new Error(`no audit record was written:\n${gateway.output()}`);
}
