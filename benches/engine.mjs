// What payloads cost in wasm under Node, beside what V8 and scim-patch need for the same in the same run. Fails where the engine
// is over its bar. `cargo xtask bench` builds what this takes: the folder in SCIMLOCK_BENCH.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { Engine } = require(join(process.env.SCIMLOCK_BENCH, 'engine.cjs'));
const scimPatch = createRequire(new URL('../tests/peers/package.json', import.meta.url))('scim-patch');

const ROUNDS = 40;
const providers = JSON.parse(readFileSync(new URL('providers.json', import.meta.url), 'utf8'));
const [encode, decode] = [new TextEncoder(), new TextDecoder()];
const user = encode.encode(readFileSync(new URL('user.json', import.meta.url), 'utf8').trim());
const list = encode.encode(JSON.stringify({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults: 1000,
  startIndex: 1,
  itemsPerPage: 1000,
  Resources: Array.from({ length: 1000 }, (_, at) => ({ ...JSON.parse(decode.decode(user)), id: String(at), userName: `user.${at}@acme.example` })),
}));
const member = (at) => ({ value: `26118915-6090-4610-87e4-${String(at).padStart(12, '0')}`, type: 'User' });
const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'All', members: Array.from({ length: 10_000 }, (_, at) => member(at)) };
const removals = (count) => Array.from({ length: count }, (_, at) => ({ op: 'remove', path: `members[value eq "${member(97 * at + 50).value}"]` }));

function engine(profile) {
  const sha256 = createHash('sha256').update('test').digest('hex');
  const accept = [{ bearer: { name: 'bench', sha256, expires: '2099-12-31' } }];
  const provider = { profile, url: 'https://app.example/api', credential: { bearer: '${TOKEN}' } };
  const routes = { bench: { idp: { profile: 'generic', path: '/scim/v2', accept }, provider } };
  return Engine.compile(JSON.stringify({ version: 1, public_url: 'https://scim.example', routes }), 'secret');
}

const [plain, mapped] = [engine(providers.plain), engine(providers.mapped)];
const parse = (bytes) => JSON.parse(decode.decode(bytes));
const both = (bytes) => encode.encode(JSON.stringify(parse(bytes)));
const times = (loops, work) => { for (let at = 0; at < loops; at++) work(); };

/** A way: `prepare` is not measured. */
const way = (name, run, prepare) => ({ name, run, prepare });
function patches(count) {
  const operations = removals(count);
  const message = encode.encode(JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations }));
  let copy;
  return {
    title: `a PATCH that removes ${count} of 10,000 members`,
    loops: 1,
    // V8 compiles what runs often, and one operation runs once a round.
    rounds: count === 1 ? 10 * ROUNDS : ROUNDS,
    ways: [
      way('scim-patch, on parsed JSON', () => scimPatch.scimPatch(copy, operations, { mutateDocument: true }), () => { copy = structuredClone(group); }),
      way('read, check and apply', () => plain.patch(message), () => plain.hold(encode.encode(JSON.stringify(group)), 1)),
    ],
    bar: 1 / 50,
  };
}

const groups = [
  { title: `a user of ${user.length} bytes`, loops: 400, bar: 1, ways: [
    way('JSON.parse', (loops) => times(loops, () => parse(user))),
    way('read and validate', (loops) => plain.check(user, loops)),
  ] },
  { title: `a user of ${user.length} bytes, through 20 rules`, loops: 400, bar: 0.5, ways: [
    way('JSON.parse and JSON.stringify', (loops) => times(loops, () => both(user))),
    way('read, validate, map and write', (loops) => mapped.create(user, loops)),
  ] },
  { title: `a list of 1,000 users, ${list.length} bytes`, loops: 1, bar: 0.5, ways: [
    way('JSON.parse and JSON.stringify', () => both(list)),
    way('read, map and write', () => mapped.list(list, 1)),
  ] },
  patches(1),
  patches(100),
];

let over = 0;
for (const { title, loops, rounds = ROUNDS, ways, bar } of groups) {
  const best = ways.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [at, { run, prepare }] of ways.entries()) {
      prepare?.();
      const start = process.hrtime.bigint();
      if (run(loops) === false) throw new Error(`${title}: refused`);
      best[at] = Math.min(best[at], Number(process.hrtime.bigint() - start) / loops / 1000);
    }
  }
  console.log(`\n${title} (Node ${process.versions.node}, wasm)`);
  for (const [at, { name }] of ways.entries()) console.log(`  ${name.padEnd(40)} ${best[at].toFixed(2).padStart(10)} µs ${(best[at] / best[0]).toFixed(4).padStart(8)} ×`);
  if (best[1] / best[0] > bar) {
    over += 1;
    console.log(`  over the bar of ${bar.toFixed(2)} ×`);
  }
}
process.exitCode = over ? 1 : 0;
