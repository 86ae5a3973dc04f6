// Starts processes of others and ends them: none outlives this one.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';

import { freePort } from '../envoy/envoy.mjs';

const running = new Set();
process.once('exit', () => { for (const child of running) child.kill('SIGKILL'); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** Ends whatever still runs. */
export const stopAll = () => Promise.all([...running].map(stop));

/** Runs to the end: what it wrote to standard output. */
export async function output(command, args, { env, within }) {
  const { child, text, end } = start(command, args, env);
  const timer = setTimeout(() => child.kill('SIGKILL'), within);
  const code = await end;
  clearTimeout(timer);
  return { code, output: text.out, log: text.error };
}

/** Starts the server that `command(port)` names and waits until it listens: `{ port, stop() }`. */
export async function server(command) {
  for (let tries = 1; ; tries += 1) {
    const port = freePort();
    try {
      return { port, stop: await listening(command(port), port) };
    } catch (error) {
      // Somebody else may have been quicker with the port.
      if (tries === 3) throw error;
    }
  }
}

async function listening([command, args, env], port) {
  const { child, text, end } = start(command, args, env);
  let ended = false;
  end.catch(() => {}).then(() => { ended = true; });
  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
  for (let tries = 0; !ended && !(await listens(port)); tries += 1) {
    if (tries > 400) await stop(child);
    await pause(50);
  }
  // Who listens may be somebody else, and this one about to end for it.
  await pause(100);
  if (ended) throw new Error(`${command} ${args.join(' ')} does not serve:\n${text.error}`);
  return () => stop(child);
}

function start(command, args, env) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const text = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (piece) => { text.out += piece; });
  child.stderr.setEncoding('utf8').on('data', (piece) => { text.error += piece; });
  const end = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  end.catch(() => {}).finally(() => running.delete(child));
  return { child, text, end };
}

async function stop(child) {
  if (!running.has(child)) return;
  const end = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await end;
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}
