/** A configuration in the making: rules with notes, written as YAML in which every line that needs a human says so. */

import { stringify } from 'yaml';

import { jsonOf } from '../document.js';
import { inspected } from '../engine.js';
import { contentOf } from '../output.js';
import { gatewayFor, tokenHash } from '../trial.js';

/** One rule as it will be written. */
export interface Rule {
  keys: { idp?: string; provider?: string } & Record<string, unknown>;
  /** What the rule was in the imported file. */
  was: string;
  /** The rule says all that it was. */
  plain?: boolean;
  /** What a human has to look at. */
  todo?: string | undefined;
  /** It cannot be said: it is kept as a comment, with the reason. */
  gap?: string | undefined;
}

/** What is known of an attribute of an extension. */
export interface Attribute {
  name: string;
  type: string;
  multiValued?: boolean;
  required?: boolean;
  caseExact?: boolean;
}

export interface Draft {
  /** Where it comes from, for the head of the file. */
  source: string;
  idp: string;
  provider: string;
  unmapped: 'pass' | 'drop';
  rules: Record<string, Rule[]>;
  /** The attributes the IdP finds resources by, in order. */
  matching: Record<string, string[]>;
  /** Attributes of extensions by type and URN. */
  extensions: Record<string, Record<string, Attribute[]>>;
  /** What could not be used at all. */
  unused: string[];
  /** What has to be known of a type, above its rules. */
  remarks: Record<string, string[]>;
}

const ROUTE = 'imported';
/** Sets off what a human has to do. */
const TODO = 'TODO';
const COLUMN = 46;

/**
 * Writes the draft, and takes out of service every rule that does not stand the engine's check, with its reason.
 * Answers the YAML text and how many of its lines need a human.
 */
export async function settle(draft: Draft): Promise<{ yaml: string; todos: number[] }> {
  await extend(draft);
  let deactivates = true;
  for (;;) {
    const yaml = render(draft, deactivates);
    const { problems } = await inspected(jsonOf(yaml), () => tokenHash('not set'));
    const errors = problems.filter(({ warning }) => !warning);
    const placed = errors.flatMap(({ pointer, message, remedy }) => {
      const [, type = '', index] = new RegExp(`^/routes/${ROUTE}/mapping/([^/]+)/(\\d+)`).exec(pointer) ?? [];
      const rule = draft.rules[type]?.filter(({ gap }) => gap === undefined)[Number(index)];
      return rule ? [{ rule, reason: `${message}: ${remedy}` }] : [];
    });
    for (const { rule, reason } of placed) rule.gap ??= reason;
    if (placed.length === 0) {
      if (errors.length > 0 && deactivates && !carriesActive(draft)) {
        deactivates = false;
        continue;
      }
      const rest = errors.map(({ message, remedy }) => `# ${TODO} ${message}: ${remedy}\n`);
      const text = rest.join('') + yaml;
      const todos = text.split('\n').flatMap((line, index) => (line.includes(`# ${TODO} `) ? [index + 1] : []));
      return { yaml: text, todos };
    }
  }
}

const carriesActive = (draft: Draft): boolean =>
  draft.unmapped === 'pass' || (draft.rules['User'] ?? []).some(({ keys, gap }) => keys.idp === 'active' && gap === undefined);

/** Finds the extensions that neither side's profile has. */
async function extend(draft: Draft): Promise<void> {
  const known = new Set([...(await schemasOf(draft.idp)), ...(await schemasOf(draft.provider))].map((urn) => urn.toLowerCase()));
  for (const [type, rules] of Object.entries(draft.rules)) {
    for (const { keys } of rules) {
      for (const path of [keys.idp, keys.provider]) {
        const [, urn = '', name = ''] = /^(urn:.+):([^:.[]+)/i.exec(path ?? '') ?? [];
        if (urn === '' || known.has(urn.toLowerCase())) continue;
        const attributes = ((draft.extensions[type] ??= {})[urn] ??= []);
        if (!attributes.some((each) => each.name === name)) attributes.push({ name, type: typeof keys['value'] === 'boolean' ? 'boolean' : 'string' });
      }
    }
  }
  for (const urns of Object.values(draft.extensions)) for (const urn of Object.keys(urns)) if (known.has(urn.toLowerCase())) delete urns[urn];
}

/** The schemas of a profile. */
async function schemasOf(profile: string): Promise<string[]> {
  const url = 'https://provider.invalid/scim/v2';
  const config = { version: 1, public_url: 'https://scim.invalid', routes: { probe: { idp: { profile, path: '/scim/v2' }, provider: { profile: 'generic', url }, deactivate: 'reject', mapping: { unmapped: 'pass' } } } };
  const gateway = await gatewayFor(config, undefined, 'probe', {});
  const { body } = await gateway.handle({ method: 'GET', path: '/scim/v2/Schemas', headers: [['host', 'scim.invalid'], ['authorization', 'Bearer probe']] });
  const { Resources = [] } = contentOf(body) as { Resources?: { id: string }[] };
  return Resources.map(({ id }) => id);
}

/** The YAML text. */
function render(draft: Draft, deactivates: boolean): string {
  const lines = [
    `# ${draft.source}`,
    `# Lines with ${TODO} need a human; then: scimlock check`,
    ...draft.unused.map((what) => `# ${TODO} not used: ${what}`),
    'version: 1',
    withNote('public_url: https://scim.example.invalid', `${TODO} the address at which the IdP reaches the gateway`),
    'routes:',
    withNote(`  ${ROUTE}:`, `${TODO} a name for logs, metrics and audit records`),
    '    idp:',
    ...profile(draft, 'idp'),
    '      path: /scim/v2',
    '      accept:',
    '        - bearer:',
    '            name: imported',
    withNote('            sha256: ${SCIM_TOKEN_SHA256}', `${TODO} the hash of the token that the IdP gets: scimlock token`),
    withNote(`            expires: ${new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10)}`, 'in a year'),
    '    provider:',
    ...profile(draft, 'provider'),
    withNote('      url: https://provider.example.invalid/scim/v2', `${TODO} the base of the provider's SCIM endpoints`),
    '      credential:',
    withNote('        bearer: ${PROVIDER_TOKEN}', `${TODO} what the provider is shown`),
    ...(deactivates ? [] : [withNote('    deactivate: reject', `${TODO} no rule carries \`active\`: a deactivated user would stay active at the provider`)]),
    '    mapping:',
    withNote('      inherit: false', 'only the rules below, not those of the provider\'s profile'),
    withNote(`      unmapped: ${draft.unmapped}`, draft.unmapped === 'pass' ? 'the imported mapping copied everything' : 'attributes without a rule'),
  ];
  for (const [type, rules] of Object.entries(draft.rules)) {
    lines.push(`      ${type}:${rules.some(({ gap }) => gap === undefined) ? '' : ' []'}`);
    for (const remark of draft.remarks[type] ?? []) lines.push(`        # ${remark}`);
    for (const rule of rules) lines.push(...ruleLines(rule));
  }
  return `${lines.join('\n')}\n`;
}

function ruleLines({ keys, was, plain, todo, gap }: Rule): string[] {
  const text = stringify(keys, { lineWidth: 0 }).replace('operations:\n  - create', 'operations: [create]').trimEnd().split('\n');
  const body = text.map((line, index) => `        ${index === 0 ? '- ' : '  '}${line}`);
  if (gap !== undefined) return [`        # ${TODO} ${oneLine(gap)}`, `        #   it was: ${oneLine(was)}`, ...body.map((line) => `        #${line.slice(8)}`)];
  const [first = '', ...rest] = body;
  return [withNote(first, plain ? '' : oneLine(was)), ...rest, ...(todo === undefined ? [] : [`          # ${TODO} ${oneLine(todo)}`])];
}

/** A side's profile: its name, or an object that adds the extensions to it. */
function profile(draft: Draft, side: 'idp' | 'provider'): string[] {
  const name = draft[side];
  const hint = side === 'provider' && name === 'generic' ? `${TODO} the provider's own profile, where there is one: scimlock profiles` : '';
  const types = Object.entries(draft.extensions).filter(([, urns]) => Object.keys(urns).length > 0);
  const matching = side === 'idp' ? draft.matching : {};
  if (types.length === 0 && Object.keys(matching).length === 0) return [withNote(`      profile: ${name}`, hint)];
  const schemas = types.flatMap(([, urns]) => Object.entries(urns).map(([id, attributes]) => ({ id, name: id.split(':').at(-1), attributes })));
  const own = {
    ...(schemas.length === 0 ? {} : {
      schemas,
      resourceTypes: Object.fromEntries(types.map(([type, urns]) => [type, { extensions: Object.fromEntries(Object.keys(urns).map((urn) => [urn, {}])) }])),
    }),
    ...(Object.keys(matching).length === 0 ? {} : { idp: { matching } }),
  };
  const text = stringify(own, { lineWidth: 0 }).trimEnd().split('\n').map((line) => `        ${line}`);
  return ['      profile:', withNote(`        extends: ${name}`, hint), ...text];
}

const withNote = (line: string, what: string): string => (what === '' ? line : `${line.padEnd(COLUMN)} # ${what}`);

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
