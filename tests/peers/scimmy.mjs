// SCIMMY with its Express routers as a provider that keeps users and groups in memory: `node scimmy.mjs PORT TOKEN`.

import { randomUUID } from 'node:crypto';

import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';

const [port, token] = process.argv.slice(2);

/** The handlers of a resource type, as SCIMMY's documentation shows them; `unique` is the attribute no two may share. */
function keep(Type, unique) {
  const kept = new Map();
  const found = (id) => {
    if (!kept.has(id)) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
    return kept.get(id);
  };
  return SCIMMY.Resources.declare(Type)
    .ingress(({ id = randomUUID() }, instance) => {
      for (const [other, { [unique]: taken }] of kept) {
        if (other !== id && taken === instance[unique]) throw new SCIMMY.Types.Error(409, 'uniqueness', `${unique} is taken`);
      }
      const now = new Date().toISOString();
      const meta = { created: kept.get(id)?.meta.created ?? now, lastModified: now };
      kept.set(id, { ...JSON.parse(JSON.stringify(instance)), id, meta });
      return kept.get(id);
    })
    .egress(({ id, filter }) => {
      if (id) return found(id);
      return filter ? filter.match([...kept.values()]) : [...kept.values()];
    })
    .degress(({ id }) => { found(id); kept.delete(id); });
}

keep(SCIMMY.Resources.User, 'userName').extend(SCIMMY.Schemas.EnterpriseUser);
keep(SCIMMY.Resources.Group, 'displayName');

const handler = (request) => {
  if (request.header('authorization') !== `Bearer ${token}`) throw new Error('the token is missing or wrong');
  return 'idp';
};
express().use('/scim', new SCIMMYRouters({ type: 'bearer', handler })).listen(Number(port), '127.0.0.1');
