// What verifying an RS256 token costs in the real Envoy: this filter beside Envoy's own `jwt_authn`, in one process and one run.
// Every request shows a token that was not seen before; what the request costs without a token to verify is taken off.
// Run by `cargo xtask bench envoy`.

import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { Agent, request } from 'node:http';
import { example, startEnvoys } from '../tests/envoy/envoy.mjs';

const NAME = 'generic-to-generic', PATH = '/scim/v2/ServiceProviderConfig';
const ISSUER = 'https://issuer.example/', AUDIENCE = 'scim';
const ROUNDS = 15, LOOPS = 60, WARM = 60;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] };
let made = 0;
function token() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ typ: 'JWT', alg: 'RS256', kid: 'one' })}.${part({ iss: ISSUER, aud: AUDIENCE, sub: 'idp', iat: now, nbf: now, exp: now + 3600, jti: String(made += 1) })}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
}

const SECRET = 'test';
const config = example(NAME, 'scimlock.yaml');
const [route] = Object.values(config.routes);
route.idp.accept = [
  { bearer: { name: 'secret', sha256: createHash('sha256').update(SECRET).digest('hex'), expires: '2099-12-31' } },
  { jwt: { name: 'token', issuer: ISSUER, audience: AUDIENCE, algorithms: ['RS256'], keys } },
];
const gateway = { name: NAME, config, secrets: { PROVIDER_TOKEN: 'secret' }, provider: 1 };

/** A listener that answers itself, behind `filters`. */
const plain = (filters) => ({
  ...gateway,
  change({ manager }) {
    delete manager.local_reply_config;
    manager.route_config.virtual_hosts = [{ name: 'plain', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: '{}' } } }] }];
    const router = manager.http_filters.at(-1);
    const scimlock = manager.http_filters.find(({ name }) => name === 'scimlock');
    // The helper that starts Envoy fills the filter in; it stays, switched off.
    manager.http_filters = [...filters, { ...scimlock, disabled: true }, router];
  },
});
const authn = {
  name: 'envoy.filters.http.jwt_authn',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
    providers: { issuer: { issuer: ISSUER, audiences: [AUDIENCE], local_jwks: { inline_string: JSON.stringify(keys) } } },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'issuer' } }],
  },
};

const envoy = await startEnvoys([gateway, plain([authn]), plain([])]);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const ask = (port, shown) => new Promise((resolve, reject) => {
  const headers = shown ? { authorization: `Bearer ${shown}` } : {};
  request({ agent, host: '127.0.0.1', port, path: PATH, headers }, (answer) => {
    answer.resume().on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`))));
  }).on('error', reject).end();
});

const [ours, theirs, bare] = envoy.ports;
const ways = {
  'scimlock: a secret': () => ask(ours, SECRET),
  'scimlock: a new token': (shown) => ask(ours, shown),
  'jwt_authn: a new token': (shown) => ask(theirs, shown),
  'Envoy alone': () => ask(bare),
};
try {
  const best = Object.fromEntries(Object.keys(ways).map((name) => [name, Infinity]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const shown = Array.from({ length: round === 0 ? WARM : LOOPS }, () => (name.endsWith('a new token') ? token() : undefined));
      const start = process.hrtime.bigint();
      for (const each of shown) await way(each);
      if (round > 0) best[name] = Math.min(best[name], Number(process.hrtime.bigint() - start) / shown.length / 1000);
    }
  }
  const verified = { 'jwt_authn': best['jwt_authn: a new token'] - best['Envoy alone'], 'scimlock': best['scimlock: a new token'] - best['scimlock: a secret'] };
  console.log(`an RS256 token with 2048 bits, new at every request (Envoy, one worker)`);
  const line = (name, time) => console.log(`  ${name.padEnd(40)}${time.toFixed(1).padStart(9)} µs ${(time / verified.jwt_authn).toFixed(2).padStart(7)} ×`);
  for (const [name, time] of Object.entries(best)) line(name, time);
  line('of it jwt_authn', verified.jwt_authn);
  line('of it scimlock\'s judgement of a token', verified.scimlock);
} finally {
  agent.destroy();
  await envoy.stop();
}
