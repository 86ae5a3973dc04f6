// Recorded sessions and their normal forms: whatever an IdP sends, the provider ends in the state that the strict SCIM
// form of the request leads to. `normal/*.normal.ndjson`: {line, normal}, the strict form of that line of the traffic.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { startNode, stopAll } from '../../xtask/demo/hosts.mjs';
import { loadConfig, secretsOf } from '../runners/case.mjs';
import { Judge } from '../simulators/judge.mjs';
import { applyPatch } from '../simulators/patch.mjs';
import { createSimulator } from '../simulators/server.mjs';
import { Ids, exchange } from './replay.mjs';

const CREDENTIAL = 'provider-secret';
const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const own = JSON.parse(readFileSync(new URL('nordwind.schema.json', import.meta.url), 'utf8'));
const nordwind = { ...own, attributes: { ...own.attributes, siteCode: 'string', badge: 'integer' } };

const SESSIONS = {
  entra: {
    traffic: '../../examples/entra-to-generic/traffic.ndjson',
    // Somebody else creates Ines between the IdP's search and its POST.
    meanwhile: { 9: { userName: 'Ines.Falk@nordwind.example', active: false } },
  },
  okta: {
    traffic: 'normal/okta.ndjson',
    ids: { user: (n) => `9c0b8e5e-${String(n).padStart(4, '0')}`, group: (n) => `77aa10f0-${999 + n}` },
  },
};

describe('normal forms', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scimlock-normal-'));
  after(() => { stopAll(); rmSync(folder, { recursive: true, force: true }); });

  for (const [idp, { traffic, meanwhile = {}, ids }] of Object.entries(SESSIONS)) {
    test(idp, async () => {
      const simulator = await createSimulator('generic', { strict: true, credential: CREDENTIAL, extensions: [nordwind], ids });
      const origin = new URL(`http://127.0.0.1:${await simulator.listen()}`);
      const { config: document } = loadConfig('entra-to-generic', origin.origin);
      document.routes.entra.idp.profile = idp;
      const gateway = await startNode(`normal-${idp}`, { document, secrets: secretsOf(document), provider: origin, folder });
      const normal = new Map(read(`normal/${idp}.normal.ndjson`).map((one) => [one.line, one.normal]));
      const problems = [];
      const known = new Ids();
      try {
        for (const [index, line] of read(traffic).entries()) {
          const number = index + 1;
          if (meanwhile[number]) simulator.service.store.create(simulator.service.types[0], meanwhile[number]);
          const seen = simulator.log.length;
          const request = known.fill(line);
          const before = resourceAt(simulator, request.path);
          const answer = await exchange(`http://127.0.0.1:${gateway.port}`, request);
          known.learn(number, answer.body);
          const calls = simulator.log.slice(seen);
          if (answer.status !== line.expect) problems.push(`line ${number}: answered ${answer.status} in place of ${line.expect}: ${JSON.stringify(answer.body)}`);
          problems.push(...calls.flatMap(({ violations }) => violations).map(({ rule, detail }) => `line ${number}: ${rule} ${detail}`));
          if (normal.has(number)) {
            const difference = compare(normal.get(number), request, calls, { before, after: resourceAt(simulator, request.path), simulator });
            if (difference) problems.push(`line ${number} (${line.note}): ${difference}`);
            normal.delete(number);
          }
        }
        assert.deepEqual(problems, []);
        assert.equal(normal.size, 0);
      } finally {
        await simulator.close();
      }
    });
  }
});

/** A whole resource arrives in its normal form; a change leads to the state that its normal form leads to. */
function compare(normal, { method }, calls, { before, after: found, simulator }) {
  // References are kept, with the provider's own address.
  const plain = (value) => JSON.parse(JSON.stringify(value, (name, inner) => (name === '$ref' ? undefined : inner)));
  const equal = (got, wanted) => {
    try { assert.deepEqual(plain(got), plain(wanted)); return undefined; } catch (error) { return error.message; }
  };
  if (method !== 'PATCH') return equal(calls.at(-1).body, normal);
  const { meta, id, ...old } = before;
  const type = simulator.service.types.find(({ name }) => name === meta.resourceType);
  const { meta: _, id: __, ...state } = found;
  // Some requests ask for nothing.
  if (normal.Operations?.length === 0) return equal(state, old);
  return equal(state, applyPatch(old, normal, type, new Judge(false)));
}

function resourceAt(simulator, path) {
  const [, endpoint, id] = /\/(\w+)\/([^/?]+)/.exec(path.replace(/^\/scim\/v2/, '')) ?? [];
  const type = simulator.service.types.find((one) => one.endpoint === endpoint);
  const found = type && simulator.service.store.get(type, id);
  return found && structuredClone(found);
}
