// SAP LeanIX as documented, its gaps filled as marked (inferred).
// SIM-LX-1  the token endpoint takes the Basic user `apitoken` alone
// SIM-LX-2  a short token lives 3600 s, a long-lived one until it is invalidated
// SIM-LX-3  a long-lived token carries the workspace and the role of users that come without one
// SIM-LX-4  a POST whose userName or e-mail is known meets that user: 409 (strict), linked with 201 (lenient) (inferred)
// SIM-LX-5  active false and DELETE archive: readable by id and filter, not in the plain list (inferred)
// SIM-LX-6  a role is ADMIN, MEMBER or VIEWER (inferred)
// SIM-LX-7  there is no /Groups (inferred)
// SIM-LX-8  in an invite-only workspace a user comes without a permission
// SIM-LX-9  only the published attributes are taken, one e-mail of type work; userName has the form of an e-mail address
import { randomUUID } from 'node:crypto';

import { Refusal } from '../judge.mjs';
import { CORE_USER, ENTERPRISE_USER, ResourceType } from '../schema.mjs';

const SERVICES = '/services/mtm/v1';
const PERMISSION = 'urn:ietf:params:scim:schemas:extension:workspacePermission:2.0:User';
const ROLES = ['ADMIN', 'MEMBER', 'VIEWER'];
const HOUR = 3600;

const USER = {
  ...CORE_USER,
  attributes: {
    userName: 'string required unique',
    name: { givenName: 'string', familyName: 'string' },
    emails: [{ value: 'string', type: 'string', primary: 'boolean' }],
    active: 'boolean',
  },
};
const EXTENSIONS = [
  { id: PERMISSION, name: 'WorkspacePermission', attributes: { role: 'string', customerRoles: 'string', accessControlEntities: 'string' } },
  { ...ENTERPRISE_USER, attributes: { department: 'string' } },
];
const COMMON = {
  id: 'string readOnly caseExact',
  meta: { resourceType: 'string', created: 'dateTime', lastModified: 'dateTime', location: 'reference' },
};

/** The provider's rules. */
export default function leanix({ credential, inviteOnly = false, now = () => Date.now() }) {
  const user = new ResourceType({ endpoint: 'Users', prefix: uuid, core: USER, extensions: EXTENSIONS, common: COMMON });
  const tokens = new Tokens(credential, now);
  return {
    base: `${SERVICES}/scim/v2`,
    types: [user],
    etag: false,
    filterOperators: ['eq', 'and', 'element'],
    endpoints: (request, url, bytes) => tokens.answer(request, url.pathname, bytes),
    authenticate: (authorization) => tokens.long(authorization),
    check: (_type, resource, judge) => checkUser(resource, judge),
    create: (service, type, resource, judge) => createOrMatch(service, type, resource, judge),
    written(stored, { permissionRole }) {
      stored.active ??= true;
      if (!inviteOnly && stored[PERMISSION]?.role === undefined) stored[PERMISSION] = { role: permissionRole, ...stored[PERMISSION] };
      if (inviteOnly) delete stored[PERMISSION];
    },
    remove: (service, type, stored) => service.store.replace(type, stored, { ...stored, active: false }),
    listed: ({ active }) => active,
  };
}

function checkUser({ userName, name, emails = [], [PERMISSION]: permission }, judge) {
  if (!/^[^@\s]+@[^@\s]+$/.test(userName)) judge.object('SIM-LX-9', 'invalidValue', '`userName` is not an e-mail address');
  for (const part of ['givenName', 'familyName']) {
    if (!name?.[part]) judge.object('SIM-LX-9', 'invalidValue', `\`name.${part}\` is required`);
  }
  if (emails.length !== 1 || (emails[0].type ?? 'work') !== 'work' || !emails[0].value) {
    judge.object('SIM-LX-9', 'invalidValue', '`emails` takes exactly one element, of type work');
  }
  if (permission?.role !== undefined && !ROLES.includes(permission.role)) {
    judge.object('SIM-LX-6', 'invalidValue', '`role` is ADMIN, MEMBER or VIEWER');
  }
}

function createOrMatch(service, type, resource, judge) {
  const mail = (one) => one.emails?.[0]?.value?.toLowerCase();
  const known = service.store.list(type)
    .find((other) => other.userName.toLowerCase() === resource.userName.toLowerCase() || mail(other) === mail(resource));
  if (!known) return { status: 201, stored: service.store.create(type, resource) };
  if (judge.strict) throw new Refusal(409, 'uniqueness', 'a user with this `userName` or e-mail address exists');
  judge.object('SIM-LX-4', 'uniqueness', 'the user is known and was linked');
  return { status: 201, stored: service.store.replace(type, known, { ...known, ...resource }) };
}

// The token endpoints beside /scim/v2, and which tokens are good.
class Tokens {
  short = new Map();
  issued = [];

  constructor(credential, now) {
    this.now = now;
    this.issued.push({ id: uuid(0), accessToken: credential, valid: true, scimConfiguration: { workspaceId: uuid(0), permissionRole: 'VIEWER' } });
  }

  /** The configuration a long-lived token carries, or nothing. */
  long(authorization) {
    return this.issued.find(({ accessToken, valid }) => valid && authorization === `Bearer ${accessToken}`)?.scimConfiguration;
  }

  answer({ method, headers }, path, bytes) {
    if (method === 'POST' && path === `${SERVICES}/oauth2/token`) return this.issueShort(headers, String(bytes));
    const [, id] = new RegExp(`^${SERVICES}/longlivedBearerTokens(?:/([^/]+)/invalidate)?$`).exec(path) ?? [];
    if (!path.startsWith(`${SERVICES}/longlivedBearerTokens`)) return undefined;
    if (!(this.short.get(headers.authorization) > this.now())) throw new Refusal(401, undefined, 'a short-lived token is needed');
    if (method === 'GET') return { status: 200, body: this.issued.map(hidden) };
    if (method !== 'POST') throw new Refusal(405, undefined, 'unknown method');
    return id ? this.invalidate(id) : this.issueLong(bytes);
  }

  issueShort(headers, body) {
    const [name, secret] = Buffer.from(/^Basic (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '', 'base64').toString().split(':');
    if (name !== 'apitoken' || !secret) throw new Refusal(401, undefined, 'SIM-LX-1: the user name is `apitoken`');
    if (new URLSearchParams(body).get('grant_type') !== 'client_credentials') throw new Refusal(400, undefined, 'unknown grant type');
    const token = randomUUID();
    this.short.set(`Bearer ${token}`, this.now() + HOUR * 1000);
    return { status: 200, contentType: 'application/json', body: { scope: '', expired: false, access_token: token, token_type: 'bearer', expires_in: HOUR - 1 } };
  }

  issueLong(bytes) {
    const { description = '', scimConfiguration } = JSON.parse(String(bytes));
    if (!scimConfiguration?.workspaceId || !ROLES.includes(scimConfiguration.permissionRole)) {
      throw new Refusal(400, undefined, 'SIM-LX-3: `workspaceId` and `permissionRole` are required');
    }
    const token = { id: randomUUID(), accessToken: randomUUID(), valid: true, description, scimConfiguration };
    this.issued.push(token);
    return { status: 200, contentType: 'application/json', body: token };
  }

  invalidate(id) {
    const token = this.issued.find((one) => one.id === id);
    if (!token) throw new Refusal(404, undefined, 'no such token');
    token.valid = false;
    return { status: 200, contentType: 'application/json', body: hidden(token) };
  }
}

function hidden({ accessToken, ...token }) {
  return token;
}

function uuid(n) {
  return `5ca1ab1e-0000-4000-8000-${String(n).padStart(12, '0')}`;
}
