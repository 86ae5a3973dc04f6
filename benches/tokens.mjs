// What judging a signed token costs in JavaScript, beside `jose` and Node's own crypto in the same run.
// Run by `cargo xtask bench tokens`.

import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createGateway } from '../js/dist/index.js';

const { importJWK, jwtVerify } = await import(createRequire(new URL('../tests/oauth/package.json', import.meta.url)).resolve('jose'));
const { token, keys } = JSON.parse(readFileSync(new URL('token.json', import.meta.url), 'utf8'));
const ROUNDS = 20, LOOPS = 200;

const jwt = { name: 'token', issuer: 'https://issuer.example/', audience: 'scim', algorithms: ['RS256'], keys };
// As long as the token, so that what is beyond it is the verdict.
const plainSecret = 'x'.repeat(token.length);
const secret = { name: 'secret', sha256: createHash('sha256').update(plainSecret).digest('hex'), expires: '2099-12-31' };
const config = {
  version: 1,
  public_url: 'https://scim.example',
  routes: {
    bench: {
      idp: { profile: 'generic', path: '/scim/v2', accept: [{ bearer: secret }, { jwt }] },
      provider: { profile: 'generic', url: 'https://app.example/api', credential: { bearer: '${TOKEN}' } },
    },
  },
};
const options = { secrets: { TOKEN: 'secret' }, onAudit: () => {} };
const remembers = await createGateway(config, options);
// No verdict is still good at its next request: every token is verified anew.
let clock = 1767225600000;
const forgets = await createGateway(config, { ...options, now: () => clock });
// What the gateway answers itself, so that nothing but the token is in the way.
const ask = (gateway, shown) => gateway.handle({ method: 'GET', path: '/scim/v2/ServiceProviderConfig', headers: [['authorization', `Bearer ${shown}`]] });

const [jwk] = keys.keys;
const key = await importJWK(jwk, 'RS256');
const object = createPublicKey({ key: jwk, format: 'jwk' });
const [message, signature] = [token.slice(0, token.lastIndexOf('.')), Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')];

const ways = {
  'gateway: a plain secret of that length': () => ask(remembers, plainSecret),
  'gateway: a token with a known verdict': () => ask(remembers, token),
  'gateway: a token that is verified': () => { clock += 400_000; return ask(forgets, token); },
  'jose: jwtVerify': async () => { await jwtVerify(token, key, { issuer: jwt.issuer, audience: 'scim', algorithms: ['RS256'] }); return { status: 200 }; },
  'node:crypto: verify alone': () => ({ status: verify('sha256', Buffer.from(message), object, signature) ? 200 : 401 }),
};

const best = Object.fromEntries(Object.keys(ways).map((name) => [name, Infinity]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < LOOPS; index++) {
      const { status } = await way();
      if (status !== 200) throw new Error(`${name}: status ${status}`);
    }
    best[name] = Math.min(best[name], Number(process.hrtime.bigint() - start) / LOOPS / 1000);
  }
}

const plain = best['gateway: a plain secret of that length'], jose = best['jose: jwtVerify'];
console.log(`token of ${token.length} bytes, RS256, Node ${process.versions.node}`);
for (const [name, time] of Object.entries(best)) console.log(`  ${name.padEnd(46)}${time.toFixed(2).padStart(9)} µs ${(time / jose).toFixed(3).padStart(7)} ×`);
const MOST = 5, beyond = best['gateway: a token with a known verdict'] - plain;
console.log(`  a known verdict costs ${beyond.toFixed(2)} µs beyond a plain secret; ${MOST.toFixed(1)} are allowed`);
if (beyond > MOST) process.exitCode = 1;
