// The simulators' own test: a correct client is served, each broken rule is named. Run with `node --test`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { serve } from './client.mjs';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const PERMISSION = 'urn:ietf:params:scim:schemas:extension:workspacePermission:2.0:User';
const PATCH = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] };
const ada = (more) => ({ schemas: [USER], userName: 'ada@example.com', name: { givenName: 'Ada', familyName: 'Lindqvist' }, emails: [{ type: 'work', value: 'ada@example.com', primary: true }], active: true, ...more });

for (const strict of [true, false]) {
  describe(`generic, ${strict ? 'strict' : 'lenient'}`, () => {
    const call = serve('generic', { strict, credential: 'c' });
    let id;

    test('serves a correct client', async () => {
      const created = await call('POST', '/Users', ada());
      id = created.body.id;
      assert.deepEqual([created.status, id, created.rules], [201, 'u-1001', []]);
      assert.equal(created.headers.get('location'), created.body.meta.location);
      for (const [filter, total] of [
        ['userName eq "ADA@example.com"', 1], ['emails[type eq "work" and value sw "ada"]', 1], ['not (active eq true)', 0],
        ['meta.created gt "2020-01-01T00:00:00Z" and (title pr or name.givenName eq "Ada")', 1], [`${USER}:emails co "@"`, 1],
      ]) {
        const listed = await call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
        assert.deepEqual([listed.status, listed.body.totalResults], [200, total], filter);
      }
      const group = await call('POST', '/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'G', members: [{ value: id }] });
      assert.equal(group.body.members[0].$ref, created.body.meta.location);
      assert.equal((await call('GET', `/Users/${id}?attributes=groups`)).body.groups[0].value, group.body.id);
      assert.equal((await call('PUT', `/Users/${id}`, ada({ title: 'x' }), { 'if-match': 'W/"0"' })).status, 412);
      assert.equal((await call('PUT', `/Users/${id}`, ada({ title: 'x' }), { 'if-match': 'W/"1"' })).body.meta.version, 'W/"2"');
      assert.equal((await call('POST', '/Users', ada({ userName: 'ADA@EXAMPLE.com' }))).body.scimType, 'uniqueness');
    });

    for (const [rule, operation, check] of [
      ['SIM-RFC-10', { op: 'Replace', path: 'title', value: 'y' }, ({ title }) => title === 'y'],
      ['SIM-RFC-2', { op: 'replace', path: 'active', value: 'False' }, ({ active }) => active === false],
      ['SIM-RFC-4', { op: 'replace', path: 'title', value: null }, ({ title }) => title === undefined],
      ['SIM-RFC-11', { op: 'replace', path: 'emails[type eq "home"].value', value: 'h@example.com' }, ({ emails }) => emails.length === 2],
      ['SIM-RFC-12', { op: 'replace', value: { 'name.givenName': 'A' } }, ({ name }) => name.givenName === 'A'],
      ['SIM-RFC-13', { op: 'remove', path: 'title', value: [] }, ({ title }) => title === undefined],
      ['SIM-RFC-3', { op: 'add', path: 'name', value: { nick: 'A' } }, ({ name }) => name.nick === undefined],
    ]) {
      test(`${rule} ${JSON.stringify(operation)}`, async () => {
        const { status, rules, body } = await call('PATCH', `/Users/${id}`, { ...PATCH, Operations: [operation] });
        assert.deepEqual([status, rules], [strict ? 400 : 200, [rule]]);
        if (!strict) assert.ok(check(body), JSON.stringify(body));
      });
    }

    for (const [rule, operation] of [
      ['SIM-RFC-9', { op: 'add', path: 'nothing', value: 'x' }],
      ['SIM-RFC-9', { op: 'remove', path: 'name[givenName eq "x"]' }],
      ['SIM-RFC-8', { op: 'remove', path: 'emails[type eq work]' }],
      ['SIM-RFC-8', { op: 'remove', path: 'emails[primary eq "True"]' }],
      ['SIM-RFC-6', { op: 'remove', path: 'userName' }],
      ['SIM-RFC-14', { op: 'add', path: 'id', value: 'x' }],
    ]) {
      test(`always ${rule} ${JSON.stringify(operation)}`, async () => {
        const { status, rules } = await call('PATCH', `/Users/${id}`, { ...PATCH, Operations: [operation] });
        assert.deepEqual([status, rules], [400, [rule]]);
      });
    }

    test('reads JSON strictly', async () => {
      for (const text of ['{', '{"a":1,"\\u0061":2}', '{} x', '{"a":{"b":1,"b":2}}']) {
        assert.deepEqual((await call('POST', '/Users', text)).rules, ['SIM-RFC-1'], text);
      }
      assert.deepEqual((await call('GET', '/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22x%22')).rules, ['SIM-RFC-8']);
      assert.deepEqual((await call('GET', '/Users?filter=urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Aextension%3Aenterprise%3A2.0%3AUser%3Amanager%20eq%20%22x%22')).rules, ['SIM-RFC-8']);
      assert.deepEqual((await call('GET', '/Users', undefined, { 'x-forwarded-for': '1' })).rules, ['SIM-RFC-15']);
    });
  });
}

describe('leanix', () => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const call = serve('leanix', { strict: true, credential: 'c', now: () => now });

  test('SIM-LX-1 SIM-LX-2 SIM-LX-3 tokens', async () => {
    const basic = (user) => ({ authorization: `Basic ${Buffer.from(`${user}:secret`).toString('base64')}` });
    const form = 'grant_type=client_credentials';
    assert.equal((await call('POST', '/../../oauth2/token', form, basic('someone'))).status, 401);
    const { access_token: short } = (await call('POST', '/../../oauth2/token', form, basic('apitoken'))).body;
    const bearer = { authorization: `Bearer ${short}` };
    const long = (await call('POST', '/../../longlivedBearerTokens', { scimConfiguration: { workspaceId: 'w', permissionRole: 'MEMBER' } }, bearer)).body;
    const owner = { authorization: `Bearer ${long.accessToken}` };
    const created = await call('POST', '/Users', ada({ userName: 'o@example.com', emails: [{ value: 'o@example.com' }] }), owner);
    assert.equal(created.body[PERMISSION].role, 'MEMBER');
    now += 3599_000;
    const renew = () => call('POST', '/../../longlivedBearerTokens', { scimConfiguration: { workspaceId: 'w', permissionRole: 'MEMBER' } }, bearer);
    assert.equal((await renew()).status, 200);
    now += 1000;
    assert.equal((await renew()).status, 401);
    assert.equal((await call('GET', '/Users', undefined, owner)).status, 200);
    bearer.authorization = `Bearer ${(await call('POST', '/../../oauth2/token', form, basic('apitoken'))).body.access_token}`;
    assert.equal((await call('POST', `/../../longlivedBearerTokens/${long.id}/invalidate`, '', bearer)).body.valid, false);
    assert.equal((await call('GET', '/Users', undefined, owner)).status, 401);
  });

  test('SIM-LX-4 SIM-LX-5 SIM-LX-7 life of a user', async () => {
    const { status, body } = await call('POST', '/Users', ada());
    assert.deepEqual([status, body[PERMISSION].role], [201, 'VIEWER']);
    assert.equal((await call('POST', '/Users', ada({ userName: 'other@example.com' }))).status, 409);
    assert.equal((await call('DELETE', `/Users/${body.id}`)).status, 204);
    assert.equal((await call('GET', `/Users/${body.id}`)).body.active, false);
    assert.equal((await call('GET', '/Users')).body.totalResults, 1);
    assert.equal((await call('GET', '/Users?filter=userName%20eq%20%22ada%40example.com%22')).body.totalResults, 1);
    assert.equal((await call('GET', '/Groups')).status, 404);
  });

  for (const [rule, change] of [
    ['SIM-LX-6', { schemas: [USER, PERMISSION], [PERMISSION]: { role: 'OWNER' } }],
    ['SIM-LX-9', { userName: 'ada' }],
    ['SIM-LX-9', { emails: [{ type: 'home', value: 'a@example.com' }] }],
    ['SIM-RFC-3', { title: 'x' }],
  ]) {
    test(`${rule} ${JSON.stringify(change)}`, async () => {
      assert.deepEqual((await call('POST', '/Users', ada(change))).rules, [rule]);
    });
  }
});

describe('leanix, lenient', () => {
  const call = serve('leanix', { strict: false, credential: 'c', inviteOnly: true });

  test('SIM-LX-4 SIM-LX-8 links, and gives no permission when invite-only', async () => {
    const first = await call('POST', '/Users', ada());
    assert.equal(first.body[PERMISSION], undefined);
    const second = await call('POST', '/Users', ada({ userName: 'ada.l@example.com' }));
    assert.deepEqual([second.status, second.body.id, second.rules], [201, first.body.id, ['SIM-LX-4']]);
  });
});
