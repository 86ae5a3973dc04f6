// The `envoy.yaml` of every example: the one of the plain example with another document, other secrets and other clusters.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

import { example } from './envoy.mjs';

const FOLDER = new URL('../../examples/', import.meta.url);
const text = (name, file) => readFileSync(new URL(`${name}/${file}`, FOLDER), 'utf8');

/** The examples, by the names of their folders. */
export const EXAMPLES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(new URL(`${entry.name}/`, FOLDER)).includes('scimlock.yaml'))
  .map((entry) => entry.name);

/** The plain example: the pattern of all others. */
export const PLAIN = 'generic-to-generic';

/** The names of the secrets that a document needs, in order. */
export const secretNames = (document) => [...new Set([...JSON.stringify(document).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name))];

/** What an example's `envoy.yaml` has to be: written there where UPDATE is set. */
export function rendered(name) {
  const pattern = text(PLAIN, 'envoy.yaml');
  const [plain, own] = [example(PLAIN, 'scimlock.yaml'), example(name, 'scimlock.yaml')];
  const [, subject] = /^# (.+)\.\n/.exec(text(name, 'scimlock.yaml'));
  const variables = (document) => secretNames(document).map((secret) => `${secret}=…`).join(' ');
  const made = pattern
    .replace(/^# .*\n/, `# ${subject}: what \`scimlock.yaml\` beside it says, as a filter of Envoy 1.35 or later.\n`)
    .replace(variables(plain), variables(own))
    .replace(`[${secretNames(plain).join(', ')}]`, `[${secretNames(own).join(', ')}]`)
    .replace(documentOf(PLAIN), () => documentOf(name))
    .replace(clustersOf(plain, pattern), () => clustersOf(own, pattern));
  if (process.env.UPDATE && !process.env.CI) writeFileSync(new URL(`${name}/envoy.yaml`, FOLDER), made);
  return { made, found: text(name, 'envoy.yaml') };
}

// The document without its comments, where the plugin has it.
function documentOf(name) {
  const lines = text(name, 'scimlock.yaml').split('\n').map((line) => line.replace(/(^|\s+)# .*$/, '')).filter(Boolean);
  return lines.map((line) => `${' '.repeat(28)}${line}\n`).join('');
}

// One cluster a provider's host, each as the first of the pattern.
function clustersOf(document, pattern) {
  const first = pattern.slice(pattern.indexOf('  clusters:\n    - name: ') + '  clusters:\n'.length);
  const [[host, cluster]] = Object.entries(example(PLAIN, 'scimlock.yaml').envoy.clusters);
  return Object.entries(document.envoy.clusters).map(([authority, name]) => {
    const [address, port = '443'] = authority.split(':');
    return first.replaceAll(`name: ${cluster}\n`, `name: ${name}\n`).replace(`address: ${host}, port_value: 443`, `address: ${address}, port_value: ${port}`);
  }).join('');
}
