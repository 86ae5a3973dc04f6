// GitHub's SCIM interface of an organisation with personal accounts; see github.mjs for what both interfaces share.
// SIM-GH-3  userName, both parts of the name and an e-mail address are required
// SIM-GH-7  active false removes the member and deletes the identity: its id is gone
// SIM-GH-12 there is no /Groups
import { uuid } from '../dialects.mjs';
import { CORE_USER, ResourceType } from '../schema.mjs';
import { shared } from './github.mjs';

const USER = {
  ...CORE_USER,
  attributes: {
    userName: 'string required unique',
    displayName: 'string',
    active: 'boolean',
    name: { formatted: 'string', familyName: 'string', givenName: 'string' },
    emails: [{ value: 'string', type: 'string', primary: 'boolean' }],
    groups: ['string'],
  },
};

/** The provider's rules. */
export default function githubOrganization({ credential, now = () => Date.now(), appKey }) {
  const user = new ResourceType({ endpoint: 'Users', prefix: uuid, core: USER });
  // `schemas` may be left out, in resources and in PATCH alike.
  const lenient = (body, urn) => (body && body.schemas === undefined ? { ...body, schemas: [urn] } : body);
  const common = shared({ credential, now, filters: { User: ['id', 'userName', 'emails.value', 'externalId'] }, appKey });
  return {
    ...common,
    base: '/scim/v2/organizations/acme',
    types: [user],
    rules: { 'SIM-RFC-3': 'SIM-GH-3', 'SIM-RFC-6': 'SIM-GH-3' },
    accept: (_type, body) => lenient(body, user.core),
    dialect: (type, body, judge) => common.dialect(type, lenient(body, 'urn:ietf:params:scim:api:messages:2.0:PatchOp'), judge),
    check(_type, { name, emails = [] }, judge) {
      if (!(name?.givenName && name.familyName)) judge.object('SIM-GH-3', 'invalidValue', '`name` has both parts');
      if (emails.length === 0 || emails.some(({ value }) => !value)) judge.object('SIM-GH-3', 'invalidValue', '`emails` has an address');
    },
    written(stored, _account, service, type) {
      stored.active ??= true;
      if (!stored.active) service.store.remove(type, stored.id);
    },
    represent: (_service, _type, resource) => ({ ...resource, groups: [] }),
  };
}
