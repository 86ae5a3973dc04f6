// The rules of the simulated providers, each by its name: a correct client is served, and what a provider refuses is refused.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { request as open } from 'node:http';
import { describe, test } from 'node:test';

import { serve } from './client.mjs';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const SAP_GROUP = 'urn:ietf:params:scim:schemas:extension:sap:2.0:Group';
const SAP_USER = 'urn:ietf:params:scim:schemas:extension:sap:2.0:User';
const ada = (more) => ({
  schemas: [USER], userName: 'ada@example.com', displayName: 'Ada Lindqvist', name: { givenName: 'Ada', familyName: 'Lindqvist' },
  emails: [{ type: 'work', value: 'ada@example.com', primary: true }], active: true, ...more,
});
const named = (name, more) => ada({ userName: `${name}@example.com`, emails: [{ type: 'work', value: `${name}@example.com`, primary: true }], ...more });
const team = (more) => ({ schemas: [GROUP], displayName: 'Team', ...more });
const patch = (...Operations) => ({ schemas: [PATCH], Operations });
const find = (filter) => `?filter=${encodeURIComponent(filter)}`;
const members = (count, from = 0) => Array.from({ length: count }, (_, index) => ({ value: `m-${from + index}` }));

/** Asserts that a request breaks a rule; in lenient mode it is served all the same. */
async function breaks(call, rule, method, path, body, status = 400) {
  const { status: got, rules, body: answer } = await call(method, path, body);
  assert.deepEqual([got, rules.includes(rule)], [status, true], `${rules} ${JSON.stringify(answer)}`);
}

for (const strict of [true, false]) {
  describe(`aws, ${strict ? 'strict' : 'lenient'}`, () => {
    const call = serve('aws', { strict, credential: 'c' });
    let id;
    let group;

    test('serves a correct client', async () => {
      const created = await call('POST', '/Users', ada({ externalId: 'e-1' }));
      id = created.body.id;
      assert.deepEqual([created.status, created.rules, created.headers.get('content-type')], [201, [], 'application/json']);
      assert.match(id, /^[0-9a-f]{10}-[0-9a-f-]{36}$/);
      group = (await call('POST', '/Groups', team())).body.id;
      assert.equal((await call('PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [{ value: id }] }))).status, 204);
      for (const [path, total] of [
        [`/Users${find('userName eq "ADA@example.com"')}`, 1], [`/Users${find('externalId eq "e-1"')}`, 1],
        [`/Groups${find(`id eq "${group}" and member eq "${id}"`)}`, 1], [`/Groups${find(`members.value eq "${id}"`)}`, 1],
        [`/Users${find(`id eq "${id}" and manager eq "${id}"`)}`, 0], [`/Groups${find('displayName eq "Team"')}`, 1],
      ]) {
        const { status, body } = await call('GET', path);
        assert.deepEqual([status, body.totalResults], [200, total], path);
      }
      const renamed = await call('PATCH', `/Groups/${group}`, patch({ op: 'replace', value: { id: group, displayName: 'Crew' } }));
      assert.deepEqual([renamed.status, renamed.rules], [204, []]);
      assert.equal((await call('PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'active', value: false }))).body.active, false);
      assert.equal((await call('PUT', `/Users/${id}`, ada())).status, 200);
    });

    test('SIM-AWS-1 required attributes', async () => {
      for (const lacking of [{ userName: undefined }, { displayName: undefined }]) {
        const { status, rules } = await call('POST', '/Users', ada({ ...lacking }));
        assert.deepEqual([status, rules], [400, ['SIM-AWS-1']]);
      }
      await breaks(call, 'SIM-AWS-1', 'PUT', `/Users/${id}`, ada({ name: { familyName: 'L' } }), strict ? 400 : 200);
    });

    for (const [rule, change] of [
      ['SIM-AWS-2', { emails: [{ value: 'a@example.com', primary: true }, { value: 'b@example.com', type: 'home' }] }],
      ['SIM-AWS-2', { phoneNumbers: [{ value: '1', type: 'work' }, { value: '2', type: 'mobile' }] }],
      ['SIM-AWS-3', { emails: [{ value: 'ada@example.com', type: 'work' }] }],
      ['SIM-AWS-4', { entitlements: [{ value: 'x' }] }],
      ['SIM-AWS-4', { password: 'x' }],
      ['SIM-AWS-4', { phoneNumbers: [{ value: '1', display: 'x' }] }],
      ['SIM-AWS-4', { groups: [] }],
    ]) {
      test(`${rule} ${JSON.stringify(change)}`, () => breaks(call, rule, 'PUT', `/Users/${id}`, ada(change), strict ? 400 : 200));
    }

    test('SIM-AWS-5 filters and parameters', async () => {
      for (const filter of ['userName sw "a"', 'userName eq "a" or externalId eq "b"', 'emails.value eq "a"', 'userName eq "a" and externalId eq "b"', 'active eq true']) {
        await breaks(call, 'SIM-AWS-5', 'GET', `/Users${find(filter)}`);
      }
      await breaks(call, 'SIM-AWS-5', 'GET', '/Groups?excludedAttributes=members', undefined, strict ? 400 : 200);
      assert.equal((await call('GET', `/Groups${find(`id eq "${group}" and member eq "nobody"`)}`)).status, 404);
    });

    test('SIM-AWS-7 changes of members', async () => {
      await breaks(call, 'SIM-AWS-7', 'POST', '/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'Large', members: members(101) }, strict ? 400 : 201);
      await breaks(call, 'SIM-AWS-7', 'PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: members(101) }), strict ? 400 : 204);
      await breaks(call, 'SIM-AWS-7', 'PATCH', `/Groups/${group}`, patch({ op: 'replace', path: 'members', value: [] }), strict ? 400 : 204);
      await breaks(call, 'SIM-AWS-7', 'PATCH', `/Groups/${group}`, patch({ op: 'remove', path: 'members' }), strict ? 400 : 204);
      assert.equal((await call('PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: members(100) }))).status, 204);
    });

    for (const operations of [
      [{ op: 'replace', value: { title: 'x', nickName: 'y' } }],
      [{ op: 'replace', path: 'active', value: true }, { op: 'replace', path: 'active', value: false }],
      [{ op: 'replace', path: 'roles', value: [{ value: 'x' }] }],
      [{ op: 'replace', path: 'emails[type sw "w"].value', value: 'x@acme.example' }],
    ]) {
      test(`SIM-AWS-8 ${JSON.stringify(operations)}`, () => breaks(call, 'SIM-AWS-8', 'PATCH', `/Users/${id}`, patch(...operations), strict ? 400 : 200));
    }

    test('SIM-AWS-8 what cannot be removed', async () => {
      const { status, rules } = await call('PATCH', `/Users/${id}`, patch({ op: 'remove', path: 'active' }));
      assert.deepEqual([status, rules], [strict ? 400 : 200, ['SIM-AWS-8']]);
    });

    test('SIM-AWS-9 SIM-AWS-10 SIM-AWS-11 what is shown, and what there is not', async () => {
      assert.deepEqual((await call('GET', `/Groups/${group}`)).body.members, []);
      const missing = await call('GET', '/Users/none');
      assert.equal(missing.status, 404);
      assert.deepEqual(Object.keys(missing.body), ['schema', 'detail', 'status', 'exceptionRequestId', 'timeStamp']);
      assert.equal((await call('PUT', `/Groups/${group}`, team())).status, 405);
      for (const path of ['/Bulk', '/Me', '/Users/.search']) assert.notEqual((await call('POST', path, {})).status, 200, path);
    });
  });
}

describe('aws, pages and time', () => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const call = serve('aws', { credential: 'c', now: () => now, throttle: 500 });
  const old = serve('aws', { credential: 'c', cap50: true });

  test('SIM-AWS-6 pages by cursor, and a filter that stays', async () => {
    for (let n = 0; n < 120; n += 1) await call('POST', '/Users', named(`u${n}`));
    const plain = await call('GET', '/Users');
    assert.deepEqual([plain.body.totalResults, plain.body.itemsPerPage], [120, 100]);
    const first = await call('GET', '/Users?cursor&count=80');
    assert.deepEqual([first.body.itemsPerPage, first.body.totalResults], [80, undefined]);
    const second = await call('GET', `/Users?count=80&cursor=${first.body.nextCursor}`);
    assert.deepEqual([second.body.itemsPerPage, second.body.nextCursor], [40, undefined]);
    await breaks(call, 'SIM-AWS-6', 'GET', `/Users${find('userName eq "x"')}&cursor=${first.body.nextCursor}`);
    for (let n = 0; n < 60; n += 1) await old('POST', '/Users', named(`u${n}`));
    assert.equal((await old('GET', '/Users?count=100')).body.itemsPerPage, 50);
  });

  test('SIM-AWS-12 SIM-AWS-13 a token lives a year; too many requests', async () => {
    let last;
    for (let n = 0; n < 501 && last?.status !== 429; n += 1) last = await call('GET', '/ServiceProviderConfig');
    assert.deepEqual([last.status, last.body.status], [429, '429']);
    now += 366 * 24 * 3600 * 1000;
    assert.equal((await call('GET', '/Users')).status, 401);
  });
});

describe('sap-iam', () => {
  const call = serve('sap-iam', { credential: 'c', certificate: 'CN=scim', roles: { BR_PURCHASER: 'Purchaser' } });
  const fresh = serve('sap-iam', { credential: 'c', notUnique: true });
  let now = Date.parse('2026-01-01T00:00:00Z');
  const timed = serve('sap-iam', { credential: 'c', now: () => now });
  const account = { authorization: `Basic ${Buffer.from('SCIM_COMM_USER:c').toString('base64')}` };
  const sessionOf = async (to) => {
    const { headers } = await to('GET', '/Users?count=1', undefined, { ...account, 'x-csrf-token': 'Fetch' });
    return { ...account, 'x-csrf-token': headers.get('x-csrf-token'), cookie: headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ') };
  };
  const write = async (method, path, body, to = call) => to(method, path, body, await sessionOf(to));
  const group = (externalId, more) => team({ schemas: [GROUP, SAP_GROUP], displayName: externalId, externalId, [SAP_GROUP]: { type: 'userGroup' }, ...more });

  test('SIM-SAP-1 the token, its cookies and its end', async () => {
    const session = await sessionOf(call);
    for (const lacking of [{ 'x-csrf-token': undefined }, { cookie: undefined }, { cookie: session.cookie.split('; ')[0] }]) {
      const { status, headers, body, rules } = await call('POST', '/Users', ada(), { ...session, ...lacking });
      assert.deepEqual([status, headers.get('x-csrf-token'), body, rules], [403, 'Required', 'CSRF token validation failed', ['SIM-SAP-1']]);
    }
    assert.equal((await call('POST', '/Users', named('csrf'), session)).status, 201);
    call.provider().sessions.end();
    assert.equal((await call('POST', '/Users', named('csrf2'), session)).status, 403);
  });

  test('SIM-SAP-1 half an hour later the token has ended by itself', async () => {
    const session = await sessionOf(timed);
    now += 29 * 60_000;
    assert.equal((await timed('POST', '/Users', named('before'), session)).status, 201);
    now += 60_000;
    const { status, rules } = await timed('POST', '/Users', named('after'), session);
    assert.deepEqual([status, rules], [403, ['SIM-SAP-1']]);
  });

  test('SIM-SAP-2 SIM-SAP-11 SIM-SAP-12 ids, upper case, read-only attributes', async () => {
    const extension = { validTo: '9999-12-31T23:59:59Z', loginTime: '2020-01-01T00:00:00Z', userUuidHistory: [{ value: 'old', active: false }] };
    const { status, body, rules } = await write('POST', '/Users', named('alinda', { schemas: [USER, SAP_USER], externalId: 'emp1', userName: 'alinda', [SAP_USER]: extension }));
    assert.deepEqual([status, rules, body.userName, body.externalId], [201, [], 'ALINDA', 'EMP1']);
    assert.match(body.id, /^CB\d{10}$/);
    assert.deepEqual((await write('PATCH', `/Users/${body.id}`, patch({ op: 'replace', path: `${SAP_USER}:loginTime`, value: '2021-01-01T00:00:00Z' }))).rules, ['SIM-RFC-14']);
    assert.equal((await write('POST', '/Groups', group('TEAM_A'))).body.id, 'BUGR_TEAM_A');
    const unknown = await write('PATCH', '/Groups/BUGR_TEAM_A', patch({ op: 'add', path: 'members', value: [{ value: 'nobody' }] }));
    assert.deepEqual(unknown.rules, ['SIM-SAP-2']);
  });

  test('SIM-SAP-3 SIM-SAP-7 business roles take members alone; groups are unique', async () => {
    const role = '/Groups/BROL_BR_PURCHASER';
    assert.deepEqual((await call('GET', role, undefined, account)).body[SAP_GROUP], { type: 'authorization', supportedOperations: 'membership' });
    for (const [method, path, body] of [
      ['POST', '/Groups', group('BR_NEW', { [SAP_GROUP]: { type: 'authorization' } })],
      ['PATCH', role, patch({ op: 'replace', path: 'displayName', value: 'x' })],
      ['DELETE', role],
    ]) {
      const { status, rules } = await write(method, path, body);
      assert.deepEqual([status, rules], [403, ['SIM-SAP-3']], method);
    }
    const { body: { id } } = await write('POST', '/Users', named('buyer'));
    assert.equal((await write('PATCH', role, patch({ op: 'add', path: 'members', value: [{ value: id }] }))).status, 200);
    assert.deepEqual((await write('POST', '/Groups', group('TEAM_A'))).rules, ['SIM-SAP-7']);
  });

  test('SIM-SAP-4 userType', async () => {
    assert.deepEqual((await write('POST', '/Users', named('guest', { userType: 'Guest' }))).rules, ['SIM-SAP-4']);
  });

  test('SIM-SAP-5 one user group at a time', async () => {
    const { body: { id } } = await write('POST', '/Users', named('mover'));
    const join = (to) => write('PATCH', `/Groups/${to}`, patch({ op: 'add', path: 'members', value: [{ value: id }] }));
    const { body: { id: next } } = await write('POST', '/Groups', group('TEAM_B'));
    await join('BUGR_TEAM_A');
    await join(next);
    await join('BROL_BR_PURCHASER');
    const { body } = await call('GET', `/Users/${id}`, undefined, account);
    assert.deepEqual(body.groups.map(({ value }) => value), ['BROL_BR_PURCHASER', 'BUGR_TEAM_B']);
  });

  test('SIM-SAP-6 how many members a PATCH removes', async () => {
    const many = (count) => patch({ op: 'remove', path: 'members', value: members(count) });
    assert.deepEqual((await write('PATCH', '/Groups/BUGR_TEAM_A', many(51))).rules, ['SIM-SAP-6']);
    assert.equal((await write('PATCH', '/Groups/BUGR_TEAM_A', many(50))).status, 200);
    const singles = members(51).map(({ value }) => ({ op: 'remove', path: `members[value eq "${value}"]` }));
    assert.deepEqual((await write('PATCH', '/Groups/BUGR_TEAM_A', patch(...singles))).rules, ['SIM-SAP-6']);
    assert.deepEqual((await write('PATCH', '/Groups/BUGR_TEAM_A', patch({ op: 'add', path: 'members', value: members(20_001) }))).rules, ['SIM-SAP-6']);
  });

  test('SIM-SAP-8 filters', async () => {
    for (const [path, good] of [
      [`/Users${find('userName sw "A" or emails.value co "@"')}`, true], [`/Users${find('emails[type eq "work" and value eq "x"]')}`, true],
      [`/Groups${find(`${SAP_GROUP}:type eq "authorization" and displayName co "P"`)}`, true],
      [`/Users${find('active eq true')}`, false], [`/Users${find('userName pr')}`, false], [`/Groups${find('members.value eq "x"')}`, false],
    ]) {
      const { status, rules } = await call('GET', path, undefined, account);
      assert.deepEqual([status, rules], good ? [200, []] : [400, ['SIM-SAP-8']], path);
    }
  });

  test('SIM-SAP-9 SIM-SAP-10 who is let in; vague values', async () => {
    assert.equal((await call('GET', '/Users')).status, 401);
    assert.equal((await call('GET', '/Users', undefined, { authorization: undefined, 'x-client-certificate': 'CN=scim' })).status, 200);
    const { body } = await write('POST', '/Users', named('vague'), fresh);
    assert.deepEqual([body.locale, body.preferredLanguage], ['not_unique', 'not_unique']);
  });
});

describe('sap-cloud-identity', () => {
  let now = Date.now();
  const call = serve('sap-cloud-identity', { credential: 'c', now: () => now });
  const account = { authorization: `Basic ${Buffer.from('client:c').toString('base64')}` };
  const send = (method, path, body) => call(method, path, body, account);

  test('SIM-IDS-1 SIM-IDS-3 SIM-IDS-4 who is let in, filters, groups of a user', async () => {
    assert.equal((await call('GET', '/Users')).status, 401);
    const { status, body } = await send('POST', '/Users', ada());
    assert.deepEqual([status, body[SAP_USER].userUuid], [201, body.id]);
    assert.equal((await send('GET', `/Users${find('(userName eq "ada@example.com" or userName eq "b") and active eq true')}`)).body.totalResults, 1);
    assert.deepEqual((await send('GET', `/Users${find('userName sw "a"')}`)).rules, ['SIM-IDS-3']);
    assert.deepEqual((await send('PATCH', `/Users/${body.id}`, patch({ op: 'add', path: 'groups', value: [{ value: 'x' }] }))).rules, ['SIM-IDS-4']);
  });

  test('SIM-IDS-2 SIM-IDS-6 SIM-IDS-7 groups', async () => {
    const own = (more) => ({ schemas: [GROUP, SAP_GROUP], [SAP_GROUP]: { externalName: 'a', ...more } });
    const { body: { id } } = await send('POST', '/Groups', team(own()));
    assert.deepEqual((await send('PATCH', `/Groups/${id}`, patch({ op: 'remove', path: 'members', value: members(51) }))).rules, ['SIM-IDS-2']);
    assert.deepEqual((await send('POST', '/Groups', team(own({ type: 'authorization' })))).rules, ['SIM-IDS-6']);
    assert.deepEqual((await send('PATCH', `/Groups/${id}`, patch({ op: 'replace', path: `${SAP_GROUP}:externalName`, value: 'b' }))).rules, ['SIM-IDS-7']);
  });

  test('SIM-IDS-5 too many requests in a minute', async () => {
    let last;
    for (let n = 0; n < 300 && last?.status !== 429; n += 1) last = await send('GET', '/ServiceProviderConfig');
    assert.equal(last.status, 429);
    now += 61_000;
    assert.equal((await send('GET', '/ServiceProviderConfig')).status, 200);
  });
});

describe('github-enterprise', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const call = serve('github-enterprise', { credential: 'c', appKey: publicKey });
  const other = serve('github-enterprise', { strict: false, credential: 'c', groupStatus: 204 });
  const residency = serve('github-enterprise', { credential: 'c', loginLength: 30 });
  const emu = (name, more) => named(name, { externalId: name, ...more });
  let id;
  let group;

  test('serves a correct client', async () => {
    const { status, body, rules } = await call('POST', '/Users', emu('ada.lindqvist', { roles: [{ value: 'User' }] }));
    assert.deepEqual([status, rules, call.provider().logins.get(body.id)], [201, [], 'ada-lindqvist_acme']);
    id = body.id;
    const made = await call('POST', '/Groups', team({ externalId: 'g', members: [{ value: id }] }));
    group = made.body.id;
    assert.deepEqual([made.status, made.body.members[0].display], [201, 'Ada Lindqvist']);
    assert.equal((await call('PATCH', `/Groups/${group}`, patch({ op: 'remove', path: 'members', value: [{ value: id }] }))).body.members.length, 0);
    assert.equal((await call('PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [{ value: id }] }))).body.members.length, 1);
    assert.equal((await call('PUT', `/Groups/${group}`, team({ externalId: 'g' }))).body.members.length, 0);
  });

  test('SIM-GH-1 SIM-GH-2 the User-Agent, and the case of paths', async () => {
    const { port } = new URL(call.provider().base, await address(call));
    const status = await new Promise((resolve) => {
      open({ port, path: `${call.provider().base}/Users`, headers: { authorization: 'Bearer c' } }, (answer) => { answer.resume(); resolve(answer.statusCode); }).end();
    });
    assert.equal(status, 403);
    assert.equal((await call('GET', '/users')).status, 404);
  });

  for (const change of [
    { externalId: undefined }, { active: undefined }, { displayName: undefined }, { emails: [] }, { emails: [{ value: 'x@example.com', primary: true }] },
    { name: { givenName: 'A' } }, { roles: [{ value: 'owner' }] }, { title: 'x' }, { schemas: [USER, SAP_USER] },
  ]) {
    test(`SIM-GH-3 ${JSON.stringify(change)}`, () => breaks(call, 'SIM-GH-3', 'PUT', `/Users/${id}`, emu('ada.lindqvist', change)));
  }

  test('SIM-GH-4 logins', async () => {
    const twin = await call('POST', '/Users', emu('twin', { userName: 'ada_lindqvist@elsewhere.example' }));
    assert.deepEqual([twin.status, twin.body.scimType], [409, 'uniqueness']);
    for (const [to, longest] of [[call, 39], [residency, 30]]) {
      const fits = 'a'.repeat(longest - '_acme'.length);
      assert.equal((await to('POST', '/Users', emu(fits))).status, 201, longest);
      await breaks(to, 'SIM-GH-4', 'POST', '/Users', emu(`${fits}a`));
    }
  });

  test('SIM-GH-5 SIM-GH-6 SIM-GH-13 filters, pages, errors', async () => {
    for (const filter of ['userName sw "a"', 'userName eq "a" and externalId eq "b"', 'emails.value eq "a"']) await breaks(call, 'SIM-GH-5', 'GET', `/Users${find(filter)}`);
    for (let n = 0; n < 40; n += 1) await call('POST', '/Users', emu(`page${n}`));
    assert.equal((await call('GET', '/Users')).body.itemsPerPage, 30);
    assert.equal((await call('GET', '/Users/none')).body.status, 404);
  });

  test('SIM-GH-8 suspended and back; a deletion is final', async () => {
    await call('PATCH', `/Users/${id}`, patch({ op: 'replace', value: { active: false } }));
    assert.match(call.provider().logins.get(id), /^suspended/);
    assert.equal((await call('GET', `/Users${find('externalId eq "ada.lindqvist"')}`)).body.Resources[0].active, false);
    await call('PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'active', value: true }));
    assert.equal(call.provider().logins.get(id), 'ada-lindqvist_acme');
    assert.equal((await call('DELETE', `/Users/${id}`)).status, 204);
    assert.equal((await call('GET', `/Users/${id}`)).status, 404);
  });

  test('SIM-GH-9 SIM-GH-10 paths with a filter, and the answer of a group', async () => {
    const { body: { id: user } } = await other('POST', '/Users', emu('ineffective'));
    const { status, rules, body } = await other('PATCH', `/Users/${user}`, patch({ op: 'replace', path: 'emails[type eq "work"].value', value: 'new@example.com' }));
    assert.deepEqual([status, rules, body.emails[0].value], [200, ['SIM-GH-9'], 'ineffective@example.com']);
    const { body: { id: crew } } = await other('POST', '/Groups', team({ externalId: 'g' }));
    assert.equal((await other('PATCH', `/Groups/${crew}`, patch({ op: 'replace', path: 'displayName', value: 'Crew' }))).status, 204);
  });

  test('SIM-GH-11 how many an hour', async () => {
    const { body: { id: crew } } = await other('POST', '/Groups', team({ externalId: 'big', displayName: 'Big' }));
    const { status } = await other('PATCH', `/Groups/${crew}`, patch({ op: 'add', path: 'members', value: members(1001) }));
    assert.equal(status, 429);
    // Each group has its own thousand.
    for (const name of ['one', 'two']) {
      const { body: { id } } = await other('POST', '/Groups', team({ externalId: name, displayName: name }));
      assert.notEqual((await other('PATCH', `/Groups/${id}`, patch({ op: 'add', path: 'members', value: members(600) }))).status, 429, name);
    }
    let last;
    for (let n = 0; n < 1001 && last?.status !== 429; n += 1) last = await other('POST', '/Users', emu(`hour${n}`));
    assert.equal(last.status, 429);
  });

  test('an app\'s installation token', async () => {
    const seconds = Math.floor(Date.now() / 1000);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iss: '4711', iat: seconds - 60, exp: seconds + 540 })}`;
    const jwt = `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
    const up = '/../../../../app/installations/1/access_tokens';
    const { status, body: { token } } = await call('POST', up, '', { authorization: `Bearer ${jwt}` });
    assert.equal(status, 201);
    assert.equal((await call('GET', '/Users', undefined, { authorization: `Bearer ${token}` })).status, 200);
    assert.equal((await call('POST', up, '', { authorization: `Bearer ${text}.AAAA` })).status, 401);
  });
});

describe('github-organization', () => {
  const call = serve('github-organization', { credential: 'c' });

  test('SIM-GH-3 SIM-GH-7 SIM-GH-12 a member comes and goes', async () => {
    const { schemas, ...bare } = ada();
    const { status, body: { id } } = await call('POST', '/Users', bare);
    assert.equal(status, 201);
    await breaks(call, 'SIM-GH-3', 'POST', '/Users', named('b', { name: { givenName: 'B' } }));
    await breaks(call, 'SIM-GH-3', 'POST', '/Users', named('b', { emails: [] }));
    assert.equal((await call('PATCH', `/Users/${id}`, { Operations: [{ op: 'replace', value: { active: false } }] })).status, 200);
    assert.equal((await call('GET', `/Users/${id}`)).status, 404);
    assert.equal((await call('GET', '/Groups')).status, 404);
    assert.equal((await call('GET', '/ServiceProviderConfig')).status, 404);
  });
});

for (const strict of [true, false]) {
  describe(`salesforce, ${strict ? 'strict' : 'lenient'}`, () => {
    const call = serve('salesforce', { strict, credential: 'c' });
    const profile = { entitlements: [{ value: '00e5g000001Vtbn' }] };
    const group = '/Groups/00G5g000001AAAA';
    let id;

    test('SIM-SF-8 SIM-SF-11 serves a correct client and fills in', async () => {
      const { status, body, rules } = await call('POST', '/Users', ada({ ...profile, userName: 'Ada@Example.com', displayName: undefined }));
      assert.deepEqual([status, rules], [201, []]);
      id = body.id;
      assert.deepEqual([body.userName, body.nickName, body.displayName, body.name.formatted], ['ada@example.com', 'Ada@Example.com', 'Ada Lindqvist', 'Ada Lindqvist']);
      assert.deepEqual(body.entitlements, [{ value: '00e5g000001Vtbn', $ref: '/Entitlements/00e5g000001Vtbn', display: 'Standard User', type: 'Profile', primary: true }]);
      const changed = await call('PATCH', `/Users/${id}`, patch({ op: 'replace', value: { nickName: 'ada' } }));
      assert.deepEqual([changed.status, changed.body.nickName], [200, 'ada']);
    });

    test('SIM-SF-1 SIM-SF-2 SIM-SF-4 what a user needs', async () => {
      for (const [rule, change] of [
        ['SIM-SF-1', { entitlements: undefined }], ['SIM-SF-1', { ...profile, name: { givenName: 'A' } }], ['SIM-SF-1', { ...profile, emails: [] }],
        ['SIM-SF-1', { entitlements: [{ value: '0PS5g000001BBBB' }] }], ['SIM-SF-2', { ...profile, userName: 'ada' }],
        ['SIM-SF-4', { ...profile, phoneNumbers: [{ type: 'work', value: '1' }, { type: 'mobile', value: '2' }] }],
      ]) {
        const { status, rules } = await call('POST', '/Users', named(`u${Math.random()}`, change));
        assert.deepEqual([status, rules.at(-1)], [strict ? 400 : 201, rule], JSON.stringify(change));
      }
      assert.equal((await call('POST', '/Users', ada({ ...profile, userName: 'ADA@example.com' }))).status, 409);
    });

    test('SIM-SF-3 SIM-SF-12 DELETE deactivates; no path, no PUT', async () => {
      assert.equal((await call('DELETE', `/Users/${id}`)).status, 204);
      assert.equal((await call('GET', `/Users/${id}`)).body.active, false);
      await breaks(call, 'SIM-SF-12', 'PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'active', value: true }), strict ? 400 : 200);
      assert.equal((await call('PUT', `/Users/${id}`, ada(profile))).status, 405);
    });

    test('SIM-SF-5 SIM-SF-9 members stand nested, and groups are only changed', async () => {
      const nested = (op) => patch({ op, path: 'members', value: { members: [{ value: id }] } });
      assert.equal((await call('PATCH', group, nested('add'))).body.members.length, 1);
      assert.equal((await call('PATCH', group, nested('remove'))).body.members, undefined);
      await breaks(call, 'SIM-SF-5', 'PATCH', group, patch({ op: 'add', path: 'members', value: [{ value: id }] }), strict ? 400 : 200);
      await breaks(call, 'SIM-SF-5', 'PATCH', group, patch({ op: 'replace', path: 'displayName', value: 'x' }), strict ? 400 : 200);
      for (const [method, path] of [['POST', '/Groups'], ['PUT', group], ['DELETE', group]]) assert.equal((await call(method, path, method === 'DELETE' ? undefined : team())).status, 405);
    });

    test('SIM-SF-7 filters read from left to right', async () => {
      const { body } = await call('GET', `/Users${find('userName eq "ada@example.com" or active eq false and userName eq "nobody"')}`);
      assert.equal(body.totalResults, 0);
      assert.equal((await call('GET', '/ServiceProviderConfigs')).status, 200);
      assert.equal((await call('GET', '/ServiceProviderConfig')).status, 404);
    });
  });
}

describe('salesforce, tokens and entitlements', () => {
  let now = Date.now();
  const many = Object.fromEntries(Array.from({ length: 220 }, (_, n) => [`00e5g${String(n).padStart(10, '0')}`, ['Profile', `P${n}`]]));
  const call = serve('salesforce', { credential: 'c', entitlements: many, now: () => now });

  test('SIM-SF-6 SIM-SF-10 the cap of a list, the end of a token', async () => {
    assert.equal((await call('GET', '/Entitlements')).body.itemsPerPage, 200);
    const form = 'grant_type=client_credentials&client_id=3MVG9demo&client_secret=c';
    const { body } = await call('POST', '/../../oauth2/token', form, { authorization: undefined, 'content-type': 'application/x-www-form-urlencoded' });
    assert.deepEqual([body.token_type, body.expires_in], ['Bearer', undefined]);
    const bearer = { authorization: `Bearer ${body.access_token}` };
    assert.equal((await call('GET', '/Users', undefined, bearer)).status, 200);
    now += 3 * 3600 * 1000;
    const over = await call('GET', '/Users', undefined, bearer);
    assert.deepEqual([over.status, over.body[0].errorCode], [401, 'INVALID_SESSION_ID']);
  });
});

describe('nordwind', () => {
  const call = serve('nordwind', { credential: 'c' });
  const core = 'urn:nordwind:schemas:travel:1.0:Traveller';
  const traveller = (more) => ({ schemas: [core], login: 'ada', fullName: 'Ada L', mail: 'ada@example.com', state: 'open', ...more });

  test('SIM-NW-1 SIM-NW-2 SIM-NW-3', async () => {
    const { status, body: { id } } = await call('POST', '/Travellers', traveller());
    assert.equal(status, 201);
    await breaks(call, 'SIM-NW-1', 'POST', '/Travellers', traveller({ login: 'b', mail: undefined }));
    await breaks(call, 'SIM-NW-1', 'POST', '/Travellers', traveller({ login: 'b', state: 'away' }));
    assert.equal((await call('GET', `/Travellers${find('login eq "ADA"')}`)).body.totalResults, 1);
    await breaks(call, 'SIM-NW-2', 'GET', `/Travellers${find('state eq "open"')}`);
    assert.equal((await call('DELETE', `/Travellers/${id}`)).status, 405);
    assert.equal((await call('GET', '/Groups')).status, 404);
  });
});

// Where a simulator listens: its own addresses say so.
async function address(call) {
  const { body } = await call('GET', '/Users');
  return body.Resources[0].meta.location;
}
