// PATCH of RFC 7644 section 3.5.2, read strictly.
// Rules: SIM-RFC-10 lower-case op, no members but op, path, value · SIM-RFC-11 a replace finds its target ·
// SIM-RFC-12 keys of a path-less value are attribute names · SIM-RFC-13 remove has a path and no value.
import { matches, parsePath } from './filter.mjs';
import { checkMembers, checkSingle, checkValue } from './validate.mjs';

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** The resource after all operations; the one given stays as it is. */
export function applyPatch(resource, body, type, judge) {
  const { schemas, Operations: operations, ...more } = body ?? {};
  if (!Array.isArray(schemas) || !schemas.includes(PATCH_OP)) judge.object('SIM-RFC-10', 'invalidSyntax', '`schemas` lacks PatchOp');
  if (!Array.isArray(operations) || operations.length === 0) judge.refuse('SIM-RFC-10', 'invalidSyntax', '`Operations` is missing or empty');
  if (Object.keys(more).length > 0) judge.object('SIM-RFC-10', 'invalidSyntax', `unknown members \`${Object.keys(more)}\``);
  const after = structuredClone(resource);
  for (const operation of operations) applyOperation(after, operation, type, judge);
  for (const attribute of type.attributes.values()) {
    if (attribute.flags.has('required') && (after[attribute.name] ?? '') === '') {
      judge.refuse('SIM-RFC-6', 'mutability', `\`${attribute.name}\` is required`);
    }
  }
  return after;
}

function applyOperation(resource, operation, type, judge) {
  const { op: given, path, value, ...more } = operation ?? {};
  const op = String(given).toLowerCase();
  if (given !== op) judge.object('SIM-RFC-10', 'invalidSyntax', `op \`${given}\` is not lower case`);
  if (!['add', 'replace', 'remove'].includes(op)) judge.refuse('SIM-RFC-10', 'invalidSyntax', `unknown op \`${given}\``);
  if (Object.keys(more).length > 0) judge.object('SIM-RFC-10', 'invalidSyntax', `unknown members \`${Object.keys(more)}\``);
  if (path !== undefined && typeof path !== 'string') judge.refuse('SIM-RFC-9', 'invalidPath', '`path` is not a string');
  if (op === 'remove') {
    if (path === undefined) judge.refuse('SIM-RFC-13', 'noTarget', 'remove without a path');
    if ('value' in operation) judge.object('SIM-RFC-13', 'invalidSyntax', 'remove with a value');
    return change(resource, op, parsePath(path, (text) => type.resolve(text), judge), undefined, path, judge);
  }
  if (value === undefined) judge.refuse('SIM-RFC-10', 'invalidValue', `${op} without a value`);
  if (path !== undefined) return change(resource, op, parsePath(path, (text) => type.resolve(text), judge), value, path, judge);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    judge.refuse('SIM-RFC-12', 'invalidValue', `${op} without a path takes an object`);
  }
  for (const [key, member] of Object.entries(value)) {
    const plain = type.attributes.get(key.toLowerCase()) ?? type.extension(key);
    if (key.toLowerCase() === 'schemas') continue;
    if (!plain) judge.object('SIM-RFC-12', 'invalidPath', `\`${key}\` is not an attribute name`);
    const steps = plain ? [plain] : type.resolve(key);
    if (steps) change(resource, op, { steps }, member, key, judge);
  }
}

function change(resource, op, { steps, filter, sub }, value, place, judge) {
  for (const step of [...steps, ...(sub ? [sub] : [])]) {
    if (step.flags?.has('readOnly')) judge.refuse('SIM-RFC-14', 'mutability', `\`${place}\` is read-only`);
  }
  const attribute = steps.at(-1);
  const parent = steps.slice(0, -1).reduce((object, step) => {
    if (step.multi) judge.refuse('SIM-RFC-9', 'invalidPath', `\`${place}\` goes through a multi-valued attribute`);
    return (object[step.name] ??= {});
  }, resource);
  if (filter) changeElements(parent, attribute, op, filter, sub, value, place, judge);
  else changeAttribute(parent, attribute, op, value, place, judge);
  if (steps.length > 1 && Object.keys(parent).length === 0) delete resource[steps[0].name];
}

function changeAttribute(parent, attribute, op, value, place, judge) {
  const old = parent[attribute.name];
  if (value === null) judge.object('SIM-RFC-4', 'invalidValue', `\`${place}\` is null`);
  if (op === 'remove' || value === null) {
    delete parent[attribute.name];
  } else if (attribute.multi) {
    const added = checkValue(value, attribute, place, judge);
    const kept = op === 'add' ? old ?? [] : [];
    parent[attribute.name] = [...onePrimary(kept, added), ...added.filter((element) => !kept.some((other) => same(element, other)))];
    if (parent[attribute.name].length === 0) delete parent[attribute.name];
  } else if (attribute.subs) {
    // RFC 7644 3.5.2.3: replacing a complex attribute replaces the sub-attributes given; likewise for an extension.
    const members = attribute.type === 'complex'
      ? checkSingle(value, attribute, place, judge)
      : checkMembers(value, attribute.subs, `${place}:`, judge);
    parent[attribute.name] = { ...old, ...members };
  } else {
    parent[attribute.name] = checkSingle(value, attribute, place, judge);
  }
}

function changeElements(parent, attribute, op, filter, sub, value, place, judge) {
  const elements = parent[attribute.name] ?? [];
  const chosen = elements.filter((element) => matches(filter, element));
  if (op === 'remove') {
    if (sub) for (const element of chosen) delete element[sub.name];
    else parent[attribute.name] = elements.filter((element) => !chosen.includes(element));
    if (parent[attribute.name]?.length === 0) delete parent[attribute.name];
    return;
  }
  if (chosen.length === 0) {
    judge.object('SIM-RFC-11', 'noTarget', `\`${place}\` has no target`);
    chosen.push(slot(filter));
    parent[attribute.name] = [...elements, ...chosen];
  }
  const members = sub ? { [sub.name]: checkSingle(value, sub, place, judge) } : checkSingle(value, attribute, place, judge);
  if (members.primary === true) onePrimary(elements, [members]);
  for (const element of chosen) Object.assign(element, members);
}

// RFC 7644 3.5.2.1: a new primary element takes the place of the old one.
function onePrimary(elements, added) {
  if (added.some((element) => element.primary === true)) {
    for (const element of elements) if (element.primary === true) element.primary = false;
  }
  return elements;
}

function same(one, other) {
  const plain = ({ $ref, display, ...rest }) => JSON.stringify(Object.entries(rest).sort());
  return one.value !== undefined && one.type === undefined ? one.value === other.value : plain(one) === plain(other);
}

// What a lenient provider creates for a value path without a target.
function slot(filter) {
  if (filter.kind === 'and') return { ...slot(filter.left), ...slot(filter.right) };
  return filter.operator === 'eq' ? { [filter.steps.at(-1).name]: filter.value } : {};
}
