// Where others' implementations do something else than the engine, and the sentence of the RFC that decides. Each entry turns
// what they are given, or what they made of it, into what the RFC says, so that the rest of the case is still compared.

import { isDeepStrictEqual } from 'node:util';

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User';
const LISTS = ['emails', 'phoneNumbers', 'roles'];

/** Filters, as scim2-parse-filter has parsed them: `adapt` answers the comparison to take instead, `resource` the resource. */
export const filters = [
  {
    what: 'escapes in strings are JSON\'s',
    rfc: 'RFC 7644 section 3.4.2.2: compValue = false / null / true / number / string ; rules from JSON (RFC 7159)',
    adapt: (node) => (typeof node.compValue === 'string' && node.compValue.includes('\\') ? { ...node, compValue: JSON.parse(`"${node.compValue.replaceAll('"', '\\"')}"`) } : node),
  },
  {
    what: 'strings are compared without regard to case',
    rfc: 'RFC 7643 section 7: caseExact specifies whether or not a string attribute is case sensitive; section 8.7.1 has false for userName, emails.value …',
    adapt: (node) => (typeof node.compValue === 'string' && !exact(node.attrPath) ? { ...node, compValue: node.compValue.toLowerCase() } : node),
    resource: (resource) => lowered(resource),
  },
  {
    what: 'moments are compared, not their texts',
    rfc: 'RFC 7644 section 3.4.2.2, gt: "For DateTime types, this is a chronological comparison"',
    adapt: (node) => (/^meta\./i.test(node.attrPath) && node.compValue ? { ...node, compValue: new Date(node.compValue).toISOString() } : node),
    resource: ({ meta, ...resource }) => (meta ? { ...resource, meta: { ...meta, created: new Date(meta.created).toISOString(), lastModified: new Date(meta.lastModified).toISOString() } } : resource),
  },
  {
    what: 'what is unassigned is not equal to anything',
    rfc: 'RFC 7644 section 3.4.2.2, ne: "The attribute and operator values are not identical."',
    adapt: (node) => (node.op === 'ne' ? { op: 'or', filters: [node, { op: 'not', filter: { op: 'or', filters: [node, { ...node, op: 'eq' }] } }] } : node),
  },
  {
    what: 'an empty string is not present',
    rfc: 'RFC 7644 section 3.4.2.2, pr: "If the attribute has a non-empty or non-null value"',
    adapt: (node) => (node.op === 'pr' ? { ...node, op: 'ne', compValue: '' } : node),
  },
  {
    what: 'the URN of the core schema may stand before its attributes',
    rfc: 'RFC 7644 section 3.10: the schema URI may be the prefix of any attribute, those of the core schema included',
    adapt: (node) => (node.attrPath?.startsWith(`${CORE}:`) ? { ...node, attrPath: node.attrPath.slice(CORE.length + 1) } : node),
  },
  {
    what: 'all of the filter in brackets holds for one element',
    rfc: 'RFC 7644 section 3.4.2.2: "expressions MUST be applied to the same value of a parent attribute specified immediately before the left square bracket"',
    adapt: (node, resource, matches) => {
      if (node.op !== '[]') return node;
      const found = (resource[node.attrPath] ?? []).some((element) => matches(node.valFilter, element));
      return { op: found ? 'ne' : 'eq', attrPath: 'schemas', compValue: null };
    },
  },
];

/** Filters that they accept and the engine refuses. */
export const refusedFilters = [
  {
    what: 'not without parentheses',
    rfc: 'RFC 7644 section 3.4.2.2: FILTER = attrExp / logExp / valuePath / *1"not" "(" FILTER ")"',
    when: (text, refused) => /\bnot (?!\()/i.test(text) && /expected an operator/.test(refused),
  },
  {
    what: 'an empty sub-attribute',
    rfc: 'RFC 7644 section 3.4.2.2: attrPath = [URI ":"] ATTRNAME *1subAttr',
    when: (text) => /a\.\.b/.test(text),
  },
  {
    what: 'a number compared with a string',
    rfc: 'RFC 7644 section 3.12, invalidFilter: "the specified attribute and filter comparison combination is not supported"',
    when: (text, refused) => /userName eq (1e400|01)/.test(text) && /can only be compared with a string/.test(refused),
  },
];

/** Filters that one of the engine and the crate scim_v2 reads, or that they read as something else. */
export const crateFilters = [
  {
    what: 'a number of any size is one',
    rfc: 'RFC 7644 section 3.4.2.2: compValue follows the rules of JSON; RFC 8259 section 6 bounds no number, and lets implementations do so',
    when: ({ filter, ours, theirs }) => /1e400/.test(filter) && ours && !theirs,
  },
];

/** Operations of a PATCH: `adapt` answers the operation to apply instead, none, or that it must be refused; `after` their result. */
export const patches = [
  {
    what: 'a required attribute cannot be removed',
    rfc: 'RFC 7644 section 3.5.2.2: "If an attribute is removed or becomes unassigned and is defined as a required attribute or a read-only attribute, the server SHALL return …"',
    adapt: ({ op, path }) => (op === 'remove' && /(^|:)userName$/.test(path) ? 'refuse' : undefined),
  },
  {
    what: 'removing what is not there succeeds',
    rfc: 'RFC 7644 section 3.5.2.2, first example: "If the user was not a member of this group, no changes should be made to the resource, and a success response should be returned."',
    adapt: ({ op, path }, resource) => (op === 'remove' && selectsNone(path, resource) ? null : undefined),
  },
  {
    what: 'writing to an element that is not there fails',
    rfc: 'RFC 7644 section 3.12, noTarget: "This occurs when the specified "path" value contains a filter that yields no match."',
    adapt: ({ op, path }, resource) => (op !== 'remove' && selectsNone(path, resource) ? 'refuse' : undefined),
  },
  {
    what: 'one value added to a list without values makes a list',
    rfc: 'RFC 7644 section 3.5.2.1: "If the target location specifies a multi-valued attribute, a new value is added to the attribute."',
    adapt: (operation) => (operation.op === 'add' && LISTS.includes(operation.path) && !Array.isArray(operation.value) ? { ...operation, value: [operation.value] } : undefined),
  },
  {
    what: 'what is required does not become empty',
    rfc: 'RFC 7643 section 4.1.1: "Each User MUST include a non-empty userName value."',
    adapt: ({ op, path, value }) => {
      const empty = path === undefined ? value?.userName === '' : /(^|:)userName$/i.test(path) && value === '';
      return op !== 'remove' && empty ? 'refuse' : undefined;
    },
  },
  {
    what: 'a list is replaced by a list',
    rfc: 'RFC 7643 section 2.4: multi-valued attributes contain a list of elements in the JSON array format',
    adapt: ({ op, path, value }) => (op === 'replace' && LISTS.includes(path) && !Array.isArray(value) ? 'refuse' : undefined),
  },
  {
    what: 'what is there already is not added again',
    rfc: 'RFC 7644 section 3.5.2.1: "If the target location already contains the value specified, no changes SHOULD be made to the resource, and a success response SHOULD be returned."',
    adapt: (operation, resource) => {
      const covers = (element, each) => element.value === each.value && Object.entries(each).every(([name, part]) => element[name] === part)
        && (each.value !== undefined || isDeepStrictEqual(element, each));
      // One after another: what an operation adds is there for what it adds next.
      const missing = (list, values) => values.reduce((added, each) => ([...(resource[list] ?? []), ...added].some((element) => covers(element, each)) ? added : [...added, each]), []);
      return operation.op === 'add' ? withLists(operation, missing) : undefined;
    },
  },
  {
    what: 'the same value of the same type is there once: what is new about it is added to it',
    rfc: 'RFC 7643 section 2.4: "service providers MUST NOT return the same (type, value) combination more than once per attribute"',
    after: (operation, before, after) => {
      if (operation?.op !== 'add') return after;
      const folded = (text) => (typeof text === 'string' ? text.toLowerCase() : text);
      const twins = (a, b) => typeof a.value === 'string' && folded(a.value) === folded(b.value) && (a.type === undefined || b.type === undefined || folded(a.type) === folded(b.type));
      for (const list of LISTS.filter((name) => Array.isArray(after[name]))) {
        const kept = after[list].slice(0, (before[list] ?? []).length);
        for (const each of after[list].slice(kept.length)) {
          const twin = kept.find((other) => twins(other, each));
          if (twin) Object.assign(twin, { ...each, value: twin.value });
          else kept.push(each);
        }
        after[list] = kept;
      }
      return after;
    },
  },
  {
    what: 'a new primary element takes the place of the old',
    rfc: 'RFC 7644 section 3.5.2: setting primary to true "SHALL cause the server to automatically set "primary" to "false" for any other values in the array"',
    after: (operation, before, after) => {
      for (const list of LISTS) {
        const primary = (after[list] ?? []).filter((each) => each.primary === true);
        const was = (before[list] ?? []).filter((each) => each.primary === true);
        // What is new about an element was added to it by now.
        const stood = (each) => was.some((old) => JSON.stringify(old) === JSON.stringify(each) || (operation?.op === 'add' && old.value !== undefined && old.value === each.value));
        if (primary.length > 1) for (const each of primary) if (stood(each)) each.primary = false;
      }
      return after;
    },
  },
];

/** Problems of a new user that one side alone names. */
export const creations = [
  {
    what: 'userName is not empty',
    rfc: 'RFC 7643 section 4.1.1: "Each User MUST include a non-empty userName value."',
    side: 'engine', path: /^username$/, message: /is required/,
  },
  {
    what: 'booleans are JSON\'s',
    rfc: 'RFC 7643 section 2.3.2: "The literal "true" or "false"."',
    side: 'engine', path: /./, message: /^must be true or false/,
  },
  {
    what: 'binary values are base64',
    rfc: 'RFC 7643 section 2.3.6: "The attribute value MUST be base64 encoded as specified in Section 4 of [RFC4648]."',
    side: 'engine', path: /^x509certificates$/, message: /base64/,
  },
  {
    what: 'base64 needs no padding',
    rfc: 'RFC 7643 section 2.3.6: "trailing padding characters MAY be omitted ("=")"',
    side: 'models', path: /^x509certificates$/, message: /padding/,
  },
  {
    what: 'a manager needs no $ref and no value',
    rfc: 'RFC 7643 section 4.3: "The URI of the SCIM resource representing the User\'s manager. RECOMMENDED."',
    side: 'models', path: /enterprise/, message: /^Field '(\$ref|value)' is required/,
  },
  {
    what: 'addresses are for the provider to judge',
    rfc: 'RFC 7643 section 4.1.2: "The value SHOULD be specified according to [RFC5321]."',
    side: 'models', path: /^emails$/, message: /not a valid email address/,
  },
  {
    what: 'the core schema is added where schemas lacks it',
    rfc: 'RFC 7643 section 3: schemas must name the schemas of what is there, which can be seen; no sentence has it refused',
    side: 'models', path: /^schemas$/, message: /must contain the base schema/,
  },
  {
    what: 'attributes that the schema lacks are the mapping\'s matter',
    rfc: 'RFC 7643 section 3.3: extensions are how a resource carries more; no sentence has unknown attributes refused',
    side: 'models', path: /./, message: /^Extra inputs are not permitted/,
  },
  {
    what: 'readOnly attributes are ignored, whatever they hold',
    rfc: 'RFC 7644 section 3.3: attributes of a request whose mutability is readOnly SHALL be ignored',
    side: 'models', path: /^(id|meta|groups)$/, message: /./,
  },
  {
    what: 'an empty array is no value, and so is null in a list',
    rfc: 'RFC 7643 section 2.5: "Unassigned attributes, the null value, or an empty array … SHALL be considered to be equivalent in "state"."',
    side: 'models', path: /./, message: /^Input should be a valid (dictionary|string)/,
    when: (value) => (Array.isArray(value) ? value.length === 0 || value.includes(null) : JSON.stringify(value).includes('[]')),
  },
  {
    what: 'a reference may be a relative URI',
    rfc: 'RFC 7643 section 2.3.7: "The value MUST be the absolute or relative URI of the target resource."',
    side: 'models', path: /^(profileurl|photos)$/, message: /Invalid URI: (x|\.\.\/Users\/1|)$/,
  },
];

/** An operation whose lists, named by its path or in its value, are changed; nothing where none is. */
function withLists(operation, change) {
  const { path, value } = operation;
  const changed = (name, each) => (LISTS.includes(name) && Array.isArray(each) ? change(name, each) : each);
  const other = path === undefined ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, changed(name, each)])) : changed(path, value);
  return JSON.stringify(other) === JSON.stringify(value) ? undefined : { ...operation, value: other };
}

const exact = (path) => /(^|:)externalId$|^meta\./i.test(path);

function selectsNone(path, resource) {
  const list = /^(\w+)\[mark eq true\]/.exec(path ?? '')?.[1];
  return list !== undefined && !(resource[list] ?? []).some((each) => each.mark);
}

function lowered(value, name) {
  if (typeof value === 'string') return name === 'externalId' ? value : value.toLowerCase();
  if (Array.isArray(value)) return value.map((each) => lowered(each, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, key === 'meta' || key === 'schemas' ? each : lowered(each, key)]));
}
