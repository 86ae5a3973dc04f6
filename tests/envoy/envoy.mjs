// Starts the real Envoy with the filter: an example's own `envoy.yaml` with free ports and a local provider.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const YAML = createRequire(new URL('js/package.json', ROOT))('yaml');
const ENVOY = process.env.SCIMLOCK_ENVOY ?? join(homedir(), '.cache/scimlock/envoy-1.40.0/envoy/_bin/envoy');
const WASM = process.env.SCIMLOCK_WASM ?? fileURLToPath(new URL('dist/scimlock.wasm', ROOT));

/** An example's file, parsed. */
export const example = (name, file) => YAML.parse(readFileSync(new URL(`examples/${name}/${file}`, ROOT), 'utf8'));

/** The parts of an Envoy configuration that tests look at or change. */
export function parts(bootstrap) {
  const listener = bootstrap.static_resources.listeners[0];
  const manager = listener.filter_chains[0].filters[0].typed_config;
  const plugin = manager.http_filters.find((filter) => filter.name === 'scimlock').typed_config.config;
  return { made: bootstrap, listener, manager, plugin, clusters: bootstrap.static_resources.clusters };
}

/**
 * The Envoy configuration of an example for this machine: the filter from the build, secrets given in place, every cluster plain
 * HTTP to `provider` (a port), one more cluster `issuer` where there is such a port, no port shared with another Envoy. `config`, or what it makes of the port,
 * replaces the scimlock document; `change(parts)` does the rest.
 */
export function bootstrap({ name, config, secrets, provider, issuer, port, change }) {
  const made = example(name, 'envoy.yaml');
  const found = parts(made);
  found.listener.address.socket_address = { address: '127.0.0.1', port_value: port };
  found.listener.enable_reuse_port = false;
  found.plugin.vm_config.code.local.filename = WASM;
  found.plugin.vm_config.environment_variables = { key_values: secrets };
  if (config) found.plugin.configuration.value = typeof config === 'function' ? config(port) : config;
  for (const cluster of found.clusters) {
    delete cluster.transport_socket;
    cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address = { address: '127.0.0.1', port_value: provider };
  }
  if (issuer) {
    const cluster = { ...structuredClone(found.clusters[0]), name: 'issuer' };
    cluster.load_assignment.cluster_name = 'issuer';
    cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value = issuer;
    found.clusters.push(cluster);
  }
  change?.(found);
  return made;
}

/** Runs `envoy --mode validate`: `{ ok, log }`. */
export async function validate(options) {
  const { child, log, dispose } = launch(bootstrap({ port: 0, provider: 1, ...options }), ['--mode', 'validate']);
  const code = await new Promise((resolve) => child.on('close', resolve));
  dispose();
  return { ok: code === 0, log: log.text };
}

/** Starts Envoy and waits until it listens: `{ port, log, stop() }`; `log.text` is what it wrote so far. */
export async function startEnvoy(options) {
  const { ports: [port], log, stop } = await startEnvoys([options], options.workers);
  return { port, log, stop };
}

/** One Envoy that serves several configurations, each with a listener, clusters and VMs of its own: `{ ports, log, stop() }`. */
export async function startEnvoys(all, workers = 1) {
  for (let tries = 1; ; tries += 1) {
    const ports = new Set();
    while (ports.size < all.length) ports.add(freePort());
    try {
      return await startOnce(all, [...ports], workers);
    } catch (error) {
      // Somebody else was quicker.
      if (tries === 5 || !error.message.includes('cannot bind')) throw error;
    }
  }
}

async function startOnce(all, ports, workers) {
  const made = together(all.map((options, at) => bootstrap({ ...options, port: ports[at] })));
  const { child, log, dispose } = launch(made, ['--concurrency', String(workers)]);
  let ended = false;
  const end = new Promise((resolve) => child.on('close', () => { ended = true; resolve(); }));
  const stop = async () => { child.kill('SIGKILL'); await end; dispose(); };
  for (let tries = 0; !log.text.includes('starting workers') || !(await listens(ports.at(-1))); tries += 1) {
    if (ended || tries > 600) {
      await stop();
      throw new Error(`Envoy does not serve:\n${log.text.split('\n').filter((line) => !line.startsWith('I config')).join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { ports, log, stop };
}

/** Several configurations as one, their names kept apart. */
function together(all) {
  if (all.length === 1) return all[0];
  const found = all.map(parts);
  found.forEach(({ listener, plugin, clusters }, at) => {
    const own = (name) => `${name}-${at}`;
    listener.name = own(listener.name);
    plugin.vm_config.vm_id = own(plugin.vm_config.vm_id);
    const named = plugin.configuration.value.envoy?.clusters ?? {};
    for (const host of Object.keys(named)) named[host] = own(named[host]);
    for (const cluster of clusters) cluster.name = cluster.load_assignment.cluster_name = own(cluster.name);
  });
  const listeners = found.map(({ listener }) => listener);
  return { ...all[0], static_resources: { listeners, clusters: found.flatMap(({ clusters }) => clusters) } };
}

/** A port that is most likely free: outside the range that listening on port 0 takes from. */
export const freePort = () => 10_000 + Math.floor(Math.random() * 20_000);

function launch(made, args) {
  for (const file of [ENVOY, WASM]) if (!existsSync(file)) throw new Error(`there is no ${file}: run \`cargo xtask build\``);
  const folder = mkdtempSync(join(tmpdir(), 'scimlock-envoy-'));
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(made));
  const quiet = ['--use-dynamic-base-id', '--log-level', 'warning', '--component-log-level', 'wasm:info,config:info', '--log-format', '%L %n %v'];
  const child = spawn(ENVOY, ['-c', file, ...quiet, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { log.text += text; });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return { child, log, dispose: () => { process.off('exit', kill); rmSync(folder, { recursive: true, force: true }); } };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}
