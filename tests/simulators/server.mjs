// A simulated provider: HTTP in, SCIM answers out, and a log of every request with the rules it broke.
// GET /__log and DELETE /__log (the log), GET /__state (all resources as stored).
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { Judge, Refusal } from './judge.mjs';
import { parseJson } from './json.mjs';
import { Service } from './service.mjs';

const MAX_BODY = 1024 * 1024;

/** A simulator of the named provider (a file in providers/), not yet listening. */
export async function createSimulator(name, options = {}) {
  if (!/^[a-z0-9-]+$/.test(name ?? '')) throw new Error('--provider names a file in providers/');
  const { default: create } = await import(`./providers/${name}.mjs`);
  return new Simulator(create(options), options);
}

class Simulator {
  log = [];

  constructor(provider, { strict = true, log = undefined }) {
    Object.assign(this, { provider, strict, logFile: log, base: provider.base });
    this.service = new Service(provider);
    this.server = createServer((request, response) => this.handle(request, response));
    if (log) writeFileSync(log, '');
  }

  listen(port = 0) {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => resolve(this.server.address().port));
    });
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  async handle(request, response) {
    const url = new URL(`http://${request.headers.host}${request.url}`);
    const bytes = await read(request);
    if (url.pathname.startsWith('/__')) return this.control(request.method, url.pathname, response);
    const judge = new Judge(this.strict, this.provider.rules);
    const entry = { method: request.method, path: request.url, contentType: request.headers['content-type'], body: undefined };
    const answer = this.answer(request, url, bytes, entry, judge);
    entry.violations = judge.violations;
    entry.status = answer.status;
    entry.answer = answer.body;
    this.log.push(entry);
    if (this.logFile) appendFileSync(this.logFile, `${JSON.stringify(entry)}\n`);
    send(response, answer);
  }

  answer(request, url, bytes, entry, judge) {
    try {
      if (bytes === null) throw new Refusal(413, undefined, 'the body is too large');
      this.checkHeaders(request, judge);
      const own = this.provider.endpoints?.(request, url, bytes);
      if (own) return own;
      if (!url.pathname.startsWith(`${this.base}/`)) throw new Refusal(404, undefined, 'unknown path');
      this.provider.screen?.(request, judge);
      const account = this.provider.authenticate(request.headers.authorization, request);
      if (!account) {
        return { ...this.failure(new Refusal(401, undefined, 'the token is not accepted')), headers: { 'www-authenticate': 'Bearer' } };
      }
      const session = this.provider.session?.(request, judge) ?? {};
      if (session.answer) return session.answer;
      if (bytes.length > 0) entry.body = this.parse(request, bytes, judge);
      const path = url.pathname.slice(this.base.length);
      const answer = this.service.handle({ method: request.method, path, query: url.searchParams, headers: request.headers, body: entry.body, account, root: `http://${request.headers.host}${this.base}` }, judge);
      return { contentType: this.provider.contentType, ...answer, headers: { ...answer.headers, ...session.headers } };
    } catch (error) {
      if (error instanceof Refusal) return this.failure(error);
      process.stderr.write(`${error.stack}\n`);
      return this.failure(new Refusal(500, undefined, 'the simulator failed'));
    }
  }

  failure(refusal) {
    return this.provider.failure?.(refusal) ?? failure(refusal);
  }

  // Fields that a provider must never see from a gateway, and fields that would blur a test if they were there twice.
  checkHeaders(request, judge) {
    const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    for (const name of names) {
      if (['authorization', 'content-type', 'content-length', 'host'].includes(name) && names.indexOf(name) !== names.lastIndexOf(name)) {
        judge.refuse('SIM-RFC-15', undefined, `header \`${name}\` occurs twice`);
      }
      if ((name === 'cookie' && !this.provider.cookies) || name.startsWith('x-forwarded-') || name.startsWith('x-http-method') || name === 'x-method-override') {
        judge.object('SIM-RFC-15', undefined, `header \`${name}\` reached the provider`);
      }
    }
  }

  parse(request, bytes, judge) {
    const type = (request.headers['content-type'] ?? '').split(';')[0].trim();
    if (!['application/scim+json', 'application/json'].includes(type)) {
      judge.refuse('SIM-RFC-16', undefined, `media type \`${type}\` is not supported`, 415);
    }
    try {
      return parseJson(bytes);
    } catch (error) {
      return judge.refuse('SIM-RFC-1', 'invalidSyntax', `the body is not strict JSON: ${error.message}`);
    }
  }

  control(method, path, response) {
    if (path === '/__log' && method === 'DELETE') this.log = [];
    const body = path === '/__state' ? this.service.state() : this.log;
    send(response, { status: 200, body, contentType: 'application/json' });
  }
}

function failure({ status, scimType, message }) {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  return { status, body: { schemas, status: String(status), ...(scimType && { scimType }), detail: message } };
}

async function read(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  }
  return size > MAX_BODY ? null : Buffer.concat(chunks);
}

function send(response, { status, headers = {}, body, contentType = 'application/scim+json' }) {
  const bytes = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { ...headers, ...(bytes && { 'content-type': contentType, 'content-length': Buffer.byteLength(bytes) }) });
  response.end(bytes);
}
