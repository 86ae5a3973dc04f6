// What the demo prints of each request: what the IdP sent, what was repaired or mapped, what the provider received,
// what the IdP got back; and the summary.
import { readFileSync } from 'node:fs';

import { bold, cyan, dim, green, items, red, row, ruled, say, yellow } from './text.mjs';

const TITLES = Object.fromEntries(
  readFileSync(new URL('../../tests/scope.txt', import.meta.url), 'utf8')
    .split('\n').filter((line) => /^[A-Z]+-?\d/.test(line)).map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
);

export function showStart(names, host, port, provider) {
  say();
  say(bold(`${names.idp} provisions users to ${names.provider} through scimlock`));
  row('gateway', [`http://127.0.0.1:${port}`, host]);
  row('provider', [provider.origin, `a simulator of what ${names.provider} documents`]);
  row('colours', [{ text: 'what changes on the way', paint: yellow }, { text: 'what it becomes', paint: green }]);
}

/** One block a request. */
export function showRequest({ number, request, answer, time, calls, audit }, toPublic) {
  const sent = request.body ? items(request.body) : [];
  const received = calls.flatMap(({ body }) => (body === undefined ? [] : items(body)));
  say();
  ruled(`${String(number).padStart(3)}  ${request.note}`, `${time.toFixed(0)} ms`, bold);
  row('IdP sent', [`${request.method} ${readable(request.path)}`, ...marked(sent, calls.length > 0 ? received : sent, yellow)]);
  const rules = audit?.rules ?? [];
  if (rules.length > 0) row('repaired', rules.map((id) => ({ text: TITLES[id] ? `${id} ${TITLES[id]}` : id, paint: cyan })));
  for (const { method, path, body, status, violations } of calls) {
    row('provider got', [`${method} ${readable(toPublic(path))}`, ...marked(body === undefined ? [] : items(body), sent, green)]);
    for (const { rule, detail } of violations) row('', [{ text: `objects: ${rule} ${detail}`, paint: red }]);
  }
  if (calls.length === 0) row('provider got', [{ text: 'nothing', paint: dim }]);
  const paint = answer.status < 300 ? green : yellow;
  row('IdP got back', [{ text: String(answer.status), paint }, ...items(answer.body)]);
}

export function showSummary(done, time) {
  const counts = new Map();
  for (const id of done.flatMap(({ audit }) => audit?.rules ?? [])) counts.set(id, (counts.get(id) ?? 0) + 1);
  const refused = done.filter(({ answer, calls }) => answer.status >= 400 && calls.length === 0);
  const objected = done.flatMap(({ calls }) => calls).filter(({ violations }) => violations.length > 0);
  say();
  say(bold('Summary'));
  row('requests', [`${done.length}`, `${done.flatMap(({ calls }) => calls).length} calls to the provider`]);
  for (const [index, [id, count]] of [...counts].sort(([a], [b]) => a.localeCompare(b)).entries()) {
    row(index === 0 ? 'repairs' : '', [`${String(count).padStart(3)} × ${id} ${TITLES[id] ?? ''}`]);
  }
  row('refused', [`${refused.length}, nothing of them reached the provider`]);
  row('provider objected', [objected.length === 0 ? 'to none of the calls' : `to ${objected.length} calls`]);
  row('time', [`${(time / 1000).toFixed(1)} s`, `${(done.reduce((sum, { answer }) => sum + answer.time, 0) / done.length).toFixed(1)} ms a request`]);
  say();
}

export function showCommands(port, authorization, { public_url, routes }) {
  const base = `http://127.0.0.1:${port}${Object.values(routes)[0].idp.path}`;
  const curl = `curl -s -H 'Authorization: ${authorization}' -H 'Host: ${new URL(public_url).host}'`;
  say(bold('Left running; Ctrl-C ends it. To try:'));
  for (const rest of [
    `'${base}/Users'`,
    `-X POST -H 'Content-Type: application/scim+json' '${base}/Users' -d '{"userName":"Ada@Example.com","active":"True","name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"type":"work","value":"ada@example.com"}]}'`,
    `'${base}/Groups'`,
  ]) say(`  ${curl} ${rest}`);
  say(`  curl -s -i ${base}/Users`);
}

// Items that the other side does not have stand out.
function marked(list, other, paint) {
  return list.map((text) => (other === undefined || other.includes(text) ? text : { text, paint }));
}

const readable = (path) => {
  try { return decodeURIComponent(path.replaceAll('+', ' ')); } catch { return path; }
};
