// SAP Cloud Identity Services (SCIM API version 2) as documented; what is inferred is marked.
// SIM-IDS-1 Basic credentials
// SIM-IDS-2 a PATCH removes at most 50 members
// SIM-IDS-3 filters: eq, and, or, brackets
// SIM-IDS-4 groups of a user are read only: memberships are changed at the group
// SIM-IDS-5 200 requests a minute are taken, from 281 on it answers 429
// SIM-IDS-6 a group of type authorization names its application
// SIM-IDS-7 externalName stays as it was
import { Window, basic, expandRemovals, leaveGroups, operationsOf, uuid } from '../dialects.mjs';
import { operators } from '../filter.mjs';
import { Refusal } from '../judge.mjs';
import { CORE_GROUP, CORE_USER, ENTERPRISE_USER, ResourceType } from '../schema.mjs';

const SAP = 'urn:ietf:params:scim:schemas:extension:sap:2.0';
const EXTENSIONS = [
  ENTERPRISE_USER,
  {
    id: `${SAP}:User`,
    name: 'SapUser',
    attributes: {
      userUuid: 'string', userId: 'string', loginTime: 'dateTime', validFrom: 'dateTime', validTo: 'dateTime', sendMail: 'boolean writeOnly',
      mailVerified: 'boolean writeOnly', sourceSystem: 'string', sourceSystemId: 'string', applicationId: 'string',
      emails: [{ value: 'string', primary: 'boolean', verified: 'boolean' }],
      passwordDetails: { status: 'string', policy: 'string' },
    },
    readOnly: ['userUuid', 'userId', 'loginTime'],
  },
];
const GROUP_EXTENSIONS = [
  { id: `${SAP}:Group`, name: 'SapGroup', attributes: { applicationId: 'string', type: 'string', supportedOperations: 'string', externalName: 'string', externalLocation: 'reference' } },
  { id: 'urn:sap:cloud:scim:schemas:extension:custom:2.0:Group', name: 'SapCustomGroup', attributes: { name: 'string', description: 'string' } },
];

/** The provider's rules. */
export default function sapCloudIdentity({ credential, now = () => Date.now() }) {
  const user = new ResourceType({ endpoint: 'Users', prefix: uuid, core: CORE_USER, extensions: EXTENSIONS });
  const group = new ResourceType({ endpoint: 'Groups', prefix: (n) => uuid(1000 + n), core: CORE_GROUP, extensions: GROUP_EXTENSIONS });
  const window = new Window(280, 60_000, now);
  return {
    base: '/scim',
    types: [user, group],
    now,
    authenticate: (authorization) => basic(authorization).join(':') === `client:${credential}`,
    screen() {
      if (!window.takes()) throw new Refusal(429, undefined, 'SIM-IDS-5: too many requests in a minute');
    },
    check(type, resource, judge, _service, stored) {
      const own = resource[`${SAP}:Group`];
      if (type === group && own?.type === 'authorization' && !own.applicationId) {
        judge.object('SIM-IDS-6', 'invalidValue', '`applicationId` is required');
      }
      if (type === group && stored && own?.externalName !== stored[`${SAP}:Group`]?.externalName) {
        judge.object('SIM-IDS-7', 'mutability', '`externalName` is immutable');
      }
    },
    dialect(type, body, judge) {
      const removed = operationsOf(body).filter(({ op, path }) => op === 'remove' && /^members\b/.test(path ?? ''));
      if (removed.reduce((sum, { path, value }) => sum + (path === 'members' ? value?.length ?? 0 : 1), 0) > 50) {
        judge.object('SIM-IDS-2', 'tooMany', 'more than 50 members are removed');
      }
      if (type === user && operationsOf(body).some(({ path }) => /^groups\b/.test(path ?? ''))) judge.refuse('SIM-IDS-4', 'mutability', '`groups` is read only');
      return expandRemovals(body);
    },
    filter(_type, filter, _query, judge) {
      const foreign = filter && operators(filter).find((operator) => !['eq', 'and', 'or', 'element'].includes(operator));
      if (foreign) judge.refuse('SIM-IDS-3', 'invalidFilter', `\`${foreign}\` is not offered`);
    },
    written(stored, _account, _service, type) {
      if (type === user) stored[`${SAP}:User`] = { userUuid: stored.id, ...stored[`${SAP}:User`] };
      else stored[`${SAP}:Group`] = { type: 'userGroup', supportedOperations: 'readWrite', ...stored[`${SAP}:Group`] };
    },
    remove(service, type, stored) {
      service.store.remove(type, stored.id);
      leaveGroups(service, group, stored.id);
    },
    represent(service, type, resource, root) {
      if (type === group) return resource;
      const groups = service.store.list(group).filter(({ members }) => members?.some(({ value }) => value === resource.id))
        .map(({ id, displayName }) => ({ value: id, $ref: `${root}/Groups/${id}`, display: displayName }));
      return groups.length > 0 ? { ...resource, groups } : resource;
    },
  };
}
