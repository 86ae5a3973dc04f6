// `profiles`, `profile` and `matrix`: what is shown of products, and the README's table, which is made of it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { workspace } from './support.mjs';

const YAML = createRequire(import.meta.url)('yaml');
const ROOT = new URL('../../', import.meta.url);
const { run } = workspace();
const json = (...args) => JSON.parse(run([...args, '--json']).stdout);
const cells = json('matrix');
const state = (idp, provider, capability) => cells.find((cell) => cell.idp === idp && cell.provider === provider && cell.capability === capability)?.state;

test('every file of src/profiles is listed, with its roles', () => {
  const files = readdirSync(new URL('src/profiles', ROOT)).map((name) => name.replace('.json', '')).sort();
  const listed = json('profiles');
  assert.deepEqual(listed.map(({ name }) => name).sort(), files);
  const { idp, provider, title } = listed.find(({ name }) => name === 'entra');
  assert.deepEqual([idp, provider, title], [true, false, 'Microsoft Entra ID']);
  assert.ok(listed.every((each) => each.idp || each.provider), 'nothing without a role');
  const { stdout } = run(['profiles']);
  for (const name of files) assert.match(stdout, new RegExp(`^${name} .*(IdP|provider)`, 'm'));
});

test('a page shows every belief with its mark, and parameters with their value', () => {
  for (const { name } of json('profiles')) {
    const { stdout, status } = run(['profile', name]);
    assert.equal(status, 0);
    assert.ok(stdout.includes(`\`${name}\``) && stdout.includes('Resources'), name);
    assert.doesNotMatch(stdout, /undefined|\[object/, name);
  }
  const { stdout } = run(['profile', 'entra']);
  assert.match(stdout, /^✓ E01 +opCase +A patch operation's name.* Microsoft/m);
  assert.match(stdout, /^~ E04 +upsert/m);
  assert.match(run(['profile', 'leanix']).stdout, /^✓ credentials\.long_lived +the same, exchanged .*; with: token, workspace, role /m);
  const open = run(['profile', 'github-organization']).stdout;
  assert.match(open, /^\? paging\.style +index/m);
  assert.match(open, /Parameters: not verified[^]*paging\.default +30[^]*extends: github-organization\n +provider: \{ paging: /);
});

test('what a page says of a parameter is what a route can write', () => {
  const { stdout } = run(['profile', 'github-organization']);
  const side = YAML.parse(stdout.slice(stdout.indexOf('  provider:\n    profile:')));
  assert.deepEqual(Object.keys(side.provider.profile), ['extends', 'provider']);
});

test('the matrix has a state for each IdP, provider and capability, with the reason where it is not supported', () => {
  const listed = json('profiles');
  const pairs = listed.filter(({ idp }) => idp).length * listed.filter(({ provider }) => provider).length;
  const capabilities = new Set(cells.map(({ capability }) => capability));
  assert.equal(capabilities.size, 14);
  assert.equal(cells.length, pairs * 14);
  for (const cell of cells) if (cell.state !== 'supported') assert.ok(cell.why, JSON.stringify(cell));
});

// What SecureAuth publishes for release 22.12.
test('the published matrix of SecureAuth holds', () => {
  const table = {
    'aws': ['supported', 'supported', 'supported', 'supported', 'supported', 'unsupported', 'unsupported'],
    'github': ['supported', 'unsupported', 'unsupported', 'unsupported', 'supported', 'unsupported', 'unsupported'],
    'salesforce': ['supported', 'unsupported', 'unsupported', 'limited', 'supported', 'unsupported', 'unsupported'],
  };
  const columns = ['user.create', 'group.create', 'members.add', 'user.update', 'user.deactivate', 'group.delete', 'members.remove'];
  for (const [target, states] of Object.entries(table)) {
    const { idp, provider } = profilesOf(`secureauth-to-${target}`);
    assert.deepEqual(columns.map((capability) => state(idp, provider, capability)), states, `${idp} to ${provider}`);
    for (const cell of cells.filter((one) => one.idp === idp && one.provider === provider && one.state === 'unsupported')) {
      if (columns.includes(cell.capability)) assert.ok(cell.manual, `${target} ${cell.capability}: what an admin does by hand`);
    }
  }
  assert.match(run(['matrix', '--idp', 'secureauth-aws', '--provider', 'aws']).stdout, /22\.12/);
});

test('the matrix for people: a pair, one side, all', () => {
  const { stdout } = run(['matrix', '--idp', 'okta', '--provider', 'leanix']);
  assert.match(stdout, /^– group\.create +unsupported: .*no Groups/m);
  assert.match(stdout, /^– user\.delete +unsupported: Okta.*\n +by hand: /m);
  assert.match(run(['matrix', '--provider', 'aws']).stdout, /^ +.*entra {2}.*\nuser\.create .*●/m);
  assert.match(run(['matrix']).stdout, /^entra +\d+\/14/m);
});

test('misspelt names are answered with the nearest one', () => {
  for (const [args, message] of [[['profile', 'oktaa'], /did you mean `okta`\?/], [['matrix', '--provider', 'awss'], /there is no provider `awss`: did you mean `aws`\?/]]) {
    const { stdout, stderr, status } = run(args);
    assert.match(stderr, message);
    assert.deepEqual([stdout, status], ['', 1]);
  }
});

test('the table in the README is what the matrix says of the examples', () => {
  const file = new URL('README.md', ROOT);
  const readme = readFileSync(file, 'utf8');
  const [begin, end] = ['<!-- matrix -->\n', '<!-- /matrix -->'];
  const at = readme.indexOf(begin) + begin.length;
  const shown = readme.slice(at, readme.indexOf(end));
  const made = table();
  if (process.env.UPDATE && !process.env.CI) writeFileSync(file, readme.slice(0, at) + made + readme.slice(readme.indexOf(end)));
  else assert.equal(shown, made, 'run the tests with UPDATE=1 and look at the change');
});

/** The profiles of an example's first route. */
function profilesOf(example) {
  const { routes } = YAML.parse(readFileSync(new URL(`examples/${example}/scimlock.yaml`, ROOT), 'utf8'));
  const [{ idp, provider }] = Object.values(routes);
  return { idp: idp.profile.extends ?? idp.profile, provider: provider.profile.extends ?? provider.profile };
}

function table() {
  const signs = { 'supported': '●', 'emulated': '◆', 'limited': '◐', 'unsupported': '–', 'not executed': '!' };
  const columns = {
    'create': 'user.create', 'update': 'user.update', 'deactivate': 'user.deactivate', 'reactivate': 'user.reactivate', 'delete': 'user.delete',
    'group': 'group.create', 'rename': 'group.update', 'delete group': 'group.delete', 'assign': 'members.add', 'remove': 'members.remove',
  };
  const pairs = readdirSync(new URL('examples', ROOT)).sort().filter((name) => /-to-/.test(name) && !name.includes('generic'));
  const rows = pairs.map((name) => {
    const { idp, provider } = profilesOf(name);
    return `| [${name.replace('-to-', ' → ')}](examples/${name}) | ${Object.values(columns).map((capability) => signs[state(idp, provider, capability)]).join(' | ')} |\n`;
  });
  return `| | ${Object.keys(columns).join(' | ')} |\n|---|${'---|'.repeat(Object.keys(columns).length)}\n${rows.join('')}\n${Object.entries(signs).map(([word, sign]) => `${sign} ${word}`).join(' · ')}\n`;
}
