// The whole life of users and groups as two IdPs live it: probe, create, update, manager, groups, members, disable,
// enable, delete. One request an entry: {step, method, path, body, expect}; `{id:STEP}` stands for the id in the answer to that step.

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const BASE = '/scim/v2';
const MIRA = 'mira.osei@nordwind.example';
const LARS = 'lars.ek@nordwind.example';

const patch = (...Operations) => ({ schemas: [PATCH], Operations });
const find = (resource, filter, more = '') => `${BASE}/${resource}?${more}filter=${encodeURIComponent(filter).replaceAll('%20', '+').replace(/%7Bid%3A(\w+)%7D/g, '{id:$1}')}`;
const step = (name, method, path, body = null, expect = 200) => ({ step: name, method, path, body, expect });

/** Microsoft Entra ID; `group`: the name of the group it provisions. */
export function entra({ group = 'Finance Readers' } = {}) {
  const mira = {
    schemas: [USER, ENTERPRISE], externalId: 'mira.osei', userName: MIRA, active: true, displayName: 'Mira Osei',
    emails: [{ primary: true, type: 'work', value: MIRA }], meta: { resourceType: 'User' },
    name: { formatted: 'Mira Osei', familyName: 'Osei', givenName: 'Mira' }, title: 'Controller', phoneNumbers: null,
    [ENTERPRISE]: { employeeNumber: '70011', department: 'Finance' }, roles: [],
  };
  const lars = {
    schemas: [USER, ENTERPRISE], externalId: 'lars.ek', userName: LARS, active: true, displayName: 'Lars Ek',
    emails: [{ primary: true, type: 'work', value: LARS }], meta: { resourceType: 'User' }, name: { familyName: 'Ek', givenName: 'Lars' },
    [ENTERPRISE]: { department: 'IT' },
  };
  const user = `${BASE}/Users/{id:mira}`;
  const team = `${BASE}/Groups/{id:group}`;
  const member = (name) => ({ $ref: null, value: `{id:${name}}` });
  return [
    step('probe users', 'GET', find('Users', 'userName eq "0f6c1d52-3d0e-4c63-9b52-7a3f4f0c9e11"')),
    step('probe groups', 'GET', find('Groups', 'displayName eq "0f6c1d52-3d0e-4c63-9b52-7a3f4f0c9e11"', 'excludedAttributes=members&')),
    step('look for mira', 'GET', find('Users', `userName eq "${MIRA}"`)),
    step('mira', 'POST', `${BASE}/Users`, mira, 201),
    step('look for lars', 'GET', find('Users', `userName eq "${LARS}"`)),
    step('lars', 'POST', `${BASE}/Users`, lars, 201),
    step('mira again', 'POST', `${BASE}/Users`, mira, 409),
    step('read', 'GET', user),
    step('manager there?', 'GET', find('Users', 'id eq "{id:mira}" and manager eq "{id:lars}"', 'attributes=id&')),
    step('manager', 'PATCH', user, patch({ op: 'Add', path: `${ENTERPRISE}:manager`, value: '{id:lars}' })),
    step('look for group', 'GET', find('Groups', `displayName eq "${group}"`, 'excludedAttributes=members&')),
    step('group', 'POST', `${BASE}/Groups`, { schemas: [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'], externalId: '6d1d9a0e', displayName: group, meta: { resourceType: 'Group' } }, 201),
    step('read group', 'GET', `${team}?excludedAttributes=members`),
    step('members', 'PATCH', team, patch({ op: 'Add', path: 'members', value: [member('mira'), member('lars')] })),
    step('member again', 'PATCH', team, patch({ op: 'Add', path: 'members', value: [member('mira')] })),
    step('update', 'PATCH', user, patch(
      { op: 'Replace', path: 'displayName', value: 'Mira Osei-Lund' }, { op: 'Replace', path: 'name.familyName', value: 'Osei-Lund' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'mira.osei-lund@nordwind.example' },
    )),
    step('telephone', 'PATCH', user, patch({ op: 'Replace', path: 'phoneNumbers[type eq "work"].value', value: '+46 70 555 01 01' })),
    step('address', 'PATCH', user, patch(
      { op: 'Add', path: 'addresses[type eq "work"].postalCode', value: '118 25' }, { op: 'Add', path: 'addresses[type eq "work"].locality', value: 'Stockholm' },
    )),
    step('department', 'PATCH', user, patch({ op: 'Replace', path: `${ENTERPRISE}:department`, value: 'Treasury' }, { op: 'Add', path: `${ENTERPRISE}:employeeNumber`, value: '70012' })),
    step('flagged update', 'PATCH', user, patch({ op: 'replace', value: { 'name.givenName': 'Mira J', title: 'Head of Treasury', [`${ENTERPRISE}:department`]: 'Group Treasury' } })),
    step('disable', 'PATCH', user, patch({ op: 'Replace', path: 'active', value: 'False' })),
    step('look for disabled', 'GET', find('Users', `userName eq "${MIRA}"`)),
    step('enable', 'PATCH', user, patch({ op: 'Replace', path: 'active', value: 'True' })),
    step('rename group', 'PATCH', team, patch({ op: 'Replace', path: 'displayName', value: `${group} II` })),
    step('remove member', 'PATCH', team, patch({ op: 'Remove', path: 'members', value: [member('lars')] })),
    step('remove member, flagged', 'PATCH', team, patch({ op: 'remove', path: 'members[value eq "{id:mira}"]' })),
    step('delete', 'DELETE', user, null, 204),
    step('deleted?', 'GET', user, null, 404),
    step('delete group', 'DELETE', team, null, 204),
    step('probe again', 'GET', find('Users', 'userName eq "0f6c1d52-3d0e-4c63-9b52-7a3f4f0c9e11"')),
  ];
}

/** Okta: updates by what was read (`{last}`: the last answer about the user), changes of groups by PATCH. */
export function okta({ group = 'Risk Team' } = {}) {
  const noor = {
    schemas: [USER], userName: MIRA, name: { givenName: 'Mira', familyName: 'Osei' }, emails: [{ primary: true, value: MIRA, type: 'work' }],
    displayName: 'Mira Osei', locale: 'en-US', externalId: '00u1a2b3c4D5e6F7g8h9', groups: [], password: '1mz050nq', active: true,
  };
  const lars = { ...noor, userName: LARS, name: { givenName: 'Lars', familyName: 'Ek' }, emails: [{ primary: true, value: LARS, type: 'work' }], displayName: 'Lars Ek', externalId: '00u9' };
  const user = `${BASE}/Users/{id:mira}`;
  const team = `${BASE}/Groups/{id:group}`;
  const page = '&startIndex=1&count=100';
  const look = (resource, filter) => `${BASE}/${resource}?filter=${encodeURIComponent(filter)}${page}`;
  const changed = (name, change) => ({ ...step(name, 'PUT', user), change });
  return [
    step('test', 'GET', `${BASE}/Users?startIndex=1&count=2`),
    step('test groups', 'GET', `${BASE}/Groups?startIndex=1&count=100`),
    step('look for mira', 'GET', look('Users', `userName eq "${MIRA}"`)),
    step('mira', 'POST', `${BASE}/Users`, noor, 201),
    step('lars', 'POST', `${BASE}/Users`, lars, 201),
    step('read', 'GET', user),
    changed('update', { name: { givenName: 'Mira', familyName: 'Osei-Lund' }, displayName: 'Mira Osei-Lund', title: 'Lead' }),
    step('read with manager', 'GET', user),
    changed('manager', { [ENTERPRISE]: { department: 'Risk', manager: { value: '{id:lars}', displayName: 'Lars Ek' } } }),
    step('look for group', 'GET', look('Groups', `displayName eq "${group}"`)),
    step('group', 'POST', `${BASE}/Groups`, { schemas: [GROUP], displayName: group, members: [] }, 201),
    step('members', 'PATCH', team, patch({ op: 'add', path: 'members', value: [{ value: '{id:mira}', display: MIRA }, { value: '{id:lars}', display: null }] })),
    step('rename', 'PATCH', team, patch({ op: 'replace', value: { id: '{id:group}', displayName: group } })),
    step('swap', 'PATCH', team, patch({ op: 'remove', path: 'members[value eq "{id:mira}"]' }, { op: 'add', path: 'members', value: [{ value: '{id:lars}', display: LARS }] })),
    step('members by replacing', 'PUT', team, { schemas: [GROUP], displayName: group, members: [{ value: '{id:mira}', display: MIRA }] }),
    step('deactivate', 'PATCH', user, patch({ op: 'replace', value: { active: false } })),
    step('look for inactive', 'GET', look('Users', `userName eq "${MIRA}"`)),
    step('activate', 'PATCH', user, patch({ op: 'replace', value: { active: true } })),
    step('password', 'PATCH', user, patch({ op: 'replace', value: { password: 'Vx-not-a-real-one-9' } })),
    step('read to deactivate', 'GET', user),
    changed('deactivate by replacing', { active: false }),
    step('import', 'GET', `${BASE}/Users?startIndex=1&count=100`),
    step('import page two', 'GET', `${BASE}/Users?startIndex=101&count=100`),
    step('unlink group', 'DELETE', team, null, 204),
  ];
}
