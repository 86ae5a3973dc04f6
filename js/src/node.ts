/** The gateway behind a server of Node's `http`, `https` or compatible: requests are judged as they were received. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import type { Gateway } from './types.js';

/** How long the rest of a refused body is read, so that the client sees the answer before the connection ends. */
const LINGER = 2_000;

/** A listener for `http.createServer`. */
export function createListener(gateway: Pick<Gateway, 'handle'>): RequestListener {
  return (request, response) => {
    // A client that goes away is no failure of the server's.
    request.on('error', () => {});
    response.on('error', () => {});
    answer(gateway, request, response).catch(() => response.destroy());
  };
}

async function answer(gateway: Pick<Gateway, 'handle'>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '', rawHeaders, headers } = request;
  const fields = rawHeaders.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : []));
  const hasBody = 'content-length' in headers || 'transfer-encoding' in headers;
  const { status, headers: own, body } = await gateway.handle({ method, path: url, headers: fields, body: hasBody ? pieces(request) : null });
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  if (!bodiless) own.push(['content-length', String(body.length)]);
  if (request.complete) {
    response.writeHead(status, own.flat()).end(bodiless ? undefined : body);
    return;
  }
  response.writeHead(status, [...own, ['connection', 'close']].flat());
  if (!bodiless && body.length > 0) response.write(body);
  else response.flushHeaders();
  request.resume();
  const timer = setTimeout(() => response.destroy(), LINGER);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => response.end());
}

/** The body in pieces; unlike the stream's own iterator it leaves the connection alone when reading stops early. */
function pieces(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false });
}
