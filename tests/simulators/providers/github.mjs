// What GitHub's two SCIM interfaces share.
// SIM-GH-1  a request without User-Agent is refused (status inferred)
// SIM-GH-5  a filter is one eq
// SIM-GH-6  pages have 30 elements unless `count` says otherwise
// SIM-GH-9  a path with a filter does nothing, and the answer is 200
// SIM-GH-11 1000 new users an hour, 1000 new members of a group an hour, then 429
// SIM-GH-13 errors have an integer `status`
import { verify } from 'node:crypto';

import { Lived, Window, expandRemovals, operationsOf } from '../dialects.mjs';
import { pathOf } from '../filter.mjs';
import { Refusal } from '../judge.mjs';

const HOUR = 3600 * 1000;

/** The shared rules; `filters`: the attributes a filter may be about, by type. */
export function shared({ credential, now, filters, appKey }) {
  const tokens = new Lived(3600, now);
  const users = new Window(1000, HOUR, now);
  const members = new Map();
  return {
    tokens,
    now,
    etag: false,
    search: false,
    discovery: {},
    defaultCount: 30,
    // A GitHub App's installation token: asked for with the app's own JWT.
    endpoints({ method, headers }, url) {
      if (!/^\/app\/installations\/\d+\/access_tokens$/.test(url.pathname)) return undefined;
      if (method !== 'POST') throw new Refusal(405, undefined, 'unknown method');
      if (!appKey || !signed(headers.authorization, appKey, now())) throw new Refusal(401, undefined, 'the app\'s JWT is not accepted');
      return { status: 201, contentType: 'application/json', body: { token: tokens.issue('ghs_'), expires_at: new Date(now() + HOUR).toISOString() } };
    },
    authenticate: (authorization) => authorization === `Bearer ${credential}` || tokens.good(authorization),
    screen({ headers }, judge) {
      if (!headers['user-agent']) judge.object('SIM-GH-1', undefined, 'the User-Agent is missing', 403);
    },
    failure: ({ status, scimType, message }) => ({
      status,
      contentType: 'application/scim+json',
      body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status, scimType: scimType ?? null, detail: message },
    }),
    filter(type, filter, query, judge) {
      for (const parameter of ['attributes', 'sortBy', 'sortOrder', 'cursor']) if (query.has(parameter)) judge.note('SIM-GH-5', `\`${parameter}\` is not a parameter`);
      if (filter && (filter.operator !== 'eq' || !filters[type.name].includes(pathOf(filter)))) {
        judge.refuse('SIM-GH-5', 'invalidFilter', `a filter is one eq of ${filters[type.name].join(', ')}`);
      }
    },
    dialect(type, body, judge, stored) {
      const kept = operationsOf(body).filter(({ path }) => {
        const ineffective = /\[/.test(path ?? '');
        if (ineffective) judge.note('SIM-GH-9', `\`${path}\` does nothing`);
        return !ineffective;
      });
      if (type.name === 'Group') for (const { op, path, value } of kept) if (op === 'add' && path === 'members') spend(members, stored.id, [value].flat().length, now);
      // Every operation may turn out to do nothing.
      const nothing = { op: 'add', value: {} };
      return expandRemovals(Array.isArray(body?.Operations) ? { ...body, Operations: kept.length > 0 || body.Operations.length === 0 ? kept : [nothing] } : body);
    },
    create(service, type, resource, judge) {
      if (type.name === 'User' && !users.takes()) throw new Refusal(429, undefined, 'SIM-GH-11: more than 1000 users in an hour');
      service.unique(type, resource, null);
      this.collide?.(service, type, resource, judge);
      return { status: 201, stored: service.store.create(type, resource) };
    },
  };
}

function spend(members, group, count, now) {
  if (!members.has(group)) members.set(group, new Window(1000, HOUR, now));
  if (!members.get(group).takes(count)) throw new Refusal(429, undefined, 'SIM-GH-11: more than 1000 members of a group in an hour');
}

// RS256, issued for at most ten minutes.
function signed(authorization, key, now) {
  const [head, claims, signature] = (/^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '').split('.');
  if (!signature || JSON.parse(Buffer.from(head, 'base64url')).alg !== 'RS256') return false;
  const { iss, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  return Boolean(iss) && exp * 1000 > now && exp - iat <= 660
    && verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
}
