// SAP's SCIM interface for IAM (SAP_COM_0465) as documented; what is inferred is marked.
// SIM-SAP-1  writes need the X-CSRF-Token and every cookie of the session it was fetched in, else 403 as text
// SIM-SAP-2  users have the id CB and ten digits, groups BROL_ or BUGR_ and the id of the role or group
// SIM-SAP-3  a business role (authorization) is neither made nor renamed nor deleted (status inferred)
// SIM-SAP-4  userType is one of a closed list
// SIM-SAP-5  a user is in one group of type userGroup: a second one takes it from the first
// SIM-SAP-6  a PATCH removes at most 50 members (status inferred) and adds at most 20000
// SIM-SAP-7  a group is unique by externalId and type
// SIM-SAP-8  filters: Users userName, externalId, emails.value; Groups displayName, externalId, type; eq ne sw ew co, and, or
// SIM-SAP-9  Basic credentials, or a client certificate (seen as a field that the TLS end sets)
// SIM-SAP-10 option notUnique: locale and preferredLanguage read as `not_unique`
// SIM-SAP-11 userName and externalId are kept in upper case (inferred)
// SIM-SAP-12 loginTime and workAssignment are read only
import { basic, expandRemovals, leaveGroups, operationsOf } from '../dialects.mjs';
import { operators, pathOf } from '../filter.mjs';
import { CORE_GROUP, CORE_USER, ResourceType } from '../schema.mjs';

const EXTENSION = 'urn:ietf:params:scim:schemas:extension:';
const SAP_GROUP = `${EXTENSION}sap:2.0:Group`;
const SAP_USER = `${EXTENSION}sap:2.0:User`;
const ODM_USER = `${EXTENSION}sap.odm:2.0:User`;
const HALF_HOUR = 30 * 60 * 1000;

const USER = {
  ...CORE_USER,
  attributes: {
    userName: 'string required unique',
    name: { formatted: 'string', familyName: 'string', givenName: 'string' },
    displayName: 'string',
    emails: [{ value: 'string', type: 'string', primary: 'boolean' }],
    phoneNumbers: [{ value: 'string', type: 'string' }],
    userType: 'string', preferredLanguage: 'string', locale: 'string', timezone: 'string', active: 'boolean',
    groups: [{ value: 'string', $ref: 'reference', display: 'string', type: 'string' }],
  },
};
const EXTENSIONS = [
  {
    id: SAP_USER,
    name: 'SapUser',
    attributes: {
      validFrom: 'dateTime', validTo: 'dateTime', loginTime: 'dateTime', userUuid: 'string caseExact',
      userUuidHistory: [{ value: 'string', active: 'boolean' }],
      language: { correspondence: 'string' },
      localeSettings: { numericalRepresentation: 'string', date: 'string', time: 'string' },
    },
    readOnly: ['loginTime'],
  },
  {
    id: ODM_USER,
    name: 'SapOdmUser',
    attributes: { workAssignment: [{ id: 'string', startDate: 'dateTime', endDate: 'dateTime', primary: 'boolean' }] },
    readOnly: ['workAssignment'],
  },
  {
    id: `${EXTENSION}sap.erp.worker:2.0:User`,
    name: 'SapErpWorker',
    attributes: {
      personalInformation: { additionalLastName: 'string', birthName: 'string', initials: 'string', gender: 'string', academicTitle: 'string' },
      validity: { startDate: 'dateTime', endDate: 'dateTime' },
      workplace: { companyCode: 'string', costCenter: 'string', department: 'string', functionDescription: 'string' },
    },
  },
];
const GROUP = { ...CORE_GROUP, attributes: { displayName: 'string required', members: [{ value: 'string', $ref: 'reference', type: 'string', display: 'string' }] } };
const FILTERS = { User: ['userName', 'externalId', 'emails.value'], Group: ['displayName', 'externalId', `${SAP_GROUP}:type`] };

/** The provider's rules. */
export default function sapIam({
  credential, now = () => Date.now(), userTypes = ['Employee'], roles = { BR_PURCHASER: 'Purchaser' }, sessionTime = HALF_HOUR,
  notUnique = false, certificate = undefined,
}) {
  const user = new ResourceType({ endpoint: 'Users', prefix: (n) => `CB${String(n).padStart(10, '0')}`, core: USER, extensions: EXTENSIONS });
  const group = new ResourceType({
    endpoint: 'Groups',
    prefix: (n, { externalId, [SAP_GROUP]: own }) => `${own?.type === 'authorization' ? 'BROL' : 'BUGR'}_${externalId ?? n}`,
    core: GROUP,
    extensions: [{ id: SAP_GROUP, name: 'SapGroup', attributes: { type: 'string', supportedOperations: 'string' }, readOnly: ['supportedOperations'] }],
  });
  const sessions = new Sessions(now, sessionTime);
  return {
    base: '/sap/bc/http/sap/aps_iam_api_scim',
    types: [user, group],
    cookies: true,
    etag: false,
    search: false,
    now,
    sessions,
    authenticate: (authorization, { headers }) => basic(authorization).join(':') === `SCIM_COMM_USER:${credential}`
      || (certificate !== undefined && headers['x-client-certificate'] === certificate),
    session: (request, judge) => sessions.pass(request, judge),
    seed(service) {
      for (const [externalId, displayName] of Object.entries(roles)) {
        service.store.create(group, { displayName, externalId, [SAP_GROUP]: { type: 'authorization', supportedOperations: 'membership' } });
      }
    },
    check: (type, resource, judge, service, stored) => (type === user ? checkUser(resource, userTypes, judge) : checkGroup(resource, judge, service, group, stored)),
    dialect: (type, body, judge) => (type === group ? checkMembers(body, judge) : body),
    filter: (type, filter, _query, judge) => filter && checkFilter(type, filter, judge),
    written(stored, _account, service, type) {
      if (type === user) {
        for (const name of ['userName', 'externalId']) if (stored[name]) stored[name] = stored[name].toUpperCase();
        stored.active ??= true;
        stored.userType ??= 'Employee';
      } else {
        const kind = stored[SAP_GROUP]?.type ?? 'userGroup';
        stored[SAP_GROUP] = { type: kind, supportedOperations: kind === 'authorization' ? 'membership' : 'readWrite' };
        if (kind === 'userGroup') move(service, group, stored);
      }
    },
    remove(service, type, stored, judge) {
      if (stored[SAP_GROUP]?.type === 'authorization') judge.refuse('SIM-SAP-3', 'mutability', 'a business role cannot be deleted', 403);
      service.store.remove(type, stored.id);
      leaveGroups(service, group, stored.id);
    },
    represent(service, type, resource, root) {
      const ref = (endpoint, id) => `${root}/${endpoint}/${id}`;
      if (type === group) {
        for (const member of resource.members ?? []) Object.assign(member, { $ref: ref('Users', member.value), display: service.store.get(user, member.value)?.displayName });
        return resource;
      }
      const groups = service.store.list(group).filter(({ members }) => members?.some(({ value }) => value === resource.id))
        .map(({ id, displayName, [SAP_GROUP]: own }) => ({ value: id, $ref: ref('Groups', id), display: displayName, type: own.type }));
      const vague = notUnique ? { locale: 'not_unique', preferredLanguage: 'not_unique' } : {};
      return { ...resource, ...vague, ...(groups.length > 0 && { groups }) };
    },
  };
}

function checkUser({ userType }, userTypes, judge) {
  if (userType !== undefined && !userTypes.includes(userType)) judge.object('SIM-SAP-4', 'invalidValue', `\`userType\` is one of ${userTypes.join(', ')}`);
}

function checkGroup(resource, judge, service, type, stored) {
  const kind = (of) => of[SAP_GROUP]?.type ?? 'userGroup';
  if (!['authorization', 'userGroup'].includes(kind(resource))) judge.object('SIM-SAP-3', 'invalidValue', 'unknown group type');
  if (kind(resource) === 'authorization' && (!stored || resource.displayName !== stored.displayName || resource.externalId !== stored.externalId)) {
    judge.refuse('SIM-SAP-3', 'mutability', 'a business role takes members and nothing else', 403);
  }
  if (stored && kind(resource) !== kind(stored)) judge.refuse('SIM-SAP-3', 'mutability', 'a group keeps its type', 403);
  const twin = resource.externalId && service.store.list(type)
    .find((other) => other.id !== stored?.id && other.externalId === resource.externalId && kind(other) === kind(resource));
  if (twin) judge.refuse('SIM-SAP-7', 'uniqueness', 'a group of this externalId and type exists', 409);
  const [unknown] = (resource.members ?? []).filter(({ value }) => !service.store.get(service.types[0], value));
  if (unknown) judge.refuse('SIM-SAP-2', 'invalidValue', 'a member is no user');
}

function checkMembers(body, judge) {
  const of = (name) => operationsOf(body).filter(({ op, path }) => op === name && /^members\b/.test(path ?? ''));
  const removed = of('remove').reduce((sum, { path, value }) => sum + (path === 'members' ? value?.length ?? 0 : 1), 0);
  if (removed > 50) judge.object('SIM-SAP-6', 'tooMany', 'more than 50 members are removed');
  if (of('add').some(({ value }) => [value].flat().length > 20_000)) judge.object('SIM-SAP-6', 'tooMany', 'more than 20000 members are added');
  return expandRemovals(body);
}

function checkFilter(type, filter, judge) {
  const walk = (node) => {
    if (node.kind === 'and' || node.kind === 'or') return walk(node.left) && walk(node.right);
    if (node.kind === 'element') return pathOf(node) === 'emails';
    return ['eq', 'ne', 'sw', 'ew', 'co'].includes(node.operator) && FILTERS[type.name].includes(pathOf(node));
  };
  if (!walk(filter)) judge.refuse('SIM-SAP-8', 'invalidFilter', `filters are about ${FILTERS[type.name].join(', ')}, and \`${operators(filter).join('`, `')}\` is not all offered`);
}

// A group of users takes its members from every other one.
function move(service, group, stored) {
  const ids = new Set(stored.members?.map(({ value }) => value));
  for (const other of service.store.list(group)) {
    if (other.id === stored.id || other[SAP_GROUP]?.type !== 'userGroup' || !other.members?.some(({ value }) => ids.has(value))) continue;
    const members = other.members.filter(({ value }) => !ids.has(value));
    service.store.replace(group, other, { ...other, members });
  }
}

// Security sessions: two cookies and a token each.
class Sessions {
  open = new Map();
  count = 0;

  constructor(now, time) {
    Object.assign(this, { now, time });
  }

  /** Ends all sessions, as a restart does. */
  end() {
    this.open.clear();
  }

  pass({ method, headers }, judge) {
    const reads = ['GET', 'HEAD', 'OPTIONS'].includes(method);
    if (reads && headers['x-csrf-token']?.toLowerCase() === 'fetch') return { headers: this.start() };
    if (reads) return {};
    const session = this.open.get(headers['x-csrf-token']);
    const cookies = (headers.cookie ?? '').split(/; */).filter(Boolean);
    if (session && session.until > this.now() && session.cookies.every((cookie) => cookies.includes(cookie))) return {};
    judge.note('SIM-SAP-1', 'the X-CSRF-Token or its cookies are missing or over');
    return { answer: { status: 403, contentType: 'text/plain', headers: { 'x-csrf-token': 'Required' }, body: 'CSRF token validation failed' } };
  }

  start() {
    this.count += 1;
    const token = Buffer.from(`csrf-token-${this.count}`).toString('base64');
    const cookies = [`SAP_SESSIONID_ABC_100=session-${this.count}`, 'sap-usercontext=sap-client=100'];
    this.open.set(token, { cookies, until: this.now() + this.time });
    return { 'x-csrf-token': token, 'set-cookie': [`${cookies[0]}; path=/; secure; HttpOnly`, `${cookies[1]}; path=/`] };
  }
}
