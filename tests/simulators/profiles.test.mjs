// What the profiles say against what is known otherwise: every fact has its source, SecureAuth's published matrix holds,
// and what a profile writes is something the simulated provider knows.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';

import { createSimulator } from './server.mjs';

const FOLDER = new URL('../../src/profiles/', import.meta.url);
const NAMES = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
const CAPABILITIES = [
  'user.create', 'user.read', 'user.find', 'user.update', 'user.deactivate', 'user.reactivate', 'user.delete',
  'group.create', 'group.read', 'group.update', 'group.delete', 'members.add', 'members.remove', 'entitlements',
];

/** A profile with everything it extends. */
function whole(name) {
  const { extends: base, ...own } = read(name);
  return base ? merged(whole(base), own) : own;
}

function merged(base, own) {
  if (![base, own].every((value) => value !== null && typeof value === 'object' && !Array.isArray(value))) return own;
  return Object.fromEntries([...new Set([...Object.keys(base), ...Object.keys(own)])].map((key) => [key, key in own ? merged(base[key], own[key]) : base[key]]));
}

describe('evidence', () => {
  for (const name of NAMES) {
    test(name, () => {
      const { evidence, title, version, extends: base, ...facts } = read(name);
      const pointers = Object.keys(evidence);
      for (const [pointer, text] of Object.entries(evidence)) assert.match(text, /^(verified|third-party|inferred): \S/, pointer);
      const told = (place) => pointers.some((pointer) => place === pointer || place.startsWith(`${pointer}/`) || pointer.startsWith(`${place}/`));
      const places = Object.entries(facts).flatMap(([key, value]) => (['idp', 'provider'].includes(key) ? Object.keys(value).map((fact) => `/${key}/${fact}`) : Object.keys(value).map((index) => `/${key}/${index}`)));
      // What RFC 7643 and RFC 7644 say themselves needs no other source: resource types of the schemas that are told.
      const silent = places.filter((place) => !told(place) && !/^\/(resourceTypes|idp\/matching|provider\/(readable|sort))/.test(place));
      assert.deepEqual(silent, []);
    });
  }
});

describe('SecureAuth, release 22.12', () => {
  const unsupported = (names) => names.filter(Boolean).sort();
  for (const [name, { user, groups, update }] of Object.entries({
    'secureauth-aws': { user: true, groups: ['group.create', 'members.add'], update: 'supported' },
    'secureauth-github': { user: true, groups: [], update: 'unsupported' },
    'secureauth-salesforce': { user: true, groups: [], update: 'limited' },
  })) {
    test(name, () => {
      const { version, idp: { capabilities } } = whole(name);
      const support = (capability) => capabilities[capability]?.support ?? 'supported';
      assert.equal(version, '22.12');
      assert.deepEqual(['user.create', 'user.deactivate'].map(support), [user, user].map(() => 'supported'));
      assert.equal(support('user.update'), update);
      const written = ['group.create', 'group.update', 'group.delete', 'members.add', 'members.remove'];
      assert.deepEqual(unsupported(written.filter((capability) => support(capability) === 'unsupported')), unsupported(written.filter((capability) => !groups.includes(capability))));
      // "As an admin, you can go into the directory of the service provider and make this adjustment."
      for (const [capability, { support: how, manual }] of Object.entries(capabilities)) {
        assert.ok(CAPABILITIES.includes(capability), capability);
        if (how === 'unsupported') assert.ok(manual, `${capability} lacks the manual step`);
      }
    });
  }
});

describe('what profiles write, providers know', () => {
  for (const name of NAMES.filter((one) => read(one).provider && one !== 'generic')) {
    test(name, async () => {
      const { provider: { mapping = {} }, resourceTypes } = whole(name);
      const { service } = await createSimulator(name, { credential: 'c' });
      for (const [type, rules] of Object.entries(mapping).filter(([, value]) => Array.isArray(value))) {
        const simulated = service.types.find(({ endpoint }) => endpoint === resourceTypes[type].endpoint);
        for (const path of rules.map(({ provider }) => provider).filter(Boolean)) {
          assert.ok(simulated.resolve(path.replace(/\[.*\]/, '')), `${type} ${path}`);
        }
      }
      for (const { endpoint } of Object.values(resourceTypes)) assert.ok(service.types.some((simulated) => simulated.endpoint === endpoint), endpoint);
    });
  }
});
