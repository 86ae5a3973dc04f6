// Passwords that people choose: slow hashes, computed in Node by well-kept packages beside the event loop.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { hash as argon2 } from '@node-rs/argon2';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { ConfigError, createGateway } from 'scimlock';
import { passwords } from 'scimlock/node';

import { SECRETS, configFor, startProvider } from './support.mjs';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const unpadded = (bytes) => bytes.toString('base64').replaceAll('=', '');
const pbkdf2 = (password) => `$pbkdf2-sha256$i=600000,l=32$${unpadded(Buffer.from('0123456789abcdef'))}$${unpadded(pbkdf2Sync(password, '0123456789abcdef', 600_000, 32, 'sha256'))}`;
const LONG = 'x'.repeat(72);
const HASHES = {
  ada: await argon2('correct horse', { memoryCost: 19_456, timeCost: 2 }),
  bob: await bcrypt('bättery stäple', 10),
  carl: pbkdf2('staple: correct'),
  long: await bcrypt(LONG, 10),
};

function config(origin, users) {
  const made = configFor(origin);
  made.routes.main.idp.accept = users.map((user) => ({ basic: { name: `p-${user}`, user, phc: `\${HASH_${user}}`, expires: '2099-12-31' } }));
  return made;
}
const secrets = { ...SECRETS, ...Object.fromEntries(Object.entries(HASHES).map(([user, hash]) => [`HASH_${user}`, hash])) };

async function start(t, users) {
  const provider = await startProvider(t);
  let clock = Date.now();
  const audit = [];
  const gateway = await createGateway(config(provider.origin, users), { secrets, passwords: await passwords(), onAudit: (line) => audit.push(JSON.parse(line)), now: () => clock });
  const ask = async (user, password, address) => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const answer = await gateway.handle({ method: 'GET', path: '/scim/v2/Users/42', headers: [['authorization', authorization]], body: null, peer: { address } });
    return { ...JSON.parse(Buffer.from(answer.body)), ...answer };
  };
  return { provider, audit, ask, advance: (time) => { clock += time; } };
}

test('each kind of slow hash lets in whose it is, and nobody else', async (t) => {
  const { provider, audit, ask } = await start(t, Object.keys(HASHES));
  const good = [['ada', 'correct horse'], ['bob', 'bättery stäple'], ['carl', 'staple: correct'], ['long', LONG]];
  for (const [user, password] of good) assert.equal((await ask(user, password, '192.0.2.1')).status, 200, user);
  assert.deepEqual(audit.map(({ token }) => token), ['p-ada', 'p-bob', 'p-carl', 'p-long']);
  assert.equal(provider.requests.length, 4);
  for (const [index, [user, password]] of [['ada', 'correct horsE'], ['bob', 'correct horse'], ['eve', 'correct horse'], ['carl', ''], ['long', `${LONG}x`], ['ada', HASHES.ada]].entries()) {
    const answer = await ask(user, password, `192.0.2.${index + 10}`);
    assert.equal(answer.status, 401, `${user} ${password}`);
  }
  assert.equal(provider.requests.length, 4);
  assert.ok(audit.every((record) => !/horse|stäple|correct/.test(JSON.stringify(record))));
});

test('wrong passwords are tried so often from one address; who was let in before stays in', async (t) => {
  const { ask, advance } = await start(t, ['ada']);
  assert.equal((await ask('ada', 'correct horse', '2001:db8::1')).status, 200);
  const tries = await Promise.all(Array.from({ length: 20 }, (_, at) => ask('ada', `guess-${at}`, `2001:db8::${at + 2}`)));
  const statuses = tries.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [...Array(9).fill(401), ...Array(11).fill(429)]);
  const busy = tries.find(({ status }) => status === 429);
  assert.match(busy.detail, /too many passwords were tried/);
  assert.deepEqual(busy.headers.find(([name]) => name === 'retry-after'), ['retry-after', '60']);
  assert.equal((await ask('ada', 'correct horse', '2001:db8::1')).status, 200, 'its verdict is kept');
  assert.equal((await ask('ada', 'wrong', '2001:db8:1::1')).status, 401, 'another network');
  advance(61_000);
  assert.equal((await ask('ada', 'wrong', '2001:db8::1')).status, 401);
});

test('many tries at once leave the event loop free', async (t) => {
  const { ask } = await start(t, ['ada', 'bob', 'carl']);
  let ticks = 0;
  const timer = setInterval(() => { ticks += 1; }, 5);
  await Promise.all(Array.from({ length: 8 }, (_, at) => ask('ada', `guess-${at}`, '192.0.2.1')));
  clearInterval(timer);
  assert.ok(ticks > 5, `${ticks} ticks`);
});

test('a hash that this host cannot compute is refused where the gateway is made', async (t) => {
  const { algorithms } = await passwords();
  assert.deepEqual(algorithms, ['argon2id', 'bcrypt', 'pbkdf2']);
  const refused = async (phc, options = {}) => {
    const made = config('http://127.0.0.1:1', ['ada']);
    made.routes.main.idp.accept[0].basic.phc = phc;
    const error = await createGateway(made, { secrets: SECRETS, passwords: { algorithms }, ...options }).then(() => undefined, (error) => error);
    assert.ok(error === undefined || error instanceof ConfigError);
    return error?.problems.map(({ code, message }) => `${code} ${message}`);
  };
  assert.deepEqual(await refused(HASHES.ada), undefined);
  assert.deepEqual(await refused(HASHES.ada, { passwords: undefined }), ['SL0409 this host does not compute slow hashes of passwords (`argon2id`)']);
  assert.deepEqual(await refused(HASHES.bob, { passwords: { algorithms: ['pbkdf2'] } }), ['SL0409 this host does not compute slow hashes of passwords (`bcrypt`)']);
  assert.match((await refused('correct horse'))[0], /is no slow hash of a password/);
  assert.match((await refused(HASHES.ada.replace('m=19456', 'm=9999999')))[0], /takes too long/);
  const weak = config('http://127.0.0.1:1', ['ada']);
  weak.routes.main.idp.accept[0].basic.phc = HASHES.ada.replace('m=19456', 'm=64');
  const { warnings } = await createGateway(weak, { secrets: SECRETS, passwords: { algorithms } });
  assert.ok(warnings.some(({ message }) => message === 'this hash can be tried too quickly'));

  const directory = mkdtempSync(join(tmpdir(), 'scimlock-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'c.json');
  const check = (made) => {
    writeFileSync(file, JSON.stringify(made));
    try { return execFileSync('node', [CLI, 'check', file], { env: { ...process.env, ...secrets }, encoding: 'utf8' }); } catch (error) { return error.stdout + error.stderr; }
  };
  assert.doesNotMatch(check(config('http://127.0.0.1:1', ['ada'])), /SL0409/);
  assert.match(check({ ...config('http://127.0.0.1:1', ['ada']), envoy: { clusters: { '127.0.0.1:1': 'app' } } }), /SL0409/);
});

test('`scimlock hash --password` makes one', async () => {
  const run = (input) => execFileSync('node', [CLI, 'hash', '--password'], { input, encoding: 'utf8', stdio: 'pipe' });
  const hash = run('correct horse battery\n').trim();
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  const { verify } = await passwords();
  assert.equal(await verify('argon2id', hash, Buffer.from('correct horse battery')), true);
  assert.equal(await verify('argon2id', hash, Buffer.from('correct horse')), false);
  assert.throws(() => run('\n'), /no password/);
  assert.throws(() => run('a\u0007b'), /control characters/);
});
