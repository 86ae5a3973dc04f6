/** `scimlock serve`: the gateway as a server of its own. */

import type { Server } from 'node:http';

import { InvalidArgumentError } from 'commander';

import { ConfigError, createGateway } from '../index.js';
import { createServer, passwords } from '../node.js';
import type { Gateway } from '../types.js';
import { describe, located } from './check.js';
import { command } from './command.js';
import { readDocument } from './document.js';
import { Refusal } from './output.js';
import { secretOf } from './secrets.js';

/** How long exchanges under way may take after the signal to stop. */
const GRACE = 15_000;

export const serve = () => command('serve', 'Run the gateway as a server', 'Runs the gateway as a server. Audit records go to standard output, one line of JSON each.', [
  ['scimlock serve c.yaml', 'on http://127.0.0.1:8080'],
  ['scimlock serve c.yaml --host :: --port 443', 'on all addresses (behind TLS: the gateway speaks plain HTTP)'],
])
  .argument('<config>', 'the configuration, YAML or JSON')
  .option('--port <number>', 'where to listen; 0 takes a free one', portOf, 8080)
  .option('--host <address>', 'where to listen', '127.0.0.1')
  .action(async (file: string, { port, host }: { port: number; host: string }) => process.exit(await run(file, port, host)));

function portOf(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65535) throw new InvalidArgumentError('Write a number from 0 to 65535.');
  return Number(text);
}

/** Serves until a signal; answers the exit code. */
async function run(file: string, port: number, host: string): Promise<number> {
  const gateway = await load(file);
  const server = createServer(gateway);
  await listening(server, port, host);
  const address = server.address();
  const actual = typeof address === 'object' && address ? address.port : port;
  process.stderr.write(`scimlock: listening on http://${host.includes(':') ? `[${host}]` : host}:${actual}\n`);
  return stopped(server);
}

async function load(file: string): Promise<Gateway> {
  const document = readDocument(file);
  const print = (problems: Gateway['warnings']) => located(problems, document).map((problem) => describe(file, problem));
  try {
    const gateway = await createGateway(document.json, { secrets: secretOf, passwords: await passwords(), onAudit: (line) => process.stdout.write(`${line}\n`) });
    for (const warning of print(gateway.warnings)) process.stderr.write(`${warning}\n`);
    return gateway;
  } catch (error) {
    if (error instanceof ConfigError) throw new Refusal(print(error.problems).join('\n'));
    throw error;
  }
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the address is in use: choose another `--port`' : error.message;
      reject(new Refusal(`scimlock: cannot listen on ${host}:${port}: ${reason}`));
    });
    server.listen(port, host, resolve);
  });
}

/** Ends the server at the first signal, lets what is under way finish, and ends at once at the second. */
function stopped(server: Server): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = () => {
      if (stopping) process.exit(1);
      stopping = true;
      process.stderr.write('scimlock: stopping\n');
      setTimeout(() => server.closeAllConnections(), GRACE).unref();
      // Connections fall idle one by one, as their answers are sent.
      setInterval(() => server.closeIdleConnections(), 100).unref();
      // Not waiting for idle connections to providers; the last audit record goes out first.
      server.close(() => process.stdout.write('', () => resolve(0)));
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}
