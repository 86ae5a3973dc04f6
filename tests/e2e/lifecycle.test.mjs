// The life-cycle bar: what Entra ID and Okta do to users and groups from the first probe to the last deletion, through
// scimlock to every simulated provider in strict mode. No provider refuses anything but what the matrix declares, and the
// IdP sees valid answers alone. Runs through Envoy too, for two providers, where SCIMLOCK_ENVOY and SCIMLOCK_WASM say so.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startEnvoy, startNode, stopAll } from '../../xtask/demo/hosts.mjs';
import { loadConfig, secretsOf } from '../runners/case.mjs';
import { createSimulator } from '../simulators/server.mjs';
import { entra, okta } from './lifecycle.mjs';
import { exchange } from './replay.mjs';

const CREDENTIAL = 'provider-secret';
const IDPS = { entra, okta };
const HOSTS = { node: startNode, ...(process.env.SCIMLOCK_ENVOY && { envoy: startEnvoy }) };

/** What each step needs of a provider; the other steps need what everybody can. */
const NEEDS = {
  'group.create': ['group'],
  'group.read': ['read group'],
  'group.update': ['rename group', 'rename'],
  'group.delete': ['delete group', 'unlink group'],
  'members.add': ['members', 'member again', 'members by replacing'],
  'members.remove': ['remove member', 'remove member, flagged', 'swap'],
  'user.deactivate': ['disable', 'deactivate', 'deactivate by replacing'],
  'user.reactivate': ['enable', 'activate'],
  'user.delete': ['delete'],
};
const CLI = fileURLToPath(new URL('../../js/dist/cli.js', import.meta.url));

/** What `scimlock matrix` says of a provider: the capabilities that it lacks. */
function lacking(provider) {
  const { stdout, stderr } = spawnSync(process.execPath, [CLI, 'matrix', '--idp', 'generic', '--provider', provider, '--json'], { encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout).filter(({ state }) => state === 'unsupported').map(({ capability }) => capability);
}

/**
 * The status that the IdP gets in a step; null: the step makes no sense. What the matrix calls unsupported is answered 501, and
 * where there are no groups nothing is done to one; `beside` is what else follows from the provider.
 */
function declared(provider, beside = {}) {
  const lacks = lacking(provider);
  const refused = lacks.flatMap((capability) => (NEEDS[capability] ?? []).map((step) => [step, lacks.includes('group.read') && step !== 'group' ? null : 501]));
  return { ...Object.fromEntries(refused), ...beside };
}

// An attribute that the provider does not have cannot be asked for (`check` says so, too).
const NO_MANAGER = { 'manager there?': 400 };
// Routes that match: a user who is there is met, not made twice.
const MATCHED = { 'mira again': 201 };
const PROVIDERS = {
  generic: { example: 'entra-to-generic' },
  // A deletion archives: the user can still be read.
  leanix: { example: 'entra-to-leanix', beside: { ...NO_MANAGER, ...MATCHED, 'deleted?': 200 } },
  aws: { example: 'entra-to-aws', envoy: true },
  // A deletion suspends: what cannot be undone is not done unasked.
  'github-enterprise': { example: 'entra-to-github-enterprise', envoy: true, beside: { ...NO_MANAGER, 'deleted?': 200 } },
  // A deactivation deletes: what comes after meets nobody.
  'github-organization': {
    example: 'secureauth-to-github',
    options: { appKey: readFileSync(new URL('../keys/rsa.pem', import.meta.url)) },
    beside: { ...NO_MANAGER, ...MATCHED, enable: 404, activate: 404, delete: 404, 'read to deactivate': 404, 'deactivate by replacing': null },
  },
  'sap-iam': { example: 'okta-to-sap-iam', beside: NO_MANAGER, change: ({ provider }) => { provider.credential.basic.user = 'SCIM_COMM_USER'; } },
  'sap-cloud-identity': {
    example: 'entra-to-generic',
    change: ({ provider }, origin) => Object.assign(provider, { profile: 'sap-cloud-identity', url: `${origin}/scim`, credential: { basic: { user: 'client', password: '${PROVIDER_TOKEN}' } } }),
  },
  // Public groups are made, renamed and deleted in Salesforce; a deletion of a user deactivates.
  salesforce: {
    example: 'secureauth-to-salesforce',
    options: { publicGroups: { '00G5g000001AAAA': 'Finance Readers', '00G5g000001BBBB': 'Risk Team' } },
    beside: { ...MATCHED, 'deleted?': 200 },
  },
};

for (const [host, start] of Object.entries(HOSTS)) {
  describe(`life cycles through ${host}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'scimlock-life-'));
    after(() => { stopAll(); rmSync(folder, { recursive: true, force: true }); });
    for (const [provider, how] of Object.entries(PROVIDERS).filter(([, { envoy }]) => host === 'node' || envoy)) {
      for (const idp of Object.keys(IDPS)) test(`${idp} to ${provider}`, () => live(idp, provider, how, start, folder));
    }
  });
}

async function live(idp, provider, { example, beside, options = {}, change }, start, folder) {
  await withGateway(provider, { example, idp, options, change, start, folder }, async ({ gateway, simulator }) => {
    const problems = [];
    const answers = new Map();
    const other = declared(provider, beside);
    for (const step of IDPS[idp]()) {
      const expected = step.step in other ? other[step.step] : step.expect;
      if (expected === null) continue;
      const seen = simulator.log.length;
      const answer = await send(gateway, step, answers);
      answers.set(step.step, answer);
      const calls = simulator.log.slice(seen);
      const say = (problem) => problems.push(`${step.step}: ${problem}; to the provider: ${calls.map(({ method, path, status }) => `${method} ${path} ${status}`).join(', ')}`);
      const good = expected === 200 ? [200, 204] : [expected];
      if (!good.includes(answer.status)) say(`answered ${answer.status} in place of ${expected}: ${JSON.stringify(answer.body)}`);
      for (const problem of invalid(answer)) say(problem);
      for (const { rule, detail } of calls.flatMap(({ violations }) => violations)) say(`the provider objects: ${rule} ${detail}`);
    }
    assert.deepEqual(problems, []);
  });
}

/** A gateway of an example with another IdP, and its simulated provider, while `use` runs. */
async function withGateway(provider, { example, idp, options, change, start, folder }, use) {
  const simulator = await createSimulator(provider, { strict: true, credential: CREDENTIAL, ...options });
  const origin = new URL(`http://127.0.0.1:${await simulator.listen()}`);
  try {
    const { config: document } = loadConfig(example, origin.origin);
    for (const route of Object.values(document.routes)) {
      route.idp.profile = idp;
      change?.(route, origin.origin);
    }
    const gateway = await start(example, { document, secrets: secretsOf(document), provider: origin, folder });
    await use({ gateway: `http://127.0.0.1:${gateway.port}`, simulator });
  } finally {
    await simulator.close();
  }
}

function send(gateway, { method, path, body, change }, answers) {
  const idOf = (name) => answers.get(name)?.body?.id ?? answers.get(`look for ${name}`)?.body?.Resources?.[0]?.id ?? 'unknown';
  const fill = (text, as) => text.replace(/\{id:(\w+)\}/g, (_, name) => as(idOf(name)));
  // Okta sends back what it read last, with its changes.
  const last = [...answers.values()].findLast(({ body: found }) => found?.userName)?.body;
  const whole = change ? { ...last, ...change } : body;
  const content = whole && JSON.parse(fill(JSON.stringify(whole), (id) => JSON.stringify(id).slice(1, -1)));
  const headers = { Authorization: 'Bearer test', Accept: 'application/scim+json', ...(content && { 'Content-Type': 'application/scim+json; charset=utf-8' }) };
  return exchange(gateway, { method, path: fill(path, encodeURIComponent), headers, body: content ?? null });
}

/** What is wrong with an answer, by the RFCs. */
function invalid({ status, headers, body }) {
  const problems = [];
  if (body === undefined) return status === 204 || status === 304 ? [] : [`no body with ${status}`];
  const text = JSON.stringify(body) + (headers.location ?? '');
  if (headers['content-type'] !== 'application/scim+json') problems.push(`content type ${headers['content-type']}`);
  if (/127\.0\.0\.1/.test(text)) problems.push('shows the provider\'s address');
  if (/"password"/.test(text)) problems.push('shows a password');
  if (status >= 400) {
    if (body.schemas?.[0] !== 'urn:ietf:params:scim:api:messages:2.0:Error' || body.status !== String(status) || !body.detail) problems.push('no SCIM error');
  } else if (body.schemas?.[0] === 'urn:ietf:params:scim:api:messages:2.0:ListResponse') {
    const numbers = [body.totalResults, body.startIndex, body.itemsPerPage];
    if (!numbers.every(Number.isInteger) || !Array.isArray(body.Resources) || body.itemsPerPage !== body.Resources.length) problems.push(`no list: ${numbers}`);
    problems.push(...body.Resources.flatMap(invalidResource));
  } else {
    problems.push(...invalidResource(body));
  }
  return problems;
}

function invalidResource(resource) {
  const problems = [];
  if (typeof resource.id !== 'string' || !resource.schemas?.length) problems.push('a resource without id or schemas');
  for (const name of Object.keys(resource).filter((name) => name.startsWith('urn:'))) {
    if (!resource.schemas.includes(name)) problems.push(`schemas lacks ${name}`);
  }
  if (Object.values(resource).includes(null)) problems.push('a null');
  if ('active' in resource && typeof resource.active !== 'boolean') problems.push('active is no boolean');
  return problems;
}

describe('a burst of changes of members', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scimlock-burst-'));
  after(() => { stopAll(); rmSync(folder, { recursive: true, force: true }); });
  for (const [provider, how] of Object.entries(PROVIDERS).filter(([name]) => !['leanix', 'github-organization'].includes(name))) {
    test(`loses none: entra to ${provider}`, () => burst(provider, how, folder));
  }
});

// Forty members come one by one and at once; then twenty go while twenty others come.
async function burst(provider, { example, options = {}, change }, folder) {
  await withGateway(provider, { example, idp: 'entra', options, change, start: startNode, folder }, async ({ gateway, simulator }) => {
    const { service } = simulator;
    const [user, group] = service.types;
    const people = Array.from({ length: 60 }, (_, n) => service.store.create(user, { userName: `u${n}@nordwind.example`, displayName: `U${n}`, active: true }).id);
    const team = service.store.create(group, { displayName: 'Burst', externalId: 'burst' }).id;
    const change = (operation) => exchange(gateway, {
      method: 'PATCH', path: `/scim/v2/Groups/${team}`, body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] },
      headers: { Authorization: 'Bearer test', 'Content-Type': 'application/scim+json' },
    });
    const add = (id) => change({ op: 'Add', path: 'members', value: [{ $ref: null, value: id }] });
    const remove = (id) => change({ op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] });
    const answers = await Promise.all(people.slice(0, 40).map(add));
    answers.push(...await Promise.all([...people.slice(0, 20).map(remove), ...people.slice(40).map(add)]));
    assert.deepEqual(answers.filter(({ status }) => status >= 300).map(({ body }) => body), []);
    const members = service.store.get(group, team).members.map(({ value }) => value).sort();
    assert.deepEqual(members, people.slice(20).sort());
  });
}

describe('a group larger than a request, at a provider that does not show its members', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scimlock-large-'));
  after(() => { stopAll(); rmSync(folder, { recursive: true, force: true }); });

  test('is made, replaced and emptied', async () => {
    const how = { example: 'entra-to-aws', idp: 'entra', options: {}, start: startNode, folder };
    await withGateway('aws', how, async ({ gateway, simulator }) => {
      const { service } = simulator;
      const [user, group] = service.types;
      const people = Array.from({ length: 350 }, (_, n) => service.store.create(user, { userName: `u${n}@nordwind.example`, displayName: `U${n}`, active: true }).id);
      const write = (method, path, ids) => exchange(gateway, {
        method, path, body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'Everybody', members: ids.map((value) => ({ value, display: 'U' })) },
        headers: { Authorization: 'Bearer test', 'Content-Type': 'application/scim+json' },
      });
      const made = await write('POST', '/scim/v2/Groups', people.slice(0, 250));
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const members = () => (service.store.get(group, made.body.id).members ?? []).map(({ value }) => value).sort();
      assert.deepEqual(members(), people.slice(0, 250).sort());
      for (const wanted of [people.slice(120), people.slice(120), []]) {
        const { status, body } = await write('PUT', `/scim/v2/Groups/${made.body.id}`, wanted);
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(members(), [...wanted].sort());
      }
      assert.deepEqual(simulator.log.flatMap(({ violations }) => violations), []);
    });
  });
});
