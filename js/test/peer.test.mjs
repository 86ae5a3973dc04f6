// What a host found out about the client lets it in; what the client says of itself in header fields never does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, request as ask } from 'node:https';
import { test } from 'node:test';

import { createGateway } from 'scimlock';
import { createListener } from 'scimlock/node';

import { SECRETS, configFor, startProvider } from './support.mjs';

const SHA256 = 'ab'.repeat(32);
const TARGET = '/scim/v2/Users/42';

async function start(t, way) {
  const { origin, requests } = await startProvider(t);
  const config = configFor(origin);
  const [route] = Object.values(config.routes);
  route.idp.accept = [way];
  const gateway = await createGateway(config, { secrets: SECRETS, onAudit: () => {} });
  const handle = async (peer, headers = []) => (await gateway.handle({ method: 'GET', path: TARGET, headers, peer })).status;
  return { gateway, requests, handle };
}

test('a client certificate that the host verified', async (t) => {
  const { handle, requests } = await start(t, { mtls: { name: 'machine', subject: 'CN=idp,O=Acmé', dns: 'idp.acme.example', sha256: SHA256 } });
  const certificate = { subject: 'CN=idp,O=Acmé', dns: ['other.example', 'idp.acme.example'], uris: [], sha256: SHA256.toUpperCase() };
  for (const [peer, status] of [
    [{ certificate }, 200],
    [{ certificate: { ...certificate, subject: 'CN=idp' } }, 401],
    [{ certificate: { ...certificate, dns: ['acme.example'] } }, 401],
    [{ certificate: { ...certificate, sha256: 'cd'.repeat(32) } }, 401],
    [{ certificate: { ...certificate, sha256: 'no digest' } }, 401],
    [{ certificate: {} }, 401],
    [{ address: '127.0.0.1' }, 401],
    [{}, 401],
    [undefined, 401],
  ]) assert.equal(await handle(peer), status, JSON.stringify(peer));
  const claimed = [['x-forwarded-client-cert', 'Subject="CN=idp,O=Acme";DNS=idp.acme.example'], ['x-client-cert', 'x']];
  assert.equal(await handle(undefined, claimed), 401);
  assert.equal(requests.length, 1);
});

test('a client certificate that a TLS server of Node verified', async (t) => {
  const pem = (name) => readFileSync(new URL(`../../tests/keys/tls/${name}.pem`, import.meta.url), 'utf8');
  const pair = (name) => ({ cert: pem(name), key: pem(name) });
  const { gateway, requests } = await start(t, { mtls: { name: 'machine', subject: 'CN=idp,O=Acme', dns: 'idp.acme.example', uri: 'spiffe://acme.example/idp' } });
  for (const rejectUnauthorized of [true, false]) {
    const server = createServer({ ...pair('server'), ca: pem('ca'), requestCert: true, rejectUnauthorized }, createListener(gateway));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => { server.closeAllConnections(); server.close(); });
    const status = (own) => new Promise((resolve) => {
      const { port } = server.address();
      ask({ host: '127.0.0.1', port, path: TARGET, servername: 'scim.acme.example', ca: pem('ca'), agent: false, ...own }, (response) => { response.resume(); resolve(response.statusCode); })
        .on('error', () => resolve('no connection')).end();
    });
    assert.equal(await status(pair('client')), 200);
    assert.equal(await status(pair('other')), 401);
    assert.equal(await status(pair('stranger')), rejectUnauthorized ? 'no connection' : 401);
    assert.equal(await status({}), rejectUnauthorized ? 'no connection' : 401);
  }
  assert.equal(requests.length, 2);
});

test('a client certificate that an edge runtime verified', async (t) => {
  const { gateway } = await start(t, { mtls: { name: 'machine', sha256: SHA256 } });
  const shown = { certPresented: '1', certVerified: 'SUCCESS', certFingerprintSHA256: SHA256, certSubjectDNRFC2253: 'CN=idp' };
  for (const [tlsClientAuth, status] of [
    [shown, 200],
    [{ ...shown, certVerified: 'FAILED:self signed certificate' }, 401],
    [{ ...shown, certPresented: '0' }, 401],
    [undefined, 401],
  ]) {
    const request = Object.assign(new Request(`https://scim.example${TARGET}`), { cf: { tlsClientAuth } });
    assert.equal((await gateway.fetch(request)).status, status, JSON.stringify(tlsClientAuth));
  }
  const peer = { certificate: { sha256: SHA256 } };
  assert.equal((await gateway.fetch(new Request(`https://scim.example${TARGET}`), peer)).status, 200);
});

test('the address of the connection', async (t) => {
  const way = { bearer: { name: 'inside', sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', expires: '2035-12-31', networks: ['10.0.0.0/8', '2001:db8::/32'] } };
  const { handle } = await start(t, way);
  const token = ['authorization', 'Bearer test'];
  for (const [address, status] of [['10.1.2.3', 200], ['::ffff:10.1.2.3', 200], ['2001:db8::7', 200], ['11.0.0.1', 401], ['10.1.2.3, 1.1.1.1', 401], ['', 401]]) {
    assert.equal(await handle({ address }, [token]), status, address);
  }
  assert.equal(await handle(undefined, [token, ['x-forwarded-for', '10.1.2.3'], ['x-real-ip', '10.1.2.3']]), 401);
});
