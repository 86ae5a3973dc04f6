// Starts processes of others and ends them: none outlives this one.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';

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

/** Starts a server and waits until it listens: `{ stop() }`. */
export async function server(command, args, { env, port }) {
  const { child, text, end } = start(command, args, env);
  let ended = false;
  end.then(() => { ended = true; });
  for (let tries = 0; !(await listens(port)); tries += 1) {
    if (ended || tries > 400) {
      await stop(child);
      throw new Error(`${command} ${args.join(' ')}: ${ended ? 'ended' : 'does not listen'}\n${text.error}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { stop: () => stop(child) };
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
