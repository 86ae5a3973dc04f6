// Client certificates: Envoy verifies the chain and says who it is, the filter judges whom the route lets in.
import { equal, match, ok } from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { after, before, test } from 'node:test';

import { example, startEnvoy } from './envoy.mjs';
import { reply, startProvider } from './provider.mjs';
import { PLAIN, SECRETS, USERS, stored } from './setup.mjs';

const pem = (name) => readFileSync(new URL(`../keys/tls/${name}.pem`, import.meta.url), 'utf8');
const inline = (name) => ({ inline_string: pem(name) });
const FINGERPRINT = new X509Certificate(pem('client')).fingerprint256.replaceAll(':', '').toLowerCase();

/** One Envoy that asks for certificates, in front of a route for each way of saying whose is accepted. */
const ROUTES = {
  dns: { dns: 'idp.acme.example' },
  uri: { uri: 'spiffe://acme.example/idp' },
  subject: { subject: 'CN=idp,O=Acme' },
  sha256: { sha256: FINGERPRINT },
  all: { dns: 'idp.acme.example', uri: 'spiffe://acme.example/idp', subject: 'CN=idp,O=Acme', sha256: FINGERPRINT },
  one_wrong: { dns: 'idp.acme.example', uri: 'spiffe://acme.example/other' },
};

let envoy, provider;
before(async () => {
  provider = await startProvider();
  provider.answer = reply(200, stored('1'));
  const config = example(PLAIN, 'scimlock.yaml');
  const [[, route]] = Object.entries(config.routes);
  config.routes = Object.fromEntries(Object.entries(ROUTES).map(([name, mtls]) => {
    const made = structuredClone(route);
    made.idp.path = `/${name}${USERS.replace('/Users', '')}`;
    made.idp.accept = [{ mtls: { name, ...mtls } }];
    return [name, made];
  }));
  const change = ({ listener }) => {
    listener.filter_chains[0].transport_socket = {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
        require_client_certificate: false,
        common_tls_context: {
          tls_certificates: [{ certificate_chain: inline('server'), private_key: inline('server') }],
          validation_context: { trusted_ca: inline('ca') },
        },
      },
    };
  };
  envoy = await startEnvoy({ name: PLAIN, config, secrets: SECRETS, provider: provider.port, change });
});
after(async () => {
  await envoy.stop();
  await provider.stop();
});

function get(route, certificate) {
  const own = certificate && { cert: pem(certificate), key: pem(certificate) };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: envoy.port, servername: 'scim.acme.example', path: `/${route}${USERS}/1`, headers: { host: 'scim.acme.example' }, ca: pem('ca'), agent: false, ...own }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve({ status: response.statusCode, text }));
    });
    asked.on('error', reject).end();
  });
}

test('a certificate lets in where all that the route says of it is so', async () => {
  for (const route of ['dns', 'uri', 'subject', 'sha256', 'all']) {
    const { status, text } = await get(route, 'client');
    equal(status, 200, `${route}: ${text}`);
  }
  equal(provider.seen.length, 5);
  equal((await get('one_wrong', 'client')).status, 401);
  equal(provider.seen.length, 5);
});

test('no certificate, and one of somebody else, are refused with a SCIM error', async () => {
  const seen = provider.seen.length;
  for (const route of Object.keys(ROUTES)) {
    for (const certificate of [undefined, 'other']) {
      const { status, text } = await get(route, certificate);
      equal(status, 401, `${route} ${certificate}`);
      match(text, /needs a credential that it accepts/);
    }
  }
  equal(provider.seen.length, seen);
});

test('a certificate of the same name from another authority does not reach the filter', async () => {
  const seen = provider.seen.length;
  const error = await get('dns', 'stranger').then(() => undefined, (error) => error);
  ok(error, 'the handshake fails');
  equal(provider.seen.length, seen);
});
