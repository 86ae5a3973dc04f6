// What a whole exchange costs in JavaScript, beside JSON.parse and JSON.stringify of the same bytes in the same run.
// Needs js/dist: `cargo xtask build`, then `node benches/package.mjs`.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createGateway } from '../js/dist/index.js';

const providers = JSON.parse(readFileSync(new URL('providers.json', import.meta.url), 'utf8'));
const ROUNDS = 30;
const REFUSED = 'handle: read, checked and refused';
const user = readFileSync(new URL('user.json', import.meta.url), 'utf8').trim();
const bytes = new TextEncoder().encode(user);
const created = new TextEncoder().encode(JSON.stringify({ id: '42', ...JSON.parse(user) }));
const refused = new TextEncoder().encode(user.replace('"userName"', '"nameless"'));
const type = 'application/scim+json';

function config(provider) {
  const sha256 = createHash('sha256').update('test').digest('hex');
  const accept = [{ bearer: { name: 'bench', sha256, expires: '2099-12-31' } }];
  const idp = { profile: 'generic', path: '/scim/v2', accept };
  const credential = { bearer: '${TOKEN}' };
  const route = { idp, provider: { profile: provider, url: 'https://app.example/api', credential } };
  return { version: 1, public_url: 'https://scim.example', routes: { bench: route } };
}

/** The provider: it has read the body and answers with the user. */
async function provider(_url, init) {
  await new Response(init.body).arrayBuffer();
  return new Response(created, { status: 201, headers: { 'content-type': type } });
}

async function exchanges(profile) {
  const options = { secrets: { TOKEN: 'secret' }, fetch: provider, onAudit: () => {} };
  const gateway = await createGateway(config(profile), options);
  const fields = [['authorization', 'Bearer test'], ['accept', type], ['content-type', type]];
  return {
    handle: (body = bytes) => gateway.handle({ method: 'POST', path: '/scim/v2/Users', headers: fields, body }),
    fetch: async () => {
      const request = new Request('https://scim.example/scim/v2/Users', { method: 'POST', headers: fields, body: bytes });
      const response = await gateway.fetch(request);
      return { status: response.status, body: await response.arrayBuffer() };
    },
  };
}

const [generic, mapped] = [await exchanges(providers.plain), await exchanges(providers.mapped)];
const ways = {
  'JSON.parse and JSON.stringify, both bodies': () => {
    for (const body of [bytes, created]) {
      new TextEncoder().encode(JSON.stringify(JSON.parse(new TextDecoder().decode(body))));
    }
    return { status: 201 };
  },
  'Request, fetch and Response without gateway': async () => {
    const request = new Request('https://scim.example/Users', { method: 'POST', headers: { 'content-type': type }, body: bytes });
    const response = await provider(request.url, { body: await request.arrayBuffer() });
    return { status: response.status, body: await response.arrayBuffer() };
  },
  [REFUSED]: () => generic.handle(refused),
  'handle: both bodies through the gateway': () => generic.handle(),
  'handle: mapped both ways': () => mapped.handle(),
  'fetch: both bodies through the gateway': generic.fetch,
  'fetch: mapped both ways': mapped.fetch,
};

const best = Object.fromEntries(Object.keys(ways).map((name) => [name, Infinity]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const loops = 500;
    const start = process.hrtime.bigint();
    for (let index = 0; index < loops; index++) {
      const { status } = await way();
      if (status !== (name === REFUSED ? 400 : 201)) throw new Error(`${name}: status ${status}`);
    }
    best[name] = Math.min(best[name], Number(process.hrtime.bigint() - start) / loops / 1000);
  }
}

const [baseline] = Object.values(best);
console.log(`user of ${bytes.length} bytes, Node ${process.versions.node}`);
for (const [name, time] of Object.entries(best)) {
  console.log(`  ${name.padEnd(46)}${time.toFixed(2).padStart(9)} µs ${(time / baseline).toFixed(3).padStart(7)} ×`);
}
