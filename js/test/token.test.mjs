// `token` and `hash`: what is made, what is shown where, and what is refused.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { configFor, workspace } from './support.mjs';

const { file, run } = workspace();
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

test('a token has prefix, 192 random bits and a checksum, and is not made twice', () => {
  const { stdout, stderr, status } = run(['token', '--name', 'idp-2027', '--expires', '2099-12-31']);
  assert.match(stdout, /^scimlock_[A-Za-z0-9_-]{38}\n$/);
  const token = stdout.trim();
  assert.ok(stderr.includes(sha256(token)) && !stderr.includes(token), 'the hash, and not the token, on standard error');
  assert.match(stderr, /name: idp-2027\n +sha256: [0-9a-f]{64}\n +expires: 2099-12-31\n$/);
  assert.equal(status, 0);
  assert.notEqual(run(['token']).stdout, stdout);
});

test('what is printed is what a configuration takes', () => {
  const { token, sha256: hash } = JSON.parse(run(['token', '--json']).stdout);
  assert.equal(hash, sha256(token));
  const checked = run(['check', file('c.json', configFor('https://app.example'))], { env: { IDP_TOKEN: hash, PROVIDER_TOKEN: 'x' } });
  assert.equal(checked.status, 0, checked.stdout);
});

test('hash reads standard input, without the last line break', () => {
  const { token } = JSON.parse(run(['token', '--json']).stdout);
  for (const input of [token, `${token}\n`, `${token}\r\n`]) assert.equal(run(['hash'], { input }).stdout, `${sha256(token)}\n`);
  const short = run(['hash'], { input: 'secret' });
  assert.deepEqual([short.stdout, short.status], [`${sha256('secret')}\n`, 0]);
  assert.match(short.stderr, /warning: 6 characters can be guessed/);
});

test('what cannot be a token is refused, and never shown', () => {
  const { token } = JSON.parse(run(['token', '--json']).stdout);
  for (const [input, message] of [['', /no token/], [`Bearer ${token}`, /white space/], [token.slice(0, -1), /checksum/], [`${token.slice(0, 20)}A${token.slice(21)}`, /checksum/]]) {
    if (input.slice(20, 21) === token.slice(20, 21) && input.length === token.length) continue;
    const { stdout, stderr, status } = run(['hash'], { input });
    assert.match(stderr, message);
    assert.ok(!stderr.includes(token.slice(9, 30)));
    assert.deepEqual([stdout, status], ['', 1]);
  }
});
