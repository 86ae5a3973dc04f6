// What the demo prints of each request: what the IdP sent, what was repaired or mapped, what the provider received,
// what the IdP got back; and the summary.
import { readFileSync } from 'node:fs';

import { bold, cyan, dim, green, items, red, row, ruled, say, yellow } from './text.mjs';

const TITLES = Object.fromEntries(
  readFileSync(new URL('../../tests/scope.txt', import.meta.url), 'utf8')
    .split('\n').filter((line) => /^[A-Z]+-?\d/.test(line)).map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
);

export function showStart(names, host, gateway, provider) {
  say();
  say(bold(`${names.idp} provisions users to ${names.provider} through scimlock`));
  row('gateway', [gateway, host]);
  row('provider', [provider, `a simulator of what ${names.provider} documents`]);
  row('colours', [{ text: 'what changes on the way', paint: yellow }, { text: 'what it becomes', paint: green }]);
}

/** One block a request; `bases` are the paths that both sides know already. */
export function showRequest({ number, request, answer, time, calls, audit }, bases) {
  const sent = request.body ? items(request.body) : [];
  const received = calls.flatMap(({ body }) => items(body));
  const target = ({ method, path }) => `${method} ${readable(bases.reduce((rest, base) => (rest.startsWith(base) ? rest.slice(base.length) : rest), path))}`;
  const rewritten = calls.find((call) => call.method === request.method && target(call) !== target(request));
  say();
  ruled(`${String(number).padStart(3)}  ${request.note}`, `${time.toFixed(0)} ms`, bold);
  row('IdP sent', [{ text: target(request), paint: rewritten && yellow }, ...marked(sent, calls.length > 0 ? received : sent, yellow)]);
  const repairs = Object.keys(audit.repairs ?? {});
  if (repairs.length > 0) row('repaired', repairs.map((id) => ({ text: titled(id), paint: cyan })));
  if (audit.rules) row('mapped', ruleNames(audit.rules));
  for (const call of calls) {
    row('provider got', [{ text: `${target(call)} → ${call.status}`, paint: call === rewritten ? green : undefined }, ...marked(items(call.body), sent, green)]);
    for (const { rule, detail } of call.violations) row('', [{ text: `objects: ${rule} ${detail}`, paint: red }]);
  }
  if (calls.length === 0) row('provider got', [{ text: 'nothing', paint: dim }]);
  const paint = answer.status < 300 ? green : yellow;
  row('IdP got back', [{ text: String(answer.status), paint }, ...items(answer.body)]);
}

export function showSummary(done, time) {
  const counts = new Map();
  for (const [id, count] of done.flatMap(({ audit }) => Object.entries(audit.repairs ?? {}))) counts.set(id, (counts.get(id) ?? 0) + count);
  const calls = done.flatMap((one) => one.calls);
  const refused = done.filter((one) => one.answer.status >= 400 && one.calls.length === 0);
  const objections = calls.flatMap(({ violations }) => violations);
  const median = done.map((one) => one.time).sort((a, b) => a - b)[Math.floor(done.length / 2)];
  say();
  say(bold('Summary'));
  row('requests', [`${done.length}, with ${calls.length} calls to the provider`]);
  for (const [index, [id, count]] of [...counts].sort(([a], [b]) => a.localeCompare(b)).entries()) {
    row(index === 0 ? 'repairs' : '', [`${String(count).padStart(2)} × ${titled(id)}`]);
  }
  row('refused', [`${refused.length}, of which the provider heard nothing`]);
  row('objections', [objections.length === 0 ? 'none by the provider' : { text: `${objections.length} by the provider`, paint: red }]);
  row('time', [`${(time / 1000).toFixed(1)} s, a request ${median.toFixed(0)} ms (median, the provider's part included)`]);
  say();
}

export function showCommands(gateway, authorization) {
  const user = { userName: 'Ada@Example.com', active: 'True', name: { givenName: 'Ada', familyName: 'Lovelace' }, emails: [{ type: 'work', value: 'ada@example.com' }] };
  say(bold('Left running until Ctrl-C. To try:'));
  say(`  scim() { curl -s -H 'Authorization: ${authorization}' -H 'Content-Type: application/scim+json' "$@"; echo; }`);
  say(`  scim ${gateway}/Users`);
  say(`  scim ${gateway}/Users -d '${JSON.stringify(user)}'`);
  say(`  scim ${gateway}/Groups`);
  say(`  curl -si ${gateway}/Users`);
}

/** `User rule 1`, `User rule 2`, `User rule 5` as `User rules 1 2 5`. */
function ruleNames(rules) {
  const groups = new Map();
  for (const [, type, number] of rules.map((rule) => /^(.*) rule (.*)$/.exec(rule) ?? [rule, rule, ''])) {
    groups.set(type, [...(groups.get(type) ?? []), number]);
  }
  return [...groups].map(([type, numbers]) => `by ${type} rule${numbers.length > 1 ? 's' : ''} ${numbers.join(' ')}`);
}

const titled = (id) => (TITLES[id] ? `${id} ${TITLES[id]}` : id);

// Items that the other side does not have stand out.
function marked(list, other, paint) {
  return list.map((text) => (other === undefined || other.includes(text) ? text : { text, paint }));
}

const readable = (path) => {
  try { return decodeURIComponent(path.replaceAll('+', ' ')); } catch { return path; }
};
