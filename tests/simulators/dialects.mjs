// Ways of saying things that providers have beside the RFCs, said in the RFC's way.
import { randomUUID } from 'node:crypto';

/** The operations of a body, as far as it has any. */
export const operationsOf = (body) => (Array.isArray(body?.Operations) ? body.Operations : []);

/** `remove members [{value}, …]` as one removal with a filter each. */
export function expandRemovals(body) {
  return withOperations(body, (operation) => {
    const { op, path, value } = operation ?? {};
    if (String(op).toLowerCase() !== 'remove' || path !== 'members' || !Array.isArray(value)) return [operation];
    return value.map((member) => ({ op: 'remove', path: `members[value eq ${JSON.stringify(member?.value)}]` }));
  });
}

/** A body with each operation replaced by what `change` makes of it. */
export function withOperations(body, change) {
  return Array.isArray(body?.Operations) ? { ...body, Operations: body.Operations.flatMap(change) } : body;
}

/** How many members an operation adds or removes. */
export function memberChanges({ path, value }) {
  if (path === 'members') return [value].flat().length;
  return /^members\[/.test(path ?? '') ? 1 : 0;
}

/** Takes a resource's id out of the members of all groups. */
export function leaveGroups(service, group, id) {
  for (const other of service.store.list(group).filter(({ members }) => members?.some(({ value }) => value === id))) {
    const { members, ...rest } = other;
    const left = members.filter(({ value }) => value !== id);
    service.store.replace(group, other, left.length > 0 ? { ...rest, members: left } : rest);
  }
}

/** Counts events in a sliding window. */
export class Window {
  events = [];

  constructor(max, milliseconds, now) {
    Object.assign(this, { max, milliseconds, now });
  }

  /** Notes so many events; false when they are too many. */
  takes(count = 1) {
    const now = this.now();
    this.events = this.events.filter((at) => at > now - this.milliseconds);
    if (this.events.length + count > this.max) return false;
    for (let each = 0; each < count; each += 1) this.events.push(now);
    return true;
  }
}

/** Bearer tokens that live for a time: from an OAuth token endpoint. */
export class Lived {
  issued = new Map();

  constructor(seconds, now) {
    Object.assign(this, { seconds, now });
  }

  issue(prefix = '') {
    const token = prefix + randomUUID().replaceAll('-', '');
    this.issued.set(`Bearer ${token}`, this.now() + this.seconds * 1000);
    return token;
  }

  good(authorization) {
    return this.issued.get(authorization) > this.now();
  }

  /** Ends all tokens at once, as an administrator does. */
  revoke() {
    this.issued.clear();
  }
}

/** The name and secret of Basic credentials. */
export function basic(authorization) {
  const text = Buffer.from(/^Basic (.+)$/i.exec(authorization ?? '')?.[1] ?? '', 'base64').toString();
  return text.includes(':') ? [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)] : [];
}

/** An id that looks like a UUID and counts up. */
export const uuid = (n) => `5ca1ab1e-0000-4000-8000-${String(n).padStart(12, '0')}`;
