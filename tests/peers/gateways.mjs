// The gateway in front of a server, in Node and in the real Envoy: one plain route.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startEnvoy } from '../envoy/envoy.mjs';
import { server } from './process.mjs';

const TOKEN = 'idp-secret';
const CLI = fileURLToPath(new URL('../../js/dist/cli.js', import.meta.url));

/** `start(provider)` answers `{ base, token, stop() }`. */
export const gateways = [{ name: 'Node', start: startNode }, { name: 'Envoy', start: startInEnvoy }];

const config = (provider, port) => ({
  version: 1,
  public_url: `http://127.0.0.1:${port}`,
  routes: {
    peer: {
      idp: {
        // scim-sanity wants to see what a PATCH has made.
        profile: { extends: 'generic', idp: { answers: { patch: 200 } } },
        path: '/scim/v2',
        accept: [{ bearer: { name: 'suite', sha256: createHash('sha256').update(TOKEN).digest('hex'), expires: '2099-12-31' } }],
      },
      provider: { profile: 'generic', url: provider.base, credential: { bearer: '${PROVIDER_TOKEN}' } },
    },
  },
  envoy: { clusters: { [`127.0.0.1:${provider.port}`]: 'provider' } },
});

const front = (port, stop) => ({ base: `http://127.0.0.1:${port}/scim/v2`, token: TOKEN, stop });

async function startNode(provider) {
  const folder = mkdtempSync(join(tmpdir(), 'scimlock-peers-'));
  const file = join(folder, 'scimlock.json');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const { port, stop } = await server((port) => {
      writeFileSync(file, JSON.stringify(config(provider, port)));
      return [process.execPath, [CLI, 'serve', file, '--port', String(port)], { PROVIDER_TOKEN: provider.token }];
    });
    return front(port, async () => { await stop(); remove(); });
  } catch (error) {
    remove();
    throw error;
  }
}

async function startInEnvoy(provider) {
  const secrets = { PROVIDER_TOKEN: provider.token };
  const { port, stop } = await startEnvoy({ name: 'generic-to-generic', config: (port) => config(provider, port), secrets, provider: provider.port });
  return front(port, stop);
}
