/** `scimlock profiles` and `scimlock profile`: what is known of products, and how well each belief is supported. */

import { command } from './command.js';
import { type Profile, listProfiles, readProfile } from './engine.js';
import { Refusal, paint, pretty, print, suggestion } from './output.js';

export const profiles = () => command('profiles', 'List the products that are known', 'Lists the profiles that come with the engine: for `profile:` of a route\'s side.', [
  ['scimlock profiles', 'names, products, and whether each is an IdP, a provider or both'],
  ['scimlock profiles --json', 'for machines'],
])
  .option('--json', 'print the list as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const all = await listProfiles();
    if (json) return print(pretty(all));
    const width = Math.max(...all.map(({ name }) => name.length));
    for (const { name, title, version, idp, provider } of all) {
      const roles = [idp ? 'IdP' : '', provider ? 'provider' : ''].filter(Boolean).join(', ');
      print(`${paint('bold', name.padEnd(width))}  ${roles.padEnd(13)}  ${title}${version ? ` (${version})` : ''}`);
    }
  });

export const profile = () => command('profile', 'Show what is believed of a product', 'Shows what a profile believes of a product. Each belief has a mark: how well it is supported, and by what. What is not verified is a parameter: a route can set it.', [
  ['scimlock profile generic', 'a page to read'],
  ['scimlock profile generic --json', 'the profile with everything it extends'],
])
  .argument('<name>', 'a profile (see scimlock profiles)')
  .option('--json', 'print the profile as JSON')
  .action(async (name: string, { json }: { json?: boolean }) => {
    const found = await readProfile(name);
    if (!found) throw new Refusal(`scimlock: there is no profile \`${name}\`: ${suggestion(name, (await listProfiles()).map((each) => each.name))}`);
    print(...(json ? [pretty(found)] : page(found)));
  });

/** One belief: where it stands, what it is, and how it is known. */
interface Belief {
  pointer: string;
  value: unknown;
  source: string | undefined;
}

/** How well a belief is supported: the word its source begins with. */
const MARKS: Record<string, [mark: string, style: 'green' | 'yellow' | 'red']> = { 'verified': ['✓', 'green'], 'third-party': ['~', 'yellow'], 'inferred': ['?', 'red'] };

function page(of: Profile): string[] {
  const [idp, provider] = of.roles;
  const roles = [idp ? 'an IdP' : '', provider ? 'a provider' : ''].filter(Boolean).join(' and ') || 'any peer';
  const lines = [
    `${paint('bold', of.title)}: \`${of.name}\`, ${roles}${of.version ? `; the facts speak of version ${of.version}` : ''}`,
    '',
    `${paint('green', '✓')} verified with the vendor's documents or product   ${paint('yellow', '~')} reported by others   ${paint('red', '?')} inferred   · the standard's default`,
    ...section('Resources', resources(of)),
  ];
  if (idp || !provider) lines.push(...section('What it sends beside the RFCs (as an IdP)', repairs(of)), ...section('As an IdP', facts(of, 'idp', ['repairs'])));
  if (provider || !idp) lines.push(...section('As a provider', facts(of, 'provider', ['mapping'])), ...section('Mapping (IdP ← → provider), where the route has no rule of its own', mapping(of)));
  return [...lines, ...parameters(of)];
}

const section = (title: string, lines: string[]): string[] => (lines.length === 0 ? [] : ['', paint('bold', title), ...lines]);

function resources({ resourceTypes, schemas = [], evidence }: Profile): string[] {
  return Object.entries(resourceTypes).map(([name, { endpoint, schema, extensions = {} }]) => {
    const own = schemas.find(({ id }) => id === schema)?.attributes ?? [];
    const required = own.filter((each) => each.required).map((each) => each.name);
    const what = [own.length === 0 ? 'all attributes of the RFC' : `${own.length} attributes${required.length > 0 ? `; required: ${required.join(', ')}` : ''}`, ...Object.keys(extensions)];
    return marked(`${name} at /${endpoint}: ${what.join(' + ')}`, known(evidence, `/resourceTypes/${name}`));
  });
}

function repairs({ idp, repairs: all, evidence }: Profile): string[] {
  const ids = Object.entries((idp?.['repairs'] ?? {}) as Record<string, string>);
  return ids.map(([name, id]) => marked(`${id.padEnd(4)} ${name.padEnd(18)} ${all[name]?.text ?? ''}`, known(evidence, `/idp/repairs/${name}`)));
}

function facts(of: Profile, side: 'idp' | 'provider', without: string[]): string[] {
  return beliefs(of, side, without).map(({ pointer, value, source }) => marked(`${dotted(pointer).padEnd(28)} ${show(value)}`, source));
}

/** The beliefs of a side: members of members, where they are objects. */
function beliefs(of: Profile, side: 'idp' | 'provider', without: string[]): Belief[] {
  const walk = (value: unknown, pointer: string, depth: number): Belief[] => {
    const object = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!object || depth === 0) return [{ pointer, value, source: known(of.evidence, pointer) }];
    return Object.entries(value).flatMap(([name, each]) => walk(each, `${pointer}/${name}`, depth - 1));
  };
  const entries = Object.entries(of[side] ?? {}).filter(([name]) => !without.includes(name));
  return entries.flatMap(([name, value]) => walk(value, `/${side}/${name}`, 1));
}

function mapping({ provider, evidence }: Profile): string[] {
  const { unmapped, inherit, ...types } = (provider?.['mapping'] ?? {}) as Record<string, unknown>;
  void inherit;
  const lines = Object.entries(types).flatMap(([type, rules]) => (rules as Record<string, unknown>[]).map(({ idp, provider: to, ...more }) => {
    const settings = Object.entries(more).map(([key, value]) => `${key}: ${show(value)}`);
    const what = idp === to ? `${idp as string}` : `${(idp as string | undefined) ?? '(none)'} → ${(to as string | undefined) ?? '(none)'}`;
    return `  ${type}  ${what}${settings.length > 0 ? `  ${paint('dim', settings.join(', '))}` : ''}`;
  }));
  if (unmapped !== undefined) lines.push(marked(`attributes without a rule: ${String(unmapped)}`, known(evidence, '/provider/mapping')));
  return lines;
}

/** What nobody has verified, and how a route says it otherwise. */
function parameters(of: Profile): string[] {
  const sides = (['idp', 'provider'] as const).filter((_, index) => of.roles[index]);
  const open = sides.flatMap((side) => beliefs(of, side, ['repairs', 'mapping'])).filter(({ source }) => source !== undefined && !source.startsWith('verified'));
  const first = open.find(({ value }) => !isFlow(value));
  if (!first) return [];
  const [, side = 'provider', ...keys] = first.pointer.split('/');
  const nested = keys.reduceRight((inner, key) => `{ ${key}: ${inner} }`, show(first.value));
  return [
    ...section('Parameters: not verified, with the value that is assumed', open.map(({ pointer, value }) => `  ${dotted(pointer).padEnd(28)} ${show(value)}`)),
    '',
    'Where yours is otherwise, say so in the route:',
    `  ${side}:`, '    profile:', `      extends: ${of.name}`, `      ${side}: ${nested}`,
  ];
}

/** The source of a belief, or of what it is a part of. */
function known(evidence: Profile['evidence'] = {}, pointer: string): string | undefined {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (evidence[at] !== undefined) return evidence[at];
  return undefined;
}

/** A line with its mark before it and its source after it. */
function marked(line: string, source: string | undefined): string {
  const [word = '', ...rest] = (source ?? '').split(': ');
  const [mark, style] = MARKS[word] ?? ['·', 'dim' as const];
  return `${paint(style, mark)} ${line}${source === undefined ? '' : `  ${paint('dim', rest.join(': '))}`}`;
}

const dotted = (pointer: string): string => pointer.split('/').slice(2).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');

const show = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ');
  return isFlow(value) ? `${value.title}; with: ${Object.keys(value.inputs ?? {}).join(', ')}` : JSON.stringify(value);
};

/** A token flow, of which a reader wants to know what it is and what it needs: its steps are in `--json`. */
const isFlow = (value: unknown): value is { title: string; inputs?: Record<string, string> } => typeof value === 'object' && value !== null && 'title' in value && 'steps' in value;
