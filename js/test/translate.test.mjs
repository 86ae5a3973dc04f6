// `translate` and `explain`: one message through a route, with a provider that is imagined.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { configFor, workspace } from './support.mjs';

const { file, run: start } = workspace();
const ENV = { PATH: process.env.PATH };
// No secret is needed: none is set.
const run = (args, input) => start(args, { env: ENV, input });

const entra = configFor('https://app.example');
entra.routes.main.idp.profile = 'entra';
entra.routes.other = structuredClone(entra.routes.main);
entra.routes.other.idp.path = '/other';
entra.routes.other.provider.profile = 'leanix';
file('two.json', entra);
file('c.json', { ...entra, routes: { main: entra.routes.main } });

const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
file('user.json', { schemas: [SCHEMA], userName: 'ada@example.com', active: 'True' });
file('patch.json', { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'Replace', path: 'active', value: 'False' }] });
// An IdP that creates elements by a value path, and a provider that does not: the state decides.
file('upsert.json', { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'add', path: 'emails[type eq "work"].value', value: 'new@example.com' }] });
file('state.json', { schemas: [SCHEMA], id: '42', userName: 'ada@example.com', emails: [{ type: 'work', value: 'old@example.com' }] });
file('list.json', { schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults: 1, Resources: [{ schemas: [SCHEMA], id: '42', userName: 'ada@example.com', meta: { location: 'https://app.example/api/Users/42' } }] });

function calls(...args) {
  const { stdout, stderr } = run(['translate', ...args, '--json']);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout).calls;
}

test('a resource, a change and a query to the provider', () => {
  const [created] = calls('c.json', 'user.json');
  assert.deepEqual([created.method, created.url, created.body.active], ['POST', 'https://app.example/api/Users', true]);
  const [replaced] = calls('c.json', 'user.json', '--method', 'PUT', '--id', '7 8');
  assert.deepEqual([replaced.method, replaced.url], ['PUT', 'https://app.example/api/Users/7%208']);
  const [patched] = calls('c.json', 'patch.json', '--id', '42');
  assert.deepEqual([patched.method, patched.url, patched.body.Operations], ['PATCH', 'https://app.example/api/Users/42', [{ op: 'replace', path: 'active', value: false }]]);
  const [asked] = calls('c.json', '--filter', 'userName eq "ada"');
  assert.equal(new URL(asked.url).searchParams.get('filter'), 'userName eq "ada"');
  const [deleted] = calls('c.json', '--method', 'DELETE', '--id', '42', '--type', 'group');
  assert.deepEqual([deleted.method, deleted.url], ['DELETE', 'https://app.example/api/Groups/42']);
});

test('who may call does not matter: an open route of this machine, and one that is paused', () => {
  const { accept, ...idp } = entra.routes.main.idp;
  file('open.json', { ...entra, public_url: 'http://127.0.0.1:8080', routes: { main: { ...entra.routes.main, mode: 'paused', idp: { ...idp, open: true } } } });
  assert.equal(calls('open.json', 'user.json')[0].method, 'POST');
});

test('plain output is the request as it is sent', () => {
  const { stdout, stderr, status } = run(['translate', 'c.json', '-'], JSON.stringify({ schemas: [SCHEMA], userName: 'ada' }));
  assert.equal(stdout, `POST https://app.example/api/Users\n{ "schemas": ["${SCHEMA}"], "userName": "ada" }\n`);
  assert.deepEqual([stderr, status], ['', 0]);
});

test('what depends on the state says so, and goes on with --state', () => {
  const without = run(['translate', 'c.json', 'upsert.json']);
  assert.match(without.stdout, /^GET https:\/\/app\.example\/api\/Users\/ID\n$/);
  assert.match(without.stderr, /--state FILE/);
  assert.equal(without.status, 1);
  const [read, write] = calls('c.json', 'upsert.json', '--state', 'state.json');
  assert.deepEqual([read.method, write.method, write.url], ['GET', 'PATCH', 'https://app.example/api/Users/42']);
  assert.match(JSON.stringify(write.body), /new@example\.com/);
});

test('what is read for the answer to the IdP needs no state', () => {
  const profile = { extends: 'entra', idp: { answers: { patch: 200 } } };
  file('answers.json', { ...entra, routes: { main: { ...entra.routes.main, idp: { ...entra.routes.main.idp, profile } } } });
  const { stdout, status } = run(['translate', 'answers.json', 'patch.json', '--json']);
  assert.deepEqual(JSON.parse(stdout).calls.map(({ method }) => method), ['PATCH', 'GET']);
  assert.equal(status, 0);
});

test('answers of the provider to the IdP', () => {
  const shown = (...args) => JSON.parse(run(['translate', '--to', 'idp', ...args]).stdout);
  assert.equal(shown('c.json', 'state.json').userName, 'ada@example.com');
  assert.equal(shown('c.json', 'list.json').Resources[0].meta.location, 'https://scim.example/scim/v2/Users/42');
  const failed = run(['translate', '--to', 'idp', 'c.json', file('error.json', { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '404' })]);
  assert.match(failed.stderr, /^refused with 404: the provider has no such resource$/m);
  assert.equal(failed.status, 1);
});

test('explain: every repair with rule, RFC section and evidence', () => {
  const plain = run(['explain', 'c.json', 'patch.json']);
  for (const text of ['E01', 'E02', 'RFC 7643 section 2.3.2', 'verified: ', 'PATCH https://app.example/api/Users/ID', '"value":"***"']) assert.ok(plain.stdout.includes(text) || plain.stdout.includes(text.replace(':', ': ')), `${text}\n${plain.stdout}`);
  assert.match(plain.stderr, /--show-values/);
  assert.equal(plain.status, 0);
  const steps = run(['explain', 'c.json', 'patch.json', '--json', '--show-values']).stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(steps.map(({ step }) => step), ['request', 'message', 'repair', 'repair', 'call']);
  assert.deepEqual(steps[3].before, { op: 'Replace', path: 'active', value: 'False' });
  assert.deepEqual(steps[3].after, [{ op: 'replace', path: 'active', value: false }]);
});

test('explain: rules with what they made of what', () => {
  const route = { ...entra.routes.main, mapping: { User: [{ idp: 'userType', provider: 'title', values: { Employee: 'E' } }] } };
  file('rules.json', { ...entra, routes: { main: route } });
  const args = ['explain', 'rules.json', file('typed.json', { schemas: [SCHEMA], userName: 'ada', userType: 'Employee' }), '--show-values'];
  assert.match(run(args).stdout, /^rule +User rule 1 {2}userType → title\n +before "Employee"\n +after {2}"E"$/m);
});

test('explain: what no rule carries', () => {
  const route = { ...entra.routes.main, mapping: { User: [{ idp: 'title', drop: true }] } };
  file('drops.json', { ...entra, routes: { main: route } });
  const args = ['explain', 'drops.json', file('titled.json', { schemas: [SCHEMA], userName: 'ada', title: 'Countess' }), '--show-values'];
  assert.match(run(args).stdout, /^dropped +title {2}User rule 1 says `drop: true`\n +"Countess"$/m);
});

test('explain: what is done otherwise than asked says why', () => {
  const steps = run(['explain', 'c.json', 'upsert.json', '--state', 'state.json', '--json']).stdout.trim().split('\n').map((line) => JSON.parse(line));
  const [first] = steps.filter(({ step }) => step === 'adaptation');
  assert.match(first.what, /depends on the resource, which is read first/);
  assert.equal(first.fact, 'RFC 7644 section 3.5.2');
  const plain = run(['explain', 'c.json', 'upsert.json', '--state', 'state.json']).stdout;
  assert.match(plain, /^adaptation +what the change means depends on the resource/m);
});

test('explain: values are masked unless asked for', () => {
  const args = ['explain', 'c.json', 'user.json'];
  assert.doesNotMatch(run(args).stdout, /ada@/);
  assert.doesNotMatch(run([...args, '--json']).stdout, /ada@/);
  assert.match(run([...args, '--show-values']).stdout, /ada@example\.com/);
  assert.doesNotMatch(run(['explain', 'c.json', '--filter', 'userName eq "ada@x"']).stdout, /ada@/);
});

test('a message that is refused says why', () => {
  for (const command of ['translate', 'explain']) {
    const { stderr, status } = run([command, 'c.json', file('wrong.json', { schemas: [SCHEMA], userName: 7 })]);
    assert.match(stderr, /^refused with 400 invalidValue: .*userName/m);
    assert.equal(status, 1);
  }
});

const mistakes = {
  'a route that is misspelt': [['two.json', 'user.json', '--route', 'mian'], 1, /there is no route `mian`: did you mean `main`\?/],
  'no route among several': [['two.json', 'user.json'], 1, /--route main \| other/],
  'a message that is not there': [['c.json', 'none.json'], 1, /^error none\.json: no such file$/m],
  'broken JSON': [['c.json', file('broken.json', '{\n "a": 1,\n "b" 2 }')], 1, /^error broken\.json:3: this is not JSON/m],
  'an empty message': [['c.json', file('empty.json', '')], 1, /^error empty\.json: the file is empty$/m],
  'a message that is no object': [['c.json', file('list-only.json', '[]')], 1, /a SCIM message is a JSON object/],
  'a type that is misspelt': [['c.json', 'user.json', '--type', 'Usr'], 1, /no resource type `Usr`: did you mean `User`\?/],
  'a list to the provider': [['c.json', 'list.json'], 1, /say `--to idp`/],
  'no message at all': [['c.json'], 2, /name the file with the message/],
  'another side': [['c.json', 'user.json', '--to', 'providr'], 2, /Allowed choices are provider, idp/],
  'a configuration with errors': [[file('bad.json', { version: 1 }), 'user.json'], 1, /^error \[SL\d{4}\] bad\.json:1/m],
};
for (const [what, [args, status, message]] of Object.entries(mistakes)) {
  test(`${what} is refused with a message`, () => {
    const got = run(['translate', ...args]);
    assert.match(got.stderr, message);
    assert.equal(got.stdout, '');
    assert.equal(got.status, status);
  });
}
