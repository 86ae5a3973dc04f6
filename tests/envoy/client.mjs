// What plays the IdP: raw HTTP/1.1 over a socket (any byte can be sent, lengths are checked) and HTTP/2 with trailers.

import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';

/**
 * Sends one request byte for byte and reads the whole answer: `{ status, headers: Map, body: Buffer, text, json }`.
 * `headers`: `[name, value]` pairs, values as latin1. A body is sent with its `content-length`, or chunked with `chunked: true`.
 */
export function send(port, { method, path, headers = [], body, chunked, patience = 20_000 }) {
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
  const fields = [['host', 'scim.acme.example'], ...headers, ['connection', 'close']];
  if (bytes) fields.push(chunked ? ['transfer-encoding', 'chunked'] : ['content-length', bytes.length]);
  const head = `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return new Promise((resolve, reject) => {
    const received = [];
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(patience, () => socket.destroy(new Error(`no answer within ${patience} ms`)));
    socket.write(Buffer.from(head, 'latin1'));
    if (bytes && chunked) socket.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]));
    else if (bytes) socket.write(bytes);
    socket.on('data', (data) => {
      received.push(data);
      // Envoy keeps the connection of a refused body open for a second.
      try { if (isComplete(Buffer.concat(received))) socket.destroy(); } catch { /* not yet */ }
    });
    // Envoy may close while the rest of a refused body is still on its way.
    socket.on('error', (error) => { if (received.length === 0) reject(error); });
    socket.on('close', () => {
      try { resolve(parse(Buffer.concat(received), method)); } catch (error) { reject(error); }
    });
  });
}

function parse(bytes, method) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Error(`the answer has no complete head: ${bytes.length} bytes`);
  const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const status = Number(first.split(' ')[1]);
  let body = bytes.subarray(end + 4);
  if (headers.get('transfer-encoding') === 'chunked') {
    if (method === 'HEAD' || status === 204 || status === 304) { /* no body, whatever the field says */ }
    else if (!body.toString('latin1').endsWith('0\r\n\r\n')) throw new Error('the answer breaks off');
  } else if (method !== 'HEAD' && headers.has('content-length') && Number(headers.get('content-length')) !== body.length) {
    throw new Error(`content-length is ${headers.get('content-length')}, but ${body.length} bytes came`);
  }
  return answer(status, headers, body);
}

function isComplete(bytes) {
  const { headers, body } = parse(bytes, '');
  return headers.has('content-length') && Number(headers.get('content-length')) === body.length;
}

/** Sends one request over HTTP/2 (cleartext), `trailers` after its body. */
export function send2(port, { method, path, headers = [], body, trailers, patience = 20_000 }) {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.setTimeout(patience, () => session.destroy(new Error(`no answer within ${patience} ms`)));
    session.on('error', reject);
    const stream = session.request(
      { ':method': method, ':path': path, ':authority': 'scim.acme.example', ...Object.fromEntries(headers) },
      { endStream: body === undefined && !trailers, waitForTrailers: Boolean(trailers) },
    );
    let head;
    const received = [];
    stream.on('response', (fields) => { head = fields; });
    stream.on('trailers', (fields) => { head.trailers = fields; });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('data', (data) => received.push(data));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      if (!head) return reject(new Error('the stream was reset'));
      resolve({ ...answer(head[':status'], new Map(Object.entries(head)), Buffer.concat(received)), trailers: head.trailers });
    });
    if (body !== undefined || trailers) stream.end(body ?? '');
  });
}

function answer(status, headers, body) {
  const text = body.toString('utf8');
  return { status, headers, body, text, get json() { return JSON.parse(text); } };
}
