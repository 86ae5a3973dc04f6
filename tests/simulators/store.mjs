// The state of a simulated provider: resources by type and id, with versions.

/** Resources of all types. Ids count up, so that runs can be compared. */
export class Store {
  constructor(types, { now = () => new Date() } = {}) {
    this.now = now;
    this.resources = new Map(types.map((type) => [type, new Map()]));
    this.counters = new Map(types.map((type) => [type, 0]));
  }

  list(type) {
    return [...this.resources.get(type).values()];
  }

  get(type, id) {
    return this.resources.get(type).get(id);
  }

  create(type, resource) {
    const count = this.counters.get(type) + 1;
    this.counters.set(type, count);
    const created = this.now().toISOString();
    const stored = { ...resource, id: type.prefix(count, resource), meta: { resourceType: type.name, created, lastModified: created, version: 'W/"1"' } };
    this.resources.get(type).set(stored.id, stored);
    return stored;
  }

  /** Stores a changed resource under its id; a change that changes nothing keeps the version. */
  replace(type, old, resource) {
    const plain = ({ meta, id, ...rest }) => JSON.stringify(rest, Object.keys(flatten(rest)).sort());
    const next = { ...resource, id: old.id, meta: old.meta };
    if (plain(next) !== plain(old)) {
      const version = Number(/\d+/.exec(old.meta.version)[0]) + 1;
      next.meta = { ...old.meta, lastModified: this.now().toISOString(), version: `W/"${version}"` };
    }
    this.resources.get(type).set(old.id, next);
    return next;
  }

  remove(type, id) {
    return this.resources.get(type).delete(id);
  }
}

// All member names at any depth: what JSON.stringify needs to write members in one order.
function flatten(value, names = {}) {
  if (value === null || typeof value !== 'object') return names;
  for (const [name, member] of Object.entries(value)) {
    names[name] = true;
    flatten(member, names);
  }
  return names;
}
