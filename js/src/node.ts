/** The gateway behind a server of Node's `http`, `https` or compatible: requests are judged as they were received. */

import type { X509Certificate } from 'node:crypto';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { failure } from './failure.js';
import { hex } from './peer.js';
import type { Gateway, Peer } from './types.js';

export { passwords } from './passwords.js';

type Handler = Pick<Gateway, 'handle'>;

/** How long the rest of a refused body is read, so that the client sees the answer before the connection ends. */
const LINGER = 2_000;

/** A server for the gateway, with limits of its own, that answers what is not HTTP with a SCIM error, too. */
export function createServer(gateway: Handler): http.Server {
  const limits = {
    maxHeaderSize: 32 * 1024,
    headersTimeout: 15_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5_000,
  };
  return http.createServer(limits, createListener(gateway)).on('clientError', refuse);
}

/** A listener for a server that is made otherwise. */
export function createListener(gateway: Handler): http.RequestListener {
  return (request, response) => {
    // A client that goes away is no failure of the server's.
    request.on('error', () => {});
    response.on('error', () => {});
    answer(gateway, request, response).catch(() => response.destroy());
  };
}

async function answer(gateway: Handler, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { method = '', url = '', rawHeaders, headers } = request;
  const fields = rawHeaders.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : []));
  const hasBody = 'content-length' in headers || 'transfer-encoding' in headers;
  const { status, headers: own, body } = await gateway.handle({ method, path: url, headers: fields, body: hasBody ? pieces(request) : null, peer: peerOf(request.socket) });
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
function pieces(request: http.IncomingMessage): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false });
}

/** The client at the other end; a certificate counts only where TLS verified it. */
function peerOf(socket: Socket): Peer {
  let known = PEERS.get(socket);
  if (known) return known;
  known = socket.remoteAddress === undefined ? {} : { address: socket.remoteAddress };
  if (socket instanceof TLSSocket && socket.authorized) {
    const shown = socket.getPeerX509Certificate();
    if (shown) known.certificate = certificateOf(shown);
  }
  PEERS.set(socket, known);
  return known;
}

const PEERS = new WeakMap<Socket, Peer>();

function certificateOf({ subject, subjectAltName, fingerprint256 }: X509Certificate): NonNullable<Peer['certificate']> {
  // Names with commas or quotes come quoted, and then are none of these.
  const names = (subjectAltName ?? '').split(', ');
  const of = (kind: string) => names.filter((name) => name.startsWith(kind) && !name.includes('"')).map((name) => name.slice(kind.length));
  // One attribute a line, the last of which RFC 4514 writes first.
  return { subject: subject.split('\n').reverse().join(','), dns: of('DNS:'), uris: of('URI:'), sha256: hex(fingerprint256) };
}

const REFUSALS: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
};

/** Answers what the HTTP parser refuses. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const [status, reason] = REFUSALS[error.code ?? ''] ?? [400, 'Bad Request'];
  const { headers, body } = failure(status, `the gateway refused the request: ${status === 400 ? 'it is not valid HTTP' : reason.toLowerCase()}`);
  const fields = [...headers, ['connection', 'close'], ['content-length', body.length]].map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${fields.join('')}\r\n`), body]));
}
