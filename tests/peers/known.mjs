// Others' filters as the RFC has them: what `differences.mjs` lists is applied to what their implementation is given.

import { isDeepStrictEqual } from 'node:util';

import { filter as matcher, parse } from 'scim2-parse-filter';

import { filters } from './differences.mjs';

/** Whether their filter matches, given what the RFC says, and the differences that this takes. */
export function filterAdapted(node, resource) {
  const by = [];
  for (const each of filters) {
    const [otherNode, other] = [adapted(node, (leaf) => each.adapt(leaf, resource, matches)), each.resource?.(resource) ?? resource];
    if (!isDeepStrictEqual([otherNode, other], [node, resource])) by.push(each);
    [node, resource] = [otherNode, other];
  }
  return { by, matches: matcher(node)(resource) };
}

const matches = (node, element) => matcher(node)(element);

/** With every comparison replaced, and then every filter in brackets. */
function adapted(node, adapt) {
  if (node.filters) return { ...node, filters: node.filters.map((each) => adapted(each, adapt)) };
  if (node.filter) return { ...node, filter: adapted(node.filter, adapt) };
  if (node.valFilter) return adapt({ ...node, valFilter: adapted(node.valFilter, adapt) });
  return adapt(node);
}

/**
 * An operation and a resource whose path's filter selects, by a mark, the elements that it selects by the RFC: filters are
 * compared for themselves.
 */
export function marks(operation, resource) {
  const [, list, text, sub = ''] = /^(\w+)\[(.*)\](\.\w+)?$/s.exec(operation.path ?? '') ?? [];
  if (!list) return [operation, resource];
  const marked = (resource[list] ?? []).map((element) => (filterAdapted(parse(text), element).matches ? { ...element, mark: true } : element));
  return [{ ...operation, path: `${list}[mark eq true]${sub}` }, resource[list] ? { ...resource, [list]: marked } : resource];
}

export function withoutMarks(resource) {
  const strip = (value) => (Array.isArray(value) ? value.map(({ mark, ...rest }) => rest) : value);
  return Object.fromEntries(Object.entries(resource).map(([name, value]) => [name, LISTS.has(name) ? strip(value) : value]));
}

const LISTS = new Set(['emails', 'phoneNumbers', 'roles']);
