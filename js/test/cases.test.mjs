// `scimlock test`: golden cases beside a configuration.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { configFor, workspace } from './support.mjs';

const { file, read, run: start } = workspace();
const run = (args, env = {}) => start(['test', ...args], { env: { PATH: process.env.PATH, ...env } });

const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
const request = (method, path, body) => ({ idp: { method, path, headers: { authorization: 'Bearer test' }, ...(body ? { body } : {}) } });
const USER = { schemas: [SCHEMA], userName: 'ada@example.com' };

file('scimlock.json', configFor('https://app.example'));
file('not-a-case.json', { steps: 'no', of: 'no interest' }.of);

const create = () => ({
  note: 'a new user',
  steps: [
    request('POST', '/scim/v2/Users', USER),
    { provider: { expect: { method: 'POST', path: '/api/Users', body: USER }, reply: { status: 201, body: { ...USER, id: '7' } } } },
    { idp: { expect: { status: 201, headers: { location: 'https://scim.example/scim/v2/Users/7' }, body: { ...USER, id: '7' } } } },
  ],
});

test('cases pass, and are found in folders', () => {
  file('good/01.json', create());
  file('good/deeper/02.json', { ...create(), note: 'the same once more' });
  const { stdout, status } = run(['good']);
  assert.match(stdout, /^ok {3}good\/01\.json: a new user\nok {3}good\/deeper\/02\.json: the same once more\n2 passed\n$/);
  assert.equal(status, 0);
});

test('differences are shown line by line, on both sides', () => {
  const one = create();
  one.steps[1].provider.expect.body = { ...USER, userName: 'bob@example.com' };
  one.steps[2].idp.expect.status = 200;
  file('bad/01.json', one);
  const { stdout, status } = run(['bad']);
  assert.match(stdout, /^FAIL bad\/01\.json: a new user$/m);
  assert.match(stdout, /to the provider: body:[^]*- .*bob@example\.com[^]*\+ .*ada@example\.com/);
  assert.match(stdout, /to the IdP: status: expected 200, got 201/);
  assert.match(stdout, /^0 passed, 1 failed$/m);
  assert.equal(status, 1);
  const { failed, cases } = JSON.parse(run(['bad', '--json']).stdout);
  assert.equal(failed, 1);
  assert.deepEqual(cases[0].differences.map(({ what }) => what), ['to the provider: body', 'to the IdP: status']);
});

test('a call too many and a call too few are differences', () => {
  const [first, , last] = create().steps;
  file('calls/01.json', { note: 'too many', steps: [first, last] });
  file('calls/02.json', { note: 'too few', steps: [first, ...create().steps.slice(1, 2), ...create().steps.slice(1)] });
  const { stdout } = run(['calls']);
  assert.match(stdout, /to the provider: request: expected none, got POST \/api\/Users/);
  assert.match(stdout, /to the provider: request: expected POST \/api\/Users, got none/);
});

test('--update completes a case and rewrites one, and is refused in CI', () => {
  file('new/01.json', { note: 'only what the IdP sends', steps: [request('PATCH', '/scim/v2/Users/7', { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'replace', path: 'active', value: false }] })] });
  assert.equal(run(['new']).status, 1);
  assert.match(run(['new', '--update'], { CI: 'true' }).stderr, /--update is for people/);
  const { stdout, status } = run(['new', '--update']);
  assert.match(stdout, /^written new\/01\.json$[^]*1 of 1 cases written/m);
  assert.equal(status, 0);
  const { steps } = JSON.parse(read('new/01.json'));
  assert.deepEqual([steps.length, steps[1].provider.expect.method, steps[2].idp.expect.status], [3, 'PATCH', 204]);
  assert.equal(run(['new']).status, 0);
});

test('faults, pieces, times and patches of the configuration are played', () => {
  const read = request('GET', '/scim/v2/Users/7');
  const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '504', detail: 'the provider did not answer in time; the outcome is unknown (request ID)' };
  file('more/01.json', { note: 'a fault', steps: [read, { provider: { expect: { method: 'GET', path: '/api/Users/7' }, fault: 'timeout' } }, { idp: { expect: { status: 504, body } } }] });
  const chunked = create();
  chunked.steps[0].idp.chunks = 5;
  chunked.steps[1].provider.reply.chunks = 3;
  file('more/02.json', chunked);
  file('more/03.json', { ...create(), with: { routes: { main: { idp: { path: '/elsewhere' } } } }, steps: [read, { idp: { expect: { status: 404, body: { schemas: body.schemas, status: '404', detail: 'no route of the gateway has this path (request ID)' } } } }] });
  const { stdout, status } = run(['more']);
  assert.equal(status, 0, stdout);
});

const mistakes = {
  'no case': [['good/none'], /no such file or folder/],
  'a folder without cases': [[(file('nothing/readme.txt', ''), 'nothing')], /there is no case/],
  'a broken case': [[file('broken/01.json', '{"steps": [')], /^error broken\/01\.json:1: this is not JSON/m],
  'an unknown field': [[file('fields/01.json', { ...create(), comment: 'x' })], /fields\/01\.json: unknown field `comment` in a case/],
  'a configuration that is not there': [[file('config/01.json', { ...create(), config: '../none.yaml' })], /there is no configuration at `\.\.\/none\.yaml`/],
};
for (const [what, [args, message]] of Object.entries(mistakes)) {
  test(`${what} is refused with a message`, () => {
    const got = run(args);
    assert.match(got.stderr, message);
    assert.equal(got.status, 1);
  });
}
