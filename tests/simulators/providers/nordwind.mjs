// A provider that no profile of scimlock describes: users are travellers, with attributes of their own.
// SIM-NW-1 login, fullName and mail are required; state is open or blocked
// SIM-NW-2 a filter is one eq of login or mail
// SIM-NW-3 there is no PUT, no DELETE, and there are no groups
import { pathOf } from '../filter.mjs';
import { ResourceType } from '../schema.mjs';

const TRAVELLER = {
  id: 'urn:nordwind:schemas:travel:1.0:Traveller',
  name: 'User',
  attributes: { login: 'string required unique', fullName: 'string required', mail: 'string required', state: 'string', staffNumber: 'string' },
};

/** The provider's rules. */
export default function nordwind({ credential }) {
  const traveller = new ResourceType({ endpoint: 'Travellers', prefix: String, core: TRAVELLER });
  return {
    base: '/api',
    types: [traveller],
    etag: false,
    search: false,
    discovery: {},
    rules: { 'SIM-RFC-6': 'SIM-NW-1' },
    authenticate: (authorization) => authorization === `Bearer ${credential}`,
    missing: () => ['PUT', 'DELETE'],
    check(_type, { state }, judge) {
      if (state !== undefined && !['open', 'blocked'].includes(state)) judge.object('SIM-NW-1', 'invalidValue', '`state` is open or blocked');
    },
    filter(_type, filter, _query, judge) {
      if (filter && (filter.operator !== 'eq' || !['login', 'mail'].includes(pathOf(filter)))) judge.refuse('SIM-NW-2', 'invalidFilter', 'a filter is one eq of login or mail');
    },
  };
}
