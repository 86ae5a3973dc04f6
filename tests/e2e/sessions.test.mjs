// Whole sessions of IdPs through scimlock in a real host to a strict simulated provider: every answer as expected,
// nothing that the provider objects to, and the right state at the end.
// Needs js/dist; runs through Envoy too where SCIMLOCK_ENVOY and SCIMLOCK_WASM name it and the filter.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { startEnvoy, startNode, stopAll } from '../../xtask/demo/hosts.mjs';
import { loadConfig, secretsOf } from '../runners/case.mjs';
import { createSimulator } from '../simulators/server.mjs';
import { Ids, exchange, loadTraffic } from './replay.mjs';

const HOSTS = { node: startNode, ...(process.env.SCIMLOCK_ENVOY && { envoy: startEnvoy }) };
const CREDENTIAL = 'provider-secret';
const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

const SESSIONS = [
  { example: 'entra-to-leanix', provider: 'leanix' },
  { example: 'entra-to-aws', provider: 'aws' },
  { example: 'entra-to-github-enterprise', provider: 'github-enterprise' },
  { example: 'okta-to-leanix', provider: 'leanix' },
  { example: 'two-idps', provider: 'leanix' },
  { example: 'secureauth-to-aws', provider: 'aws' },
  { example: 'secureauth-to-github', provider: 'github-organization', options: { appKey: readFileSync(new URL('../keys/rsa.pem', import.meta.url)) } },
  { example: 'secureauth-to-salesforce', provider: 'salesforce' },
  { example: 'okta-to-sap-iam', provider: 'sap-iam', user: 'SCIM_COMM_USER' },
  { example: 'custom-provider', provider: 'nordwind' },
  {
    example: 'entra-to-generic',
    provider: 'generic',
    extensions: [read('nordwind.schema.json')],
    // Somebody else creates Ines between the IdP's search and its POST.
    meanwhile: { 9: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'Ines.Falk@nordwind.example', active: false } },
  },
  // What this client gets wrong is the provider's to refuse: an IdP that speaks plain SCIM is not repaired.
  { example: 'generic-to-generic', provider: 'generic', objections: { 9: 'SIM-RFC-11' } },
];

for (const [host, start] of Object.entries(HOSTS)) {
  describe(`through ${host}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'scimlock-e2e-'));
    after(() => { stopAll(); rmSync(folder, { recursive: true, force: true }); });
    for (const session of SESSIONS) test(session.example, () => replay(session, start, folder));
  });
}

async function replay({ example, provider, user, extensions, options, meanwhile = {}, objections = {} }, start, folder) {
  const simulator = await createSimulator(provider, { strict: true, credential: CREDENTIAL, extensions, ...options });
  const origin = new URL(`http://127.0.0.1:${await simulator.listen()}`);
  try {
    const { config: document, toPublic } = loadConfig(example, origin.origin);
    if (user) for (const route of Object.values(document.routes)) route.provider.credential.basic.user = user;
    const gateway = await start(example, { document, secrets: secretsOf(document), provider: origin, folder });
    const problems = [];
    const ids = new Ids();
    for (const [index, line] of loadTraffic(example).entries()) {
      const number = index + 1;
      if (meanwhile[number]) await create(`${origin.origin}${simulator.base}/Users`, meanwhile[number]);
      const seen = simulator.log.length;
      const answer = await exchange(`http://127.0.0.1:${gateway.port}`, ids.fill(line));
      ids.learn(number, answer.body);
      problems.push(...judge(number, line, answer, simulator.log.slice(seen), objections[number]));
    }
    assert.deepEqual(problems, []);
    const state = simulator.service.state().map(({ meta, ...resource }) => resource);
    const text = toPublic(`[\n${state.map((resource) => `  ${JSON.stringify(resource)}`).join(',\n')}\n]`);
    if (process.env.UPDATE && !process.env.CI) writeFileSync(new URL(`${example}.state.json`, import.meta.url), `${text}\n`);
    assert.deepEqual(JSON.parse(text), read(`${example}.state.json`));
  } finally {
    await simulator.close();
  }
}

/** What is wrong with one exchange, for people to read. */
function judge(number, { note, method, path, expect }, { status, headers, body }, calls, objection) {
  const problems = [];
  const say = (problem) => problems.push(`line ${number} ${method} ${path} (${note}): ${problem}`);
  if (status !== expect) say(`answered ${status} in place of ${expect}: ${JSON.stringify(body)}`);
  if (body !== undefined && headers['content-type'] !== 'application/scim+json') say(`content type ${headers['content-type']}`);
  if (status >= 400 && (body?.status !== String(status) || !body.detail)) say('no SCIM error');
  if (/127\.0\.0\.1/.test(JSON.stringify(body ?? '') + (headers.location ?? ''))) say('shows the provider\'s address');
  for (const { rule, detail } of calls.flatMap(({ violations }) => violations)) {
    if (rule !== objection) say(`the provider objects: ${rule} ${detail}`);
  }
  if (objection && !calls.some(({ violations }) => violations.some(({ rule }) => rule === objection))) say(`the provider has no objection ${objection}`);
  return problems;
}

async function create(url, resource) {
  const headers = { authorization: `Bearer ${CREDENTIAL}`, 'content-type': 'application/scim+json' };
  const { status } = await fetch(url, { method: 'POST', headers, body: JSON.stringify(resource) });
  assert.equal(status, 201);
}
