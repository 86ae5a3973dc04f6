/**
 * Reads a write transformation (JSON, one entity a resource type): an ordered list of mappings by JSONPath, of which a
 * later one overwrites an earlier one. Rules here are the other way round: the first that has a value wins.
 */

import { Refusal } from '../output.js';
import type { Draft, Rule } from './draft.js';
import { NotSaid, filterOf, pathOf } from './json-path.js';

/** Functions by name: a step of a rule's `transform`, or steps with their parameters (`step:parameter`). */
export type Steps = Record<string, string[]>;

interface Entity {
  condition?: string;
  ignore?: boolean;
  skipOperations?: string[];
  mappings?: Mapping[];
}

interface Mapping {
  type?: string;
  sourcePath?: string;
  sourcePaths?: string[];
  sourceVariable?: string;
  targetPath?: string;
  targetVariable?: string;
  constant?: unknown;
  optional?: boolean;
  ignore?: boolean;
  condition?: string;
  scope?: string;
  defaultValue?: unknown;
  valueMappings?: { key?: unknown[]; mappedValue?: unknown }[];
  functions?: (Record<string, unknown> & { function?: string; type?: string; condition?: string })[];
}

const TYPES: Record<string, string> = { user: 'User', group: 'Group' };

export function readTransformations(value: unknown, file: string, idp: string, provider: string, steps: Steps): Draft {
  const entities = Object.entries(value as Record<string, Entity>).filter(([, entity]) => Array.isArray(entity?.mappings));
  if (entities.length === 0) throw new Refusal(`error ${file}: no entity has \`mappings\`: this is not a transformation`);
  const draft: Draft = { source: `Imported from ${file}.`, idp, provider, unmapped: 'drop', rules: {}, matching: {}, extensions: {}, unused: [], remarks: {} };
  for (const [name, entity] of entities) {
    const type = TYPES[name.toLowerCase()];
    if (!type) draft.unused.push(`the entity \`${name}\`: only users and groups are SCIM resources here`);
    else if (entity.ignore === true) draft.unused.push(`the entity \`${name}\` is ignored`);
    else add(draft, type, entity, steps);
  }
  if (Object.keys(draft.rules).length === 0) throw new Refusal(`error ${file}: it has no mapping of users or groups`);
  return draft;
}

function add(draft: Draft, type: string, entity: Entity, steps: Steps): void {
  const remarks = (draft.remarks[type] = [] as string[]);
  if (entity.condition) remarks.push(`TODO only resources that fit \`${entity.condition}\` were provisioned: assign only those at the IdP`);
  for (const operation of entity.skipOperations ?? []) remarks.push(`TODO \`${operation}\` was skipped: refuse it with the route's \`unsupported\`, or turn it off at the IdP`);
  const rules: Rule[] = [];
  for (const mapping of entity.mappings ?? []) {
    if (mapping.ignore === true) continue;
    const said = JSON.stringify(mapping);
    try {
      if (mapping.sourcePath === '$' && mapping.targetPath === '$') draft.unmapped = 'pass';
      else rules.push(...rulesOf(mapping, steps, said));
    } catch (error) {
      if (!(error instanceof NotSaid)) throw error;
      rules.push({ keys: bare(mapping), was: said, gap: error.message });
    }
  }
  // A later mapping overwrites; here the first that has a value wins.
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const target = rule.keys.provider ?? rule.was;
    groups.set(target, [rule, ...(groups.get(target) ?? [])]);
  }
  draft.rules[type] = [...groups.values()].flat();
}

/** The paths alone, as far as they can be said, for a comment. */
function bare({ sourcePath, sourcePaths, targetPath }: Mapping): Rule['keys'] {
  const path = (text: string | undefined): string | undefined => {
    try {
      return text === undefined ? undefined : pathOf(text);
    } catch {
      return undefined;
    }
  };
  const [idp, provider] = [path(sourcePath ?? sourcePaths?.[0]), path(targetPath)];
  return { ...(idp ? { idp } : {}), ...(provider ? { provider } : {}) };
}

function rulesOf(mapping: Mapping, steps: Steps, was: string): Rule[] {
  const { type = 'set', scope, constant, condition, defaultValue } = mapping;
  if (mapping.targetVariable ?? mapping.sourceVariable) {
    const known = /^(entityId|entityLocation|entityBaseLocation)/.test(mapping.targetVariable ?? mapping.sourceVariable ?? '');
    if (known) return [];
    throw new NotSaid('there are no variables');
  }
  if (scope === 'deleteEntity') throw new NotSaid('deletion was turned into this change: see `effects` of the provider\'s profile for what its deletion does');
  if (scope !== undefined && scope !== 'createEntity') throw new NotSaid(`there is no scope \`${scope}\``);
  if (type === 'remove' || type === 'rename') throw new NotSaid(`\`type: ${type}\` works on the provider's document: leave the attribute out, or write its path`);
  const provider = pathOf(mapping.targetPath ?? '');
  // Schemas follow from the data.
  if (provider === 'schemas') return [];
  const keys: Rule['keys'] = { ...source(mapping, type), provider };
  if (type === 'valueMapping') Object.assign(keys, table(mapping));
  else if (constant !== undefined) keys['value'] = literal(constant);
  else Object.assign(keys, functions(mapping.functions ?? [], steps));
  const when = condition ? filterOf(condition) : '';
  // A rule without a value says nothing anyway.
  if (when !== '' && when !== `${keys.idp} pr`) keys['when'] = when;
  if (scope === 'createEntity') keys['operations'] = ['create'];
  const plain = type === 'set' && !condition && !mapping.functions && constant === undefined;
  const rule: Rule = { keys, was, plain };
  if (/\[0\]/.test(`${mapping.sourcePath}${mapping.targetPath}`)) rule.todo = 'the first element was meant; here it is the primary one';
  if (defaultValue === undefined || type === 'valueMapping') return [rule];
  // The default is for what no other rule has said. The list of rules is turned round later.
  const fallback = typeof defaultValue === 'string' ? { provider, default: defaultValue } : { provider, value: literal(defaultValue), operations: ['create'] };
  return [{ keys: fallback, was: 'where the IdP has no value' }, rule];
}

function source({ sourcePath, sourcePaths, constant }: Mapping, type: string): Rule['keys'] {
  if (type === 'valueMapping') {
    const [path, ...more] = sourcePaths ?? [sourcePath];
    if (path === undefined || more.length > 0) throw new NotSaid('a table over several attributes cannot be said: write rules with `when`');
    return { idp: pathOf(path) };
  }
  if (constant !== undefined) return {};
  if (sourcePath === undefined) throw new NotSaid('there is neither a source nor a constant');
  return { idp: pathOf(sourcePath) };
}

function table({ valueMappings = [], defaultValue }: Mapping): Record<string, unknown> {
  const pairs = valueMappings.map(({ key = [], mappedValue }) => [String(key[0]), literal(mappedValue)]);
  return { values: Object.fromEntries(pairs), ...(defaultValue === undefined ? {} : { other: literal(defaultValue) }) };
}

function literal(value: unknown): string | number | boolean {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new NotSaid('a constant is text, a number or a boolean');
}

/** Functions as steps of a transform. */
function functions(list: NonNullable<Mapping['functions']>, steps: Steps): Record<string, unknown> {
  const transform = list.flatMap((one) => {
    const name = one.function ?? one.type ?? '';
    const known = steps[name];
    if (!known) throw new NotSaid(`the function \`${name}\` has no step that does the same`);
    if (one.condition !== undefined) throw new NotSaid(`the function \`${name}\` has a condition: write a rule with \`when\``);
    return known.flatMap((step): unknown[] => {
      const [word = '', parameter = word] = step.split(':');
      if (known.length === 1 && !step.includes(':')) return [word];
      return one[parameter] === undefined || one[parameter] === '' ? [] : [{ [word]: one[parameter] }];
    });
  });
  return transform.length === 0 ? {} : { transform: transform.length === 1 ? transform[0] : transform };
}
