// Salesforce as documented; what is inferred is marked.
// SIM-SF-1  a new user needs the entitlement of a known profile
// SIM-SF-2  userName has the form of an e-mail address and is unique whatever its case
// SIM-SF-3  DELETE deactivates: 204 (inferred), and the user can still be read
// SIM-SF-4  one telephone number a user
// SIM-SF-5  members are changed as `{"members": […]}` below the path `members`; a plain list in lenient mode only
// SIM-SF-6  /Entitlements shows at most 200
// SIM-SF-7  `and` does not bind tighter than `or`
// SIM-SF-8  a PATCH answers 200 and the resource
// SIM-SF-9  groups are neither made nor deleted nor replaced (status inferred)
// SIM-SF-10 a token that is over is answered with 401 and a list
// SIM-SF-11 userName reads in lower case; nickName, displayName, name.formatted and photos are filled in
// SIM-SF-12 what a user's PATCH adds and replaces has no path (one in lenient mode only, inferred); users have no PUT (inferred)
import { Lived, basic, operationsOf, withOperations } from '../dialects.mjs';
import { Refusal } from '../judge.mjs';
import { CORE_GROUP, CORE_USER, ENTERPRISE_USER, ResourceType } from '../schema.mjs';

const ENTITLEMENT = 'urn:salesforce:schemas:extension:1.0:Entitlement';
const PROFILE = '00e5g000001Vtbn';
const { x509Certificates, ims, photos, password, profileUrl, ...plain } = CORE_USER.attributes;

const USER = {
  ...CORE_USER,
  attributes: {
    ...plain,
    emailEncodingKey: 'string',
    password: 'string writeOnly',
    photos: [{ value: 'reference', type: 'string' }],
    entitlements: [{ value: 'string', $ref: 'reference', display: 'string', type: 'string', primary: 'boolean' }],
  },
  readOnly: ['groups', 'photos'],
};
const ENTITLEMENTS = { id: ENTITLEMENT, name: 'Entitlement', attributes: { displayName: 'string required', type: 'string' } };
const ROLES = { id: 'urn:salesforce:schemas:extension:1.0:Role', name: 'Role', attributes: { displayName: 'string required' } };

/** The provider's rules. */
export default function salesforce({
  credential, now = () => Date.now(), tokenTime = 7200, clientId = '3MVG9demo', publicGroups = { '00G5g000001AAAA': 'All Staff' },
  entitlements = { [PROFILE]: ['Profile', 'Standard User'], '0PS5g000001BBBB': ['PermissionSet', 'Reports'] },
}) {
  const count = (prefix) => (n, { id }) => id ?? `${prefix}5g${String(n).padStart(10, '0')}AA`.slice(0, 18);
  const user = new ResourceType({ endpoint: 'Users', prefix: count('005'), core: USER, extensions: [ENTERPRISE_USER] });
  const group = new ResourceType({ endpoint: 'Groups', prefix: count('00G'), core: CORE_GROUP });
  const entitlement = new ResourceType({ endpoint: 'Entitlements', prefix: count('00e'), core: ENTITLEMENTS });
  const role = new ResourceType({ endpoint: 'Roles', prefix: count('00E'), core: ROLES });
  const tokens = new Lived(tokenTime, now);
  const known = (id) => Object.entries(entitlements).find(([one]) => one === id || one.slice(0, 15) === String(id).slice(0, 15));
  return {
    base: '/services/scim/v2',
    types: [user, group, entitlement, role],
    tokens,
    now,
    etag: false,
    search: false,
    maxResults: 200,
    flatFilters: true,
    discovery: { ServiceProviderConfigs: 'config', ResourceTypes: 'resourceTypes', Schemas: 'schemas' },
    endpoints: (request, url, bytes) => issue(request, url, String(bytes), { clientId, credential, tokens, now }),
    authenticate: (authorization) => authorization === `Bearer ${credential}` || tokens.good(authorization),
    failure: (refusal) => (refusal.status === 401
      ? { status: 401, contentType: 'application/json', body: [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }] }
      : undefined),
    missing: (type) => ({ User: ['PUT'], Group: ['POST', 'PUT', 'DELETE'] }[type.name] ?? ['POST', 'PUT', 'PATCH', 'DELETE']),
    seed(service) {
      for (const [id, displayName] of Object.entries(publicGroups)) service.store.create(group, { id, displayName });
      for (const [id, [type, displayName]] of Object.entries(entitlements)) service.store.create(entitlement, { id, type, displayName });
      service.store.create(role, { displayName: 'CEO' });
    },
    check(type, resource, judge) {
      if (type !== user) return;
      if (!resource.userName.includes('@')) judge.object('SIM-SF-2', 'invalidValue', '`userName` is not in the form of an e-mail address');
      if (!resource.name?.familyName) judge.object('SIM-SF-1', 'invalidValue', '`name.familyName` is required');
      if (!resource.emails?.length) judge.object('SIM-SF-1', 'invalidValue', '`emails` is required');
      if (resource.phoneNumbers?.length > 1) judge.object('SIM-SF-4', 'invalidValue', 'one telephone number a user');
      const profiles = (resource.entitlements ?? []).map(({ value }) => known(value));
      if (profiles.includes(undefined)) judge.object('SIM-SF-1', 'invalidValue', 'unknown entitlement');
      if (!profiles.some((found) => found?.[1][0] === 'Profile')) judge.object('SIM-SF-1', 'invalidValue', 'no profile among `entitlements`');
    },
    dialect: (type, body, judge) => (type === group ? flat(body, judge) : pathless(body, judge)),
    written(stored, _account, _service, type) {
      if (type !== user) return;
      stored.nickName ??= stored.userName;
      stored.userName = stored.userName.toLowerCase();
      stored.active ??= true;
      const formatted = [stored.name?.givenName, stored.name?.familyName].filter(Boolean).join(' ');
      stored.name = { ...stored.name, formatted };
      stored.displayName = formatted;
      stored.userType = 'Standard';
      stored.entitlements = (stored.entitlements ?? []).map(({ value }) => {
        const [id, [kind, display]] = known(value) ?? [value, ['Profile', value]];
        return { value: id, $ref: `/Entitlements/${id}`, display, type: kind, ...(kind === 'Profile' && { primary: true }) };
      });
      stored.photos = [{ value: 'https://acme.my.salesforce.com/profilephoto/005/F', type: 'photo' }];
    },
    remove: (service, type, stored) => service.store.replace(type, stored, { ...stored, active: false }),
    represent: (_service, type, resource) => (type === group ? { ...resource, type: 'Regular' } : resource),
  };
}

function pathless(body, judge) {
  if (operationsOf(body).some(({ op, path }) => path !== undefined && String(op).toLowerCase() !== 'remove')) judge.object('SIM-SF-12', 'invalidPath', 'operations on users have no `path`');
  // Op names are taken in any case.
  return withOperations(body, (operation) => ({ ...operation, op: String(operation?.op).toLowerCase() }));
}

function flat(body, judge) {
  return withOperations(body, (operation) => {
    const { op, path, value } = operation ?? {};
    if (path !== 'members' && !/^members\[/.test(path ?? '')) judge.object('SIM-SF-5', 'invalidPath', 'a group takes changes of members alone');
    if (path !== 'members') return [operation];
    const nested = value?.members;
    if (!nested) judge.object('SIM-SF-5', 'invalidValue', 'members stand as `{"members": […]}`');
    const list = nested ?? [value].flat();
    if (op !== 'remove') return [{ op, path, value: list }];
    return list.map((member) => ({ op, path: `members[value eq ${JSON.stringify(member?.value)}]` }));
  });
}

function issue({ method, headers }, url, body, { clientId, credential, tokens, now }) {
  if (url.pathname !== '/services/oauth2/token') return undefined;
  if (method !== 'POST') throw new Refusal(405, undefined, 'unknown method');
  const form = new URLSearchParams(body);
  const [name = form.get('client_id'), secret = form.get('client_secret')] = basic(headers.authorization);
  const json = (status, answer) => ({ status, contentType: 'application/json', body: answer });
  if (!['client_credentials', 'refresh_token'].includes(form.get('grant_type'))) return json(400, { error: 'unsupported_grant_type', error_description: 'grant type not supported' });
  if (name !== clientId || secret !== credential) return json(400, { error: 'invalid_client', error_description: 'invalid client credentials' });
  return json(200, {
    access_token: tokens.issue('00Dxx0000001gPL!'),
    instance_url: `http://${headers.host}`,
    id: 'https://login.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS',
    token_type: 'Bearer',
    issued_at: String(now()),
    signature: 'ZGVtbw==',
  });
}
