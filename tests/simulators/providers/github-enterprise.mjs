// GitHub's SCIM interface of an enterprise with managed users; see github.mjs for what both interfaces share.
// SIM-GH-2  the case of a path matters
// SIM-GH-3  users: schemas, externalId, userName, active, displayName, emails with value, type and primary; both parts of a
//           name that is there; groups: externalId, displayName; roles are of the list
// SIM-GH-4  the login is made of userName: 39 characters with the short code (30 on GHE.com: option loginLength), and unique
// SIM-GH-8  active false suspends and hides the login, true brings it back; DELETE cannot be undone
// SIM-GH-10 a PATCH of a group answers 200, or 204 (option groupStatus)
import { leaveGroups, uuid } from '../dialects.mjs';
import { Refusal } from '../judge.mjs';
import { CORE_GROUP, CORE_USER, ResourceType } from '../schema.mjs';
import { shared } from './github.mjs';

const SHORT_CODE = 'acme';
const ROLES = [
  'user', 'guest_collaborator', 'enterprise_owner', 'billing_manager',
  '27d9891d-2c17-4f45-a262-781a0e55c80a', '1ebc4a02-e56c-43a6-92a5-02ee09b90824', '981df190-8801-4618-a08a-d91f6206c954',
  '0e338b8c-cc7f-498a-928d-ea3470d7e7e3', 'ba4987ab-a1c3-412a-b58c-360fc407cb10', 'e6be2762-e4ad-4108-b72d-1bbe884a0f91',
];
const USER = {
  ...CORE_USER,
  attributes: {
    userName: 'string required unique',
    displayName: 'string required',
    active: 'boolean required',
    name: { formatted: 'string', familyName: 'string', givenName: 'string', middleName: 'string' },
    emails: [{ value: 'string', type: 'string', primary: 'boolean' }],
    roles: [{ value: 'string', display: 'string', type: 'string', primary: 'boolean' }],
    groups: [{ value: 'string', $ref: 'reference', display: 'string' }],
  },
};
const GROUP = {
  ...CORE_GROUP,
  attributes: { displayName: 'string required unique', members: [{ value: 'string', $ref: 'reference', display: 'string', displayName: 'string' }] },
};
const COMMON = {
  id: 'string readOnly caseExact',
  externalId: 'string required unique caseExact',
  meta: { resourceType: 'string', created: 'dateTime', lastModified: 'dateTime', location: 'reference' },
};

/** The provider's rules. */
export default function githubEnterprise({ credential, now = () => Date.now(), groupStatus = 200, appKey, loginLength = 39 }) {
  const user = new ResourceType({ endpoint: 'Users', prefix: uuid, core: USER, common: COMMON });
  const group = new ResourceType({ endpoint: 'Groups', prefix: (n) => uuid(1000 + n), core: GROUP, common: COMMON });
  const filters = { User: ['userName', 'externalId', 'id', 'displayName'], Group: ['externalId', 'id', 'displayName'] };
  const logins = new Map();
  return {
    ...shared({ credential, now, filters, appKey }),
    base: '/scim/v2/enterprises/acme',
    types: [user, group],
    logins,
    rules: { 'SIM-RFC-3': 'SIM-GH-3', 'SIM-RFC-5': 'SIM-GH-3', 'SIM-RFC-6': 'SIM-GH-3' },
    patchStatus: (type) => (type === group ? groupStatus : 200),
    check(type, resource, judge, service) {
      if (type === user) checkUser(resource, judge);
      const unknown = (resource.members ?? []).find(({ value }) => !service.store.get(user, value));
      if (type === group && unknown) judge.refuse('SIM-GH-3', 'invalidValue', 'a member is no SCIM user id');
      if (type === user && login(resource.userName).length > loginLength) judge.refuse('SIM-GH-4', 'invalidValue', 'the login is too long');
    },
    collide(service, type, resource) {
      const taken = type === user && service.store.list(user).some((other) => login(other.userName) === login(resource.userName));
      if (taken) throw new Refusal(409, 'uniqueness', `SIM-GH-4: User ${login(resource.userName)} already exists in this enterprise`);
    },
    written(stored, _account, _service, type) {
      if (type === user) logins.set(stored.id, stored.active ? login(stored.userName) : `suspended-${stored.id}`);
    },
    remove(service, type, stored) {
      service.store.remove(type, stored.id);
      logins.delete(stored.id);
      if (type === user) leaveGroups(service, group, stored.id);
    },
    represent(service, type, resource, root) {
      if (type === group) {
        const members = (resource.members ?? []).filter(({ value }) => service.store.get(user, value)?.active)
          .map(({ value }) => ({ value, $ref: `${root}/Users/${value}`, display: service.store.get(user, value).displayName }));
        return { ...resource, members };
      }
      const groups = service.store.list(group).filter(({ members }) => members?.some(({ value }) => value === resource.id))
        .map(({ id, displayName }) => ({ value: id, $ref: `${root}/Groups/${id}`, display: displayName }));
      return { ...resource, groups };
    },
  };
}

function checkUser({ name, emails = [], roles = [] }, judge) {
  if (name && !(name.givenName && name.familyName)) judge.object('SIM-GH-3', 'invalidValue', '`name` has both parts');
  if (emails.length === 0) judge.object('SIM-GH-3', 'invalidValue', '`emails` is required');
  if (emails.some(({ value, type, primary }) => !value || !type || primary === undefined)) {
    judge.object('SIM-GH-3', 'invalidValue', '`emails` has value, type and primary');
  }
  if (roles.some(({ value }) => !ROLES.includes(String(value).toLowerCase()))) judge.object('SIM-GH-3', 'invalidValue', 'unknown role');
}

// The part before `@` or after `\`; everything but letters and digits is a dash, none at an end or twice.
function login(userName) {
  const name = userName.split('\\').at(-1).split('@')[0].replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `${name}_${SHORT_CODE}`.toLowerCase();
}
