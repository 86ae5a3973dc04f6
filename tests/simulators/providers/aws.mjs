// AWS IAM Identity Center as documented; what is inferred is marked.
// SIM-AWS-1  userName, name.givenName, name.familyName, displayName are required
// SIM-AWS-2  emails, phoneNumbers, addresses, roles take one element
// SIM-AWS-3  the e-mail address is primary
// SIM-AWS-4  entitlements, ims, photos, x509Certificates, password, groups and every `display` are refused
// SIM-AWS-5  filters are the documented combinations of eq; attributes, excludedAttributes, startIndex are no parameters
// SIM-AWS-6  paging by cursor, 100 a page, and the filter stays; option cap50: 50 results and no paging
// SIM-AWS-7  a group's PATCH changes at most 100 memberships, replaces none and never removes all; a new group has at most 100 (inferred)
// SIM-AWS-8  a user's PATCH: path left out for one attribute only, userName and active once and never removed
// SIM-AWS-9  members are never shown
// SIM-AWS-10 errors have `schema`, `exceptionRequestId` and `timeStamp`
// SIM-AWS-11 groups have no PUT; there is no /Bulk, /Me, /.search (status inferred)
// SIM-AWS-12 a token lives one year
// SIM-AWS-13 option throttle: so many requests a second, then 429
import { createHash } from 'node:crypto';

import { Window, expandRemovals, leaveGroups, memberChanges, operationsOf, uuid } from '../dialects.mjs';
import { conjuncts, pathOf } from '../filter.mjs';
import { Refusal } from '../judge.mjs';
import { CORE_GROUP, CORE_USER, ENTERPRISE_USER, ResourceType } from '../schema.mjs';

const YEAR = 365 * 24 * 3600 * 1000;
const one = (more) => [{ value: 'string', type: 'string', primary: 'boolean', ...more }];
const { emails, phoneNumbers, ims, photos, x509Certificates, entitlements, roles, groups, password, ...plain } = CORE_USER.attributes;

const USER = {
  ...CORE_USER,
  attributes: { ...plain, displayName: 'string required', emails: one(), phoneNumbers: one(), roles: one() },
  readOnly: [],
};
const GROUP = {
  ...CORE_GROUP,
  attributes: { displayName: 'string required unique', members: [{ value: 'string', $ref: 'reference', type: 'string' }] },
};
const ENTERPRISE = {
  ...ENTERPRISE_USER,
  attributes: { ...ENTERPRISE_USER.attributes, manager: { value: 'string', $ref: 'reference' } },
};
const SINGLE = ['emails', 'phoneNumbers', 'addresses', 'roles'];
const FILTERS = {
  User: [['userName'], ['externalId'], ['id'], ['groups.value'], ['id', 'manager']],
  Group: [['displayName'], ['externalId'], ['id'], ['members.value'], ['id', 'members.value']],
};
const CHANGEABLE = {
  User: [
    'username', 'active', 'externalid', 'displayname', 'nickname', 'profileurl', 'title', 'usertype', 'preferredlanguage', 'locale',
    'timezone', 'name', 'emails', 'addresses', 'phonenumbers', ENTERPRISE_USER.id.toLowerCase(),
  ],
  Group: ['displayname', 'externalid', 'members'],
};

/** The provider's rules. */
export default function aws({ credential, now = () => Date.now(), cap50 = false, throttle = Infinity }) {
  const user = new ResourceType({ endpoint: 'Users', prefix: id, core: USER, extensions: [ENTERPRISE] });
  const group = new ResourceType({ endpoint: 'Groups', prefix: (n) => id(1000 + n), core: GROUP });
  // Filters may name what resources never show.
  user.attributes.set('groups', { name: 'groups', multi: true, flags: new Set(['readOnly']), subs: new Map([['value', { name: 'value', flags: new Set() }]]) });
  // The words of the combined filters.
  word(user, 'manager', `${ENTERPRISE_USER.id}:manager.value`);
  word(group, 'member', 'members.value');
  const born = now();
  const window = new Window(throttle, 1000, now);
  const requests = { count: 0 };
  return {
    base: '/tenant/scim/v2',
    types: [user, group],
    contentType: 'application/json',
    etag: false,
    search: false,
    maxResults: cap50 ? 50 : 100,
    now,
    rules: { 'SIM-RFC-3': 'SIM-AWS-4', 'SIM-RFC-6': 'SIM-AWS-1' },
    screen() {
      if (!window.takes()) throw new Refusal(429, undefined, 'Rate exceeded');
    },
    authenticate: (authorization) => authorization === `Bearer ${credential}` && now() < born + YEAR,
    failure: (refusal) => failure(refusal, (requests.count += 1), now),
    missing: (type) => (type === group ? ['PUT'] : []),
    accept(type, body, judge) {
      if (type === user && Object.keys(body ?? {}).some((name) => name.toLowerCase() === 'groups')) judge.object('SIM-AWS-4', 'invalidValue', '`groups` is refused');
      if (type === group && body?.members?.length > 100) judge.object('SIM-AWS-7', 'invalidValue', 'more than 100 memberships of a new group');
      return body;
    },
    check: (type, resource, judge) => (type === user ? checkUser(resource, judge) : undefined),
    dialect: (type, body, judge) => checkPatch(type, body, judge),
    patchStatus: (type) => (type === group ? 204 : 200),
    filter: (type, filter, query, judge, service) => checkFilter(type, filter, query, judge, service),
    page: cap50 ? undefined : page,
    remove(service, type, stored) {
      service.store.remove(type, stored.id);
      if (type === user) leaveGroups(service, group, stored.id);
    },
    // A user is found by the groups it is in, which are not shown.
    searched: (service, type, resource) => (type === user
      ? { ...resource, groups: service.store.list(group).filter(({ members }) => members?.some(({ value }) => value === resource.id)).map(({ id: value }) => ({ value })) }
      : resource),
    represent: (_service, type, resource) => (type === group ? { ...resource, members: [] } : resource),
  };
}

function word(type, name, path) {
  const { resolve } = type;
  type.resolve = (text) => resolve.call(type, text === name ? path : text);
}

function checkUser({ name, ...user }, judge) {
  for (const part of ['givenName', 'familyName']) {
    if (!name?.[part]) judge.object('SIM-AWS-1', 'invalidValue', `\`name.${part}\` is required`);
  }
  for (const list of SINGLE) {
    if (user[list]?.length > 1) judge.object('SIM-AWS-2', 'invalidValue', 'list attributes only allow a single item');
  }
  if (user.emails?.some(({ primary }) => primary !== true)) judge.object('SIM-AWS-3', 'invalidValue', '`emails` takes a primary element');
}

function checkPatch(type, body, judge) {
  const operations = operationsOf(body);
  for (const { op, path, value } of operations) {
    const names = path === undefined ? Object.keys(value ?? {}).filter((name) => name !== 'id') : [path];
    if (path === undefined && names.length > 1) {
      judge.object('SIM-AWS-8', 'invalidValue', 'an operation without `path` changes a single attribute');
    }
    for (const name of names) {
      const lower = name.toLowerCase();
      const known = CHANGEABLE[type.name].some((start) => lower === start || ['.', '[', ':'].some((next) => lower.startsWith(start + next)));
      if (!known) judge.object('SIM-AWS-8', 'invalidPath', `\`${name}\` cannot be changed`);
      const filter = /\[(.*)\]/s.exec(name)?.[1];
      if (filter !== undefined && !/^\s*[\w.]+\s+eq\s+("(?:[^"\\]|\\.)*"|\S+)\s*$/i.test(filter)) judge.object('SIM-AWS-8', 'invalidPath', 'filters in paths only ask with `eq`');
      if (type.name === 'User' && op === 'remove' && ['username', 'active'].includes(lower)) judge.object('SIM-AWS-8', 'mutability', `\`${name}\` cannot be removed`);
    }
    if (type.name === 'Group' && op === 'replace' && names.some((name) => name.toLowerCase() === 'members')) {
      judge.object('SIM-AWS-7', 'invalidValue', 'memberships cannot be replaced');
    }
    if (type.name === 'Group' && op === 'remove' && path === 'members' && !Array.isArray(value)) {
      judge.object('SIM-AWS-7', 'invalidValue', 'all memberships cannot be removed');
    }
  }
  for (const name of ['userName', 'active']) {
    const times = operations.filter(({ path, value }) => (path ?? Object.keys(value ?? {})[0] ?? '').toLowerCase() === name.toLowerCase());
    if (type.name === 'User' && times.length > 1) judge.object('SIM-AWS-8', 'invalidValue', `\`${name}\` is changed more than once`);
  }
  const changes = operations.reduce((sum, operation) => sum + memberChanges(operation), 0);
  if (changes > 100) judge.object('SIM-AWS-7', 'invalidValue', 'more than 100 membership changes');
  // The documented renaming carries the id as well.
  const plain = body?.Operations?.map((operation) => {
    if (operation?.path !== undefined || !operation?.value?.id) return operation;
    const { id: _, ...value } = operation.value;
    return { ...operation, value };
  });
  return expandRemovals(plain ? { ...body, Operations: plain } : body);
}

function checkFilter(type, filter, query, judge, service) {
  for (const parameter of ['attributes', 'excludedAttributes', 'startIndex', 'sortBy', 'sortOrder']) {
    if (query.has(parameter)) judge.object('SIM-AWS-5', undefined, `\`${parameter}\` is not a parameter`);
  }
  if (!filter) return;
  const parts = conjuncts(filter);
  const names = parts?.map((part) => pathOf(part).replace(/^urn:.*:manager\.value$/, 'manager')).sort();
  const offered = parts?.every(({ operator }) => operator === 'eq')
    && FILTERS[type.name].some((known) => JSON.stringify([...known].sort()) === JSON.stringify(names));
  if (!offered) judge.refuse('SIM-AWS-5', 'invalidFilter', 'the filter is not one of the documented ones');
  const member = type.name === 'Group' && parts.find((part) => pathOf(part) === 'members.value');
  if (member && parts.length === 2 && !service.types.some((of) => service.store.get(of, member.value))) {
    throw new Refusal(404, undefined, 'the member does not exist');
  }
}

// Without `cursor` one answer with totals; with it pages, and no totals.
function page({ query }, found, show, judge) {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:ListResponse'];
  const count = Number(query.get('count') ?? 100);
  if (!(count >= 1 && count <= 100)) judge.object('SIM-AWS-6', undefined, '`count` is 1 to 100');
  if (!query.has('cursor')) {
    const resources = found.slice(0, Math.min(100, Math.max(count, 1)));
    return { status: 200, body: { schemas, totalResults: found.length, startIndex: 1, itemsPerPage: resources.length, Resources: resources.map(show) } };
  }
  const print = createHash('sha256').update(query.get('filter') ?? '').digest('hex').slice(0, 16);
  const [from, before] = query.get('cursor') ? Buffer.from(query.get('cursor'), 'base64url').toString().split(' ') : [0, print];
  if (before !== print) judge.refuse('SIM-AWS-6', undefined, 'the filter changed between pages');
  const start = Number(from);
  const resources = found.slice(start, start + count);
  const nextCursor = start + count < found.length ? Buffer.from(`${start + count} ${print}`).toString('base64url') : undefined;
  return { status: 200, body: { schemas, itemsPerPage: resources.length, ...(nextCursor && { nextCursor }), Resources: resources.map(show) } };
}

function failure({ status, message }, count, now) {
  return {
    status,
    contentType: 'application/json',
    headers: { 'x-amzn-requestid': uuid(count) },
    body: {
      schema: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      detail: message,
      status: String(status),
      exceptionRequestId: uuid(count),
      timeStamp: new Date(now()).toISOString().replace('T', ' ').replace('Z', ''),
    },
  };
}

// Ten hexadecimal digits, a dash, a UUID.
function id(n) {
  return `9067729b3d-${uuid(n)}`;
}
