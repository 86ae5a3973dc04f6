// The three ways in which SecureAuth shows who it is: Basic, OAuth 2.0 and an access token, each to the route of its example.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { startEnvoy, startNode, stopAll } from '../../xtask/demo/hosts.mjs';
import { loadConfig, secretsOf } from '../runners/case.mjs';
import { createSimulator } from '../simulators/server.mjs';

const HOSTS = { node: startNode, ...(process.env.SCIMLOCK_ENVOY && { envoy: startEnvoy }) };
const EXAMPLE = 'secureauth-to-aws';
const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const secret = { sha256: createHash('sha256').update('s3cret').digest('hex'), expires: '2099-12-31' };

for (const [host, start] of Object.entries(HOSTS)) {
  describe(`ways in through ${host}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'scimlock-access-'));
    after(() => { stopAll(); rmSync(folder, { recursive: true, force: true }); });

    test('the first sign-in of somebody, by each of the three', async () => {
      const simulator = await createSimulator('aws', { strict: true, credential: 'provider-secret' });
      const origin = new URL(`http://127.0.0.1:${await simulator.listen()}`);
      try {
        const { config: document } = loadConfig(EXAMPLE, origin.origin);
        const [{ idp }] = Object.values(document.routes);
        idp.accept.push({ basic: { name: 'by-password', user: 'scim', ...secret } });
        idp.authorization = { key: 'k'.repeat(43), clients: [{ name: 'by-grant', client_id: 'secureauth', secret }] };
        const { port } = await start(EXAMPLE, { document, secrets: secretsOf(document), provider: origin, folder });
        const base = `http://127.0.0.1:${port}/scim/v2`;
        const find = (authorization) => fetch(`${base}/Users?filter=userName%20eq%20%22ola@fjell.example%22`, { headers: { authorization } });
        const grant = (password) => fetch(`${base}/oauth/token`, {
          method: 'POST', body: 'grant_type=client_credentials', headers: { authorization: basic('secureauth', password), 'content-type': 'application/x-www-form-urlencoded' },
        });
        const granted = await grant('s3cret');
        assert.equal(granted.status, 200);
        const { access_token: token, token_type: type } = await granted.json();
        for (const authorization of ['Bearer test', basic('scim', 's3cret'), `${type} ${token}`]) {
          const answer = await find(authorization);
          assert.deepEqual([answer.status, (await answer.json()).totalResults], [200, 0], authorization.split(' ')[0]);
        }
        const seen = simulator.log.length;
        for (const authorization of ['Bearer tes', basic('scim', 'test'), basic('secureauth', 's3cret'), `${type} ${token.slice(0, -2)}`]) {
          assert.equal((await find(authorization)).status, 401);
        }
        assert.equal((await grant('guess')).status, 401);
        assert.equal(simulator.log.length, seen, 'nothing of which is sent on');
      } finally {
        await simulator.close();
      }
    });
  });
}
