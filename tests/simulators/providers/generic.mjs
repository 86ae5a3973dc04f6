// A provider that keeps to RFC 7643 and RFC 7644 to the letter: users and groups, filters, PATCH, PUT, versions.
import { CORE_GROUP, CORE_USER, ENTERPRISE_USER, ResourceType } from '../schema.mjs';

const BASE = '/api/scim';

/** The provider's rules. */
export default function generic({ credential, extensions = [], ids = { user: (n) => `u-${1000 + n}`, group: (n) => `g-${2000 + n}` } }) {
  const user = new ResourceType({ endpoint: 'Users', prefix: ids.user, core: CORE_USER, extensions: [ENTERPRISE_USER, ...extensions] });
  const group = new ResourceType({ endpoint: 'Groups', prefix: ids.group, core: CORE_GROUP });
  return {
    base: BASE,
    types: [user, group],
    authenticate: (authorization) => authorization === `Bearer ${credential}`,
    patchStatus: (type) => (type === group ? 204 : 200),
    remove(service, type, { id }) {
      service.store.remove(type, id);
      for (const other of service.store.list(group).filter(({ members }) => members?.some(({ value }) => value === id))) {
        const { members, ...rest } = other;
        const left = members.filter(({ value }) => value !== id);
        service.store.replace(group, other, left.length > 0 ? { ...rest, members: left } : rest);
      }
    },
    // The server's own part: addresses of members, and the groups of a user.
    represent(service, type, resource, root) {
      if (type === user) {
        const groups = service.store.list(group).filter(({ members }) => members?.some(({ value }) => value === resource.id));
        const listed = groups.map(({ id, displayName }) => ({ value: id, $ref: `${root}/Groups/${id}`, display: displayName, type: 'direct' }));
        return listed.length > 0 ? { ...resource, groups: listed } : resource;
      }
      for (const member of resource.members ?? []) {
        const kind = service.store.get(group, member.value) ? group : user;
        Object.assign(member, { $ref: `${root}/${kind.endpoint}/${member.value}`, type: kind.name });
      }
      return resource;
    },
  };
}
