// A provider that records what it receives and answers as each test says: plain HTTP/1.1, bytes and lengths as they were sent.

import { createServer } from 'node:http';

/**
 * Starts a provider. `provider.seen`: the requests so far, `{ method, url, headers: [[name, value], …], body: Buffer }`;
 * `provider.answer = (seen, response) => …` answers the next ones.
 */
export async function startProvider() {
  const provider = { seen: [], answer: (_, response) => response.end() };
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const pieces = [];
    try { for await (const piece of request) pieces.push(piece); } catch { return; }
    const raw = request.rawHeaders;
    const headers = raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1]]] : []));
    const seen = { method: request.method, url: request.url, headers, body: Buffer.concat(pieces), trailers: request.rawTrailers };
    provider.seen.push(seen);
    provider.answer(seen, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.port = server.address().port;
  provider.stop = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  return provider;
}

/** Answers with a status, a body and true lengths. */
export const reply = (status, body, headers = {}) => (_, response) => {
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, bytes ? { 'content-type': 'application/scim+json', 'content-length': bytes.length, ...headers } : headers);
  response.end(bytes);
};
