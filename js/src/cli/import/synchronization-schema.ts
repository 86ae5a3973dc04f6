/**
 * Reads the schema of a provisioning job (Graph `synchronizationSchema`). The IdP evaluates its expressions before the
 * request arrives, so that a rule here joins the target attribute with the provider's attribute of the same path.
 */

import { Refusal } from '../output.js';
import type { Attribute, Draft, Rule } from './draft.js';

interface Schema {
  id?: string;
  version?: string;
  synchronizationRules?: { objectMappings?: ObjectMapping[]; targetDirectoryName?: string }[];
  directories?: { name?: string; objects?: { name?: string; attributes?: DirectoryAttribute[] }[] }[];
}

interface ObjectMapping {
  name?: string;
  enabled?: boolean;
  flowTypes?: string;
  sourceObjectName?: string;
  targetObjectName?: string;
  scope?: { groups?: unknown[] } | null;
  attributeMappings?: AttributeMapping[];
}

interface AttributeMapping {
  targetAttributeName?: string;
  matchingPriority?: number;
  flowType?: string;
  defaultValue?: string | null;
  source?: { type?: string; name?: string; expression?: string } | null;
}

interface DirectoryAttribute {
  name?: string;
  type?: string;
  required?: boolean;
  caseExact?: boolean;
  multivalued?: boolean;
}

const TYPES: Record<string, string> = { boolean: 'boolean', integer: 'integer', reference: 'reference', binary: 'binary', datetime: 'dateTime' };

export function readSynchronizationSchema(value: unknown, file: string, idp: string, provider: string): Draft {
  const schema = value as Schema;
  const rules = schema.synchronizationRules;
  if (!Array.isArray(rules)) throw new Refusal(`error ${file}: there are no \`synchronizationRules\`: this is not the schema of a provisioning job`);
  const draft: Draft = { source: `Imported from ${file} (${[schema.id, schema.version].filter(Boolean).join(', ') || 'no id'}).`, idp, provider, unmapped: 'drop', rules: {}, matching: {}, extensions: {}, unused: [], remarks: {} };
  for (const { objectMappings = [], targetDirectoryName } of rules) {
    for (const mapping of objectMappings) {
      const type = typeOf(mapping);
      const name = mapping.name ?? `${mapping.sourceObjectName} to ${mapping.targetObjectName}`;
      if (mapping.enabled === false) draft.unused.push(`the mapping "${name}" is not enabled`);
      else if (!type) draft.unused.push(`the mapping "${name}" is of neither users nor groups`);
      else if (draft.rules[type]) draft.unused.push(`the mapping "${name}": another one for ${type} came before it`);
      else add(draft, type, mapping, attributesOf(schema, targetDirectoryName, mapping.targetObjectName));
    }
  }
  if (Object.keys(draft.rules).length === 0) throw new Refusal(`error ${file}: it has no enabled mapping of users or groups`);
  return draft;
}

/** Names of mappings and targets differ from template to template; those of sources do not. */
function typeOf({ sourceObjectName = '' }: ObjectMapping): 'User' | 'Group' | undefined {
  return { user: 'User', group: 'Group' }[sourceObjectName.toLowerCase()] as 'User' | 'Group' | undefined;
}

function attributesOf(schema: Schema, directory: string | undefined, object: string | undefined): DirectoryAttribute[] {
  const directories = schema.directories?.filter(({ name }) => name === directory) ?? [];
  return (directories.length > 0 ? directories : (schema.directories ?? [])).flatMap(({ objects = [] }) => objects.filter(({ name }) => name === object)).flatMap(({ attributes = [] }) => attributes);
}

function add(draft: Draft, type: string, mapping: ObjectMapping, known: DirectoryAttribute[]): void {
  const remarks = (draft.remarks[type] = [] as string[]);
  const missing = ['Add', 'Update', 'Delete'].filter((flow) => mapping.flowTypes !== undefined && !mapping.flowTypes.includes(flow));
  if (missing.length > 0) remarks.push(`The IdP's mapping has no ${missing.join(' and no ')}: it sends no such requests.`);
  if ((mapping.scope?.groups?.length ?? 0) > 0) remarks.push('The IdP applies its scoping filter itself.');
  const list = (draft.rules[type] = [] as Rule[]);
  for (const one of mapping.attributeMappings ?? []) {
    const target = pathOf(one.targetAttributeName ?? '');
    if (target === '') {
      draft.unused.push(`an attribute mapping of ${type} without a target`);
      continue;
    }
    list.push({
      keys: { idp: target, provider: target, ...(one.flowType === 'ObjectAddOnly' ? { operations: ['create'] } : {}) },
      was: describe(one),
      todo: one.flowType?.endsWith('AddOnly') && one.flowType !== 'ObjectAddOnly' ? `flow type ${one.flowType}: the IdP only adds here and never removes` : undefined,
    });
    declare(draft, type, target, known.find(({ name }) => name === one.targetAttributeName));
  }
  const matching = (mapping.attributeMappings ?? []).filter(({ matchingPriority = 0 }) => matchingPriority > 0);
  matching.sort((a, b) => (a.matchingPriority ?? 0) - (b.matchingPriority ?? 0));
  if (matching.length > 0) draft.matching[type] = matching.map(({ targetAttributeName = '' }) => pathOf(targetAttributeName));
}

/** The target's path in SCIM's own words: booleans are no text. */
const pathOf = (target: string): string => target.trim().replace(/\b(eq|ne) "(true|false)"/gi, (_, operator: string, word: string) => `${operator} ${word.toLowerCase()}`);

function describe({ source, defaultValue, matchingPriority = 0 }: AttributeMapping): string {
  const from = source ? (source.expression ?? source.name ?? '') : `constant ${JSON.stringify(defaultValue ?? '')}`;
  const otherwise = source && defaultValue ? `, or ${JSON.stringify(defaultValue)}` : '';
  return `${from}${otherwise}${matchingPriority > 0 ? `; matching attribute ${matchingPriority}` : ''}`;
}

/** Remembers what the file says of an extension's attribute. */
function declare(draft: Draft, type: string, path: string, known: DirectoryAttribute | undefined): void {
  const [, urn, name] = /^(urn:.+):([^:.[]+)$/i.exec(path) ?? [];
  if (urn === undefined || name === undefined || !known) return;
  const attribute: Attribute = { name, type: TYPES[known.type?.toLowerCase() ?? ''] ?? 'string' };
  if (known.multivalued) attribute.multiValued = true;
  if (known.caseExact) attribute.caseExact = true;
  const list = ((draft.extensions[type] ??= {})[urn] ??= []);
  if (!list.some((each) => each.name === name)) list.push(attribute);
}
