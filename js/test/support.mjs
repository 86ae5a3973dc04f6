// What the tests share: a provider on a local port, a configuration for it, and a user.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const SECRETS = { IDP_TOKEN: createHash('sha256').update('test').digest('hex'), PROVIDER_TOKEN: 'provider-secret' };
export const USER = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: '42', userName: 'ada@example.com' };
export const AUTHORIZED = { authorization: 'Bearer test' };

/** Starts a provider; `requests` are those it has seen. */
export async function startProvider(t, listener = (request, response) => reply(response, 200, USER)) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { requests, origin: `http://127.0.0.1:${server.address().port}` };
}

export function reply(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/scim+json' }).end(JSON.stringify(body));
}

/** A configuration with one route to `origin`. */
export function configFor(origin, limits) {
  return {
    version: 1,
    public_url: 'https://scim.example',
    routes: {
      main: {
        idp: { profile: 'generic', path: '/scim/v2', accept: [{ bearer: { name: 'idp', sha256: '${IDP_TOKEN}', expires: '2099-12-31' } }] },
        provider: { profile: 'generic', url: `${origin}/api`, credential: { bearer: '${PROVIDER_TOKEN}' } },
      },
    },
    ...(limits ? { limits } : {}),
  };
}

export const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** A folder of its own for a file of tests, and the command run in it. */
export function workspace() {
  const folder = mkdtempSync(join(tmpdir(), 'scimlock-cli-'));
  after(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    file(name, content) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
      return name;
    },
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    run(args, { env = SECRETS, input } = {}) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: folder, env, input, encoding: 'utf8' });
      return { status, stdout, stderr };
    },
  };
}
