// Starts scimlock in one of its hosts, on a free port and with a provider on this machine.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startEnvoy as start } from '../../tests/envoy/envoy.mjs';

const CLI = fileURLToPath(new URL('../../js/dist/cli.js', import.meta.url));

const running = [];

/** Ends what was started here. */
export const stopAll = () => Promise.all(running.splice(0).map((stop) => stop()));

/** The real Envoy with the filter, set up by the example's own `envoy.yaml`. */
export async function startEnvoy(example, { document, secrets, provider }) {
  const { port, log, stop } = await start({ name: example, config: document, secrets, provider: Number(provider.port) });
  running.push(stop);
  return { port, output: () => log.text };
}

/** The npm package's own server. */
export async function startNode(example, { document, secrets, folder }) {
  const file = join(folder, `${example}.json`);
  writeFileSync(file, JSON.stringify(document));
  const env = { ...process.env, ...secrets };
  const child = spawn(process.execPath, [CLI, 'serve', file, '--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  running.push(kill);
  let output = '';
  const port = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const [, found] = /listening on http:\S+:(\d+)/.exec(output) ?? [];
        if (found) resolve(Number(found));
      });
    }
    child.on('error', reject).on('close', () => reject(new Error(`the server ended:\n${output}`)));
  });
  return { port, output: () => output };
}

/** The audit records in a host's output: each host puts its own prefix before them. */
export function records(output) {
  return output.split('\n').flatMap((line) => {
    const at = line.indexOf('{"');
    try { return at < 0 ? [] : [JSON.parse(line.slice(at))]; } catch { return []; }
  });
}
