// `import`: configurations made of others' exported mappings pass the check, up to what they say is left to a human.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { SECRETS, workspace } from './support.mjs';

const YAML = createRequire(import.meta.url)('yaml');
const { file, read, run } = workspace();
const sample = (name) => readFileSync(new URL(`import/${name}.json`, import.meta.url), 'utf8');
file('schema.json', sample('synchronization-schema'));
file('transformation.json', sample('transformation'));
const env = { SCIM_TOKEN_SHA256: SECRETS.IDP_TOKEN, PROVIDER_TOKEN: 'x' };

/** Imports a file; answers text, rules and what is said at the end, and what `check` says of the result. */
function imported(format, name, ...more) {
  const output = `${format}${more.join('')}.yaml`;
  const { stdout, stderr, status } = run(['import', format, name, '-o', output, ...more]);
  assert.deepEqual([stdout, status], ['', 0], stderr);
  const text = read(output);
  const config = YAML.parse(text);
  return { text, route: config.routes.imported, said: stderr, checked: run(['check', output], { env }), lines: text.split('\n') };
}

test('a synchronization schema: rules, custom extension, matching attributes, flow types', () => {
  const { text, route, said, checked, lines } = imported('entra', 'schema.json');
  assert.equal(checked.status, 0, checked.stdout);
  assert.doesNotMatch(checked.stdout, /^error/m);
  const custom = 'urn:ietf:params:scim:schemas:extension:nordwind:2.0:User';
  const user = Object.fromEntries(route.mapping.User.map((rule) => [rule.idp, rule]));
  assert.deepEqual(Object.keys(user), [
    'userName', 'externalId', 'active', 'emails[type eq "work"].value', 'roles[primary eq true].value', 'userType', 'locale',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager', `${custom}:badgeNumber`, `${custom}:sites`,
  ]);
  assert.deepEqual(user.externalId.operations, ['create'], 'ObjectAddOnly');
  assert.deepEqual(route.mapping.Group.map(({ provider }) => provider), ['displayName', 'externalId', 'members']);
  assert.deepEqual(route.idp.profile.idp.matching, { Group: ['displayName'], User: ['externalId', 'userName'] });
  assert.deepEqual(route.provider.profile.schemas[0].attributes, [{ name: 'badgeNumber', type: 'integer' }, { name: 'sites', type: 'string', multiValued: true, caseExact: true }]);
  // What could not be used is told, with the reason, at its place.
  assert.match(text, /TODO not used: the mapping "Provision Devices" is not enabled/);
  assert.match(text, /TODO the schema of `User` has no attribute `shoeSize`[^\n]*\n *# {3}it was: \[extensionAttribute3\]/);
  assert.match(text, /TODO flow type MultiValueAddOnly/);
  assert.match(text, /The IdP's mapping has no Delete/);
  const [, listed] = /(\d+) lines need a human: ([\d, ]+)/.exec(said).slice(1);
  for (const line of listed.split(', ')) assert.match(lines[line - 1], /# TODO /);
  assert.equal(listed.split(', ').length, lines.filter((line) => line.includes('# TODO ')).length);
});

test('a transformation: paths, tables, defaults, constants, and gaps with their reasons', () => {
  const { text, route, checked } = imported('sap-ips', 'transformation.json');
  assert.equal(checked.status, 0, checked.stdout);
  const rules = {};
  for (const rule of route.mapping.User) (rules[rule.provider] ??= []).push(rule);
  assert.deepEqual(rules.userName, [{ idp: 'userName', provider: 'userName', transform: 'upper' }]);
  assert.deepEqual(rules.externalId, [{ idp: 'externalId', provider: 'externalId', transform: { prefix: 'HR-' } }]);
  assert.deepEqual(rules.userType, [{ idp: 'userType', provider: 'userType', values: { Employee: 'E', Contractor: 'C' }, other: 'E' }]);
  assert.deepEqual(rules.locale, [{ idp: 'locale', provider: 'locale' }, { provider: 'locale', default: 'en' }]);
  assert.deepEqual(rules.active, [{ idp: 'active', provider: 'active' }, { provider: 'active', value: true, operations: ['create'] }]);
  assert.deepEqual(rules.title, [{ provider: 'title', value: 'initial', operations: ['create'] }]);
  assert.deepEqual(rules['urn:example:params:scim:schemas:extension:plant:2.0:User:plant'], [{
    idp: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter',
    provider: 'urn:example:params:scim:schemas:extension:plant:2.0:User:plant',
    when: 'userType eq "Employee"',
  }]);
  // A later mapping overwrites an earlier one there; here the first rule wins.
  assert.deepEqual(rules.displayName.map(({ idp }) => idp), ['displayName', 'nickName']);
  assert.ok(rules['emails[type eq "work"].value'] && rules['phoneNumbers[primary eq true].value']);
  assert.deepEqual(route.mapping.Group.map(({ idp }) => idp), ['displayName', 'members']);
  for (const reason of ['convertTimezoneCode', 'deletion was turned into this change', 'no attribute `nowhere`', 'only resources that fit', '`delete` was skipped', 'the entity `companyGroup`', 'here it is the primary one']) {
    assert.match(text, new RegExp(`# TODO [^\n]*${reason}`), reason);
  }
});

const mistakes = {
  'a file that is not there': [['entra', 'none.json'], /^error none\.json: no such file$/m],
  'another kind of file': [['entra', 'transformation.json'], /this is not the schema of a provisioning job/],
  'the other kind of file': [['sap-ips', 'schema.json'], /this is not a transformation/],
  'a list': [['sap-ips', file('list.json', '[]')], /it is no JSON object/],
  'an output that is there': [['entra', 'schema.json', '-o', file('there.yaml', 'mine')], /the file is there already/],
  'an unknown profile': [['entra', 'schema.json', '--provider', 'leanx'], /there is no profile of this name\n {2}did you mean `leanix`\?/],
};
for (const [what, [args, message]] of Object.entries(mistakes)) {
  test(`${what} is refused with a message`, () => {
    const { stdout, stderr, status } = run(['import', ...args]);
    assert.match(stderr, message);
    assert.deepEqual([stdout, status], ['', 1]);
  });
}
