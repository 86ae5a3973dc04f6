// Replays recorded traffic: `examples/*/traffic.ndjson`, one request a line: {note, method, path, headers, body, expect}.
// `{id:N}` in a path or body stands for the id that the answer to line N carried: its own, or that of its first resource.
import { readFileSync } from 'node:fs';
import { request as open } from 'node:http';

const PATIENCE = 20_000;

/** The requests of an example. */
export function loadTraffic(example) {
  const file = new URL(`../../examples/${example}/traffic.ndjson`, import.meta.url);
  return readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
}

/** What the answers so far have taught: fills in ids. */
export class Ids {
  known = new Map();

  /** Takes the id from the answer to a line, counted from 1. */
  learn(line, answer) {
    const id = answer?.id ?? answer?.Resources?.[0]?.id;
    if (id !== undefined) this.known.set(String(line), id);
  }

  /** The request with ids in place of `{id:N}`. */
  fill({ path, body, ...rest }) {
    const put = (text, as) => text.replace(/\{id:(\d+)\}/g, (_, line) => {
      if (!this.known.has(line)) throw new Error(`the answer to line ${line} had no id`);
      return as(this.known.get(line));
    });
    const inJson = (id) => JSON.stringify(id).slice(1, -1);
    return { ...rest, path: put(path, encodeURIComponent), body: body === null ? null : JSON.parse(put(JSON.stringify(body), inJson)) };
  }
}

/** Sends one request and reads the answer. */
export function exchange(gateway, { method, path, headers, body }) {
  const bytes = body === null ? undefined : Buffer.from(JSON.stringify(body));
  const { hostname, port } = new URL(gateway);
  return new Promise((resolve, reject) => {
    const fields = { ...headers, ...(bytes && { 'Content-Length': bytes.length }) };
    const call = open({ host: hostname, port, method, path, headers: fields, agent: false }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      const text = Buffer.concat(parts).toString();
      resolve({ status: response.statusCode, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) });
    });
    call.setTimeout(PATIENCE, () => call.destroy(new Error(`no answer to ${method} ${path}`)));
    call.on('error', reject);
    call.end(bytes);
  });
}
