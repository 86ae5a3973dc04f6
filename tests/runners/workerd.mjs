// Runs the golden cases through the npm package in the real workerd, one process a configuration. Usage: workerd.mjs [part of a file name]
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './case.mjs';

const DIST = fileURLToPath(new URL('../../js/dist/', import.meta.url));
const WORKERD = createRequire(new URL('../../js/package.json', import.meta.url))('workerd').default;

// The clock is set from outside, because a case has its own time.
const WORKER = `
import { createGateway } from './workerd.js';
let now = 0, gateway;
export default {
  async fetch(request, env) {
    const clock = /\\/scimlock-test-clock\\?(\\d+)$/.exec(request.url);
    if (clock) return new Response(String(now = Number(clock[1])));
    gateway ??= createGateway(env.CONFIG, { secrets: env, now: () => now, onAudit: () => {} });
    return (await gateway).fetch(request);
  },
};
`;

const text = (value) => JSON.stringify(value);

const definition = (port, config, secrets) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      compatibilityDate = "2025-01-01",
      modules = [
        (name = "worker.mjs", esModule = embed "worker.mjs"),
        (name = "workerd.js", esModule = embed "workerd.js"),
        (name = "engine.wasm", wasm = embed "engine.wasm"),
      ],
      bindings = [
        (name = "CONFIG", text = ${text(JSON.stringify(config))}),
        ${Object.entries(secrets).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)}),`).join('\n        ')}
      ],
      globalOutbound = "provider",
    )),
    (name = "provider", network = (allow = ["local", "private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;

await run('workerd', async ([{ name, config, secrets }]) => {
  const folder = mkdtempSync(join(tmpdir(), 'scimlock-workerd-'));
  const port = await freePort();
  for (const file of ['workerd.js', 'engine.wasm']) copyFileSync(DIST + file, join(folder, file));
  writeFileSync(join(folder, 'worker.mjs'), WORKER);
  writeFileSync(join(folder, 'config.capnp'), definition(port, config, secrets));
  const workerd = spawn(WORKERD, ['serve', join(folder, 'config.capnp')], { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise((resolve) => workerd.once('exit', resolve));
  const setNow = (time) => fetch(`http://127.0.0.1:${port}/scimlock-test-clock?${time}`);
  await ready(setNow, workerd, name);
  return {
    gateways: [{ port, setNow }],
    stop: async () => {
      workerd.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
});

async function ready(setNow, workerd, name) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (workerd.exitCode !== null) break;
    try { return await setNow(0); } catch { await new Promise((later) => setTimeout(later, 50)); }
  }
  throw new Error(`workerd did not start with ${name}`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
