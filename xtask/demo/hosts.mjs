// Starts what the demo shows: the simulated provider, and scimlock in one of its hosts, each on a free port.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = new URL('../../', import.meta.url);
const YAML = createRequire(new URL('js/package.json', ROOT))('yaml');
const PATIENCE = 30_000;
const path = (name) => new URL(name, ROOT).pathname;

const running = [];

/** Ends everything that was started here. */
export function stopAll() {
  for (const child of running.splice(0)) child.kill('SIGKILL');
}

/** The provider; `log` is every request it has seen, with what it answered. */
export async function startProvider(name, credential) {
  const host = start('provider', process.execPath, [path('tests/simulators/main.mjs'), '--provider', name, '--credential', credential]);
  const url = new URL(await host.line(/https?:\S+/));
  return { url, log: async () => (await fetch(new URL('/__log', url))).json() };
}

/** The real Envoy with the filter, set up by the example's own `envoy.yaml`: only addresses and secrets are put in. */
export async function startEnvoy(example, { document, secrets, provider, folder }) {
  const [port, admin] = [await freePort(), await freePort()];
  const bootstrap = YAML.parse(readFileSync(path(`examples/${example}/envoy.yaml`), 'utf8'));
  bootstrap.admin = { address: { socket_address: { address: '127.0.0.1', port_value: admin } } };
  for (const listener of bootstrap.static_resources.listeners) {
    listener.address.socket_address = { address: '127.0.0.1', port_value: port };
  }
  for (const cluster of bootstrap.static_resources.clusters) {
    cluster.type = 'STATIC';
    delete cluster.transport_socket;
    delete cluster.dns_lookup_family;
    each(cluster, 'socket_address', () => ({ address: provider.hostname, port_value: Number(provider.port) }));
  }
  each(bootstrap, 'filename', (name) => (name.endsWith('.wasm') ? process.env.SCIMLOCK_WASM : name));
  each(bootstrap, 'environment_variables', () => ({ key_values: secrets }));
  each(bootstrap, 'configuration', (given) => (given['@type'].endsWith('.StringValue') ? { ...given, value: JSON.stringify(document) } : given));
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(bootstrap));
  const args = ['-c', file, '--base-id', String(port), '--concurrency', '1', '--log-level', 'warning', '--component-log-level', 'wasm:info'];
  const host = start('envoy', process.env.SCIMLOCK_ENVOY, args);
  await host.listening(port);
  return { port, audit: host.records };
}

/** The npm package's server. */
export async function startNode(_example, { document, secrets, folder }) {
  const port = await freePort();
  const file = join(folder, 'scimlock.json');
  writeFileSync(file, JSON.stringify(document));
  const host = start('node', process.execPath, [path('js/dist/cli.js'), 'serve', file, '--port', String(port)], secrets);
  await host.listening(port);
  return { port, audit: host.records };
}

// A child whose lines can be waited for; those that hold a JSON object at their end are kept as records.
function start(name, program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const [lines, records, waiting] = [[], [], []];
  let over;
  const told = () => `${name} ended${over ? ` (${over})` : ''}:\n${lines.slice(-20).join('\n')}`;
  const check = () => {
    for (const wait of [...waiting]) if (wait()) waiting.splice(waiting.indexOf(wait), 1);
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      const record = readRecord(line);
      if (record) records.push(record);
      check();
    });
  }
  child.on('error', (error) => { over = error.message; check(); });
  child.on('exit', (code, signal) => { over ??= `exit ${code ?? signal}`; check(); });
  return {
    records,
    line: (pattern) => new Promise((resolve, reject) => {
      waiting.push(() => {
        const found = lines.map((line) => pattern.exec(line)?.[0]).find(Boolean);
        if (found) resolve(found);
        else if (over) reject(new Error(told()));
        return found || over;
      });
      check();
    }),
    async listening(port) {
      for (const end = Date.now() + PATIENCE; ; await new Promise((tick) => setTimeout(tick, 30))) {
        if (over) throw new Error(told());
        if (await answers(port)) return;
        if (Date.now() > end) throw new Error(`${name} does not listen:\n${lines.slice(-20).join('\n')}`);
      }
    },
  };
}

/** The audit record in a line of a host's log: hosts put their own prefix before it. */
function readRecord(line) {
  const at = line.indexOf('{"');
  try { return at < 0 ? undefined : JSON.parse(line.slice(at)); } catch { return undefined; }
}

/** Replaces every value of a key, however deep. */
function each(tree, key, change) {
  if (tree === null || typeof tree !== 'object') return;
  for (const [name, value] of Object.entries(tree)) {
    if (name === key) tree[name] = change(value);
    else each(value, key, change);
  }
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
