// Filters of RFC 7644 section 3.4.2.2: a parser that keeps to the grammar, and their evaluation.
// Rule: SIM-RFC-8 a filter keeps to the grammar, and its literals have the attribute's type.

const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'];
const TOKEN = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y;

/** Parses a whole filter; `resolve` turns a path into steps or null; `flat`: `and` does not bind tighter than `or`. */
export function parseFilter(text, resolve, judge, { flat = false } = {}) {
  const parser = new Parser(text, resolve, judge, flat);
  const filter = parser.or();
  if (parser.token !== null) parser.fail(`unexpected \`${parser.token}\``);
  return filter;
}

/** Parses the path of a patch operation: `attribute`, `attribute.sub`, `attribute[filter]`, `attribute[filter].sub`. */
export function parsePath(text, resolve, judge) {
  const [, path, filter, sub] = /^([^[\]]+)(?:\[(.*)\](?:\.([^.[\]]+))?)?$/s.exec(text) ?? [];
  const steps = path && resolve(path);
  if (!steps) judge.refuse('SIM-RFC-9', 'invalidPath', `unknown path \`${text}\``);
  if (filter === undefined) return { steps };
  const attribute = steps.at(-1);
  const inner = (name) => (attribute.subs?.get(name.toLowerCase()) ? [attribute.subs.get(name.toLowerCase())] : null);
  if (!attribute.multi) judge.refuse('SIM-RFC-9', 'invalidPath', `\`${path}\` is not multi-valued`);
  if (sub && !inner(sub)) judge.refuse('SIM-RFC-9', 'invalidPath', `unknown path \`${text}\``);
  return { steps, filter: parseFilter(filter, inner, judge), sub: sub && inner(sub)[0] };
}

/** True where the resource, or an element of a multi-valued attribute, meets the filter. */
export function matches(filter, object) {
  switch (filter.kind) {
    case 'and': return matches(filter.left, object) && matches(filter.right, object);
    case 'or': return matches(filter.left, object) || matches(filter.right, object);
    case 'not': return !matches(filter.inner, object);
    case 'element': return values(object, filter.steps).some((element) => matches(filter.inner, element));
    case 'present': return values(object, filter.steps).some((value) => value !== '' && value !== null);
    default: return compareAll(filter, values(object, filter.steps));
  }
}

/** The comparisons of a filter that joins with nothing but `and`, or nothing. */
export function conjuncts(filter) {
  if (filter.kind !== 'and') return ['or', 'not'].includes(filter.kind) ? undefined : [filter];
  const [left, right] = [conjuncts(filter.left), conjuncts(filter.right)];
  return left && right && [...left, ...right];
}

/** The path a comparison is about, as `attribute.sub`, a URN before it. */
export function pathOf({ steps }) {
  return steps.map(({ name }) => name).join('.').replace(/^(urn:[^ ]+?:2\.0:\w+)\./, '$1:');
}

/** The operators a filter uses, in their lower-case names. */
export function operators(filter) {
  return [filter.operator ?? filter.kind, ...[filter.left, filter.right, filter.inner].filter(Boolean).flatMap(operators)];
}

class Parser {
  constructor(text, resolve, judge, flat) {
    Object.assign(this, { text, resolve, judge, flat, at: 0 });
    this.next();
  }

  fail(detail) {
    this.judge.refuse('SIM-RFC-8', 'invalidFilter', detail);
  }

  next() {
    TOKEN.lastIndex = this.at;
    const match = TOKEN.exec(this.text);
    if (!match && this.text.slice(this.at).trim() !== '') this.fail('unterminated string');
    this.token = match ? match[1] ?? match[2] ?? match[3] : null;
    this.at = match ? TOKEN.lastIndex : this.text.length;
  }

  word(...words) {
    const found = words.find((word) => this.token?.toLowerCase() === word);
    if (found) this.next();
    return found;
  }

  or() {
    if (this.flat) return this.inOrder();
    let left = this.and();
    while (this.word('or')) left = { kind: 'or', left, right: this.and() };
    return left;
  }

  inOrder() {
    let left = this.unit();
    for (let kind; (kind = this.word('and', 'or')); ) left = { kind, left, right: this.unit() };
    return left;
  }

  and() {
    let left = this.unit();
    while (this.word('and')) left = { kind: 'and', left, right: this.unit() };
    return left;
  }

  unit() {
    if (this.word('not')) {
      if (this.token !== '(') this.fail('`not` takes a group in parentheses');
      return { kind: 'not', inner: this.unit() };
    }
    if (!this.word('(')) return this.comparison();
    const inner = this.or();
    if (!this.word(')')) this.fail('`)` is missing');
    return inner;
  }

  comparison() {
    const path = this.token;
    if (path === null || /^[")\][]/.test(path)) this.fail('an attribute path is missing');
    this.next();
    const steps = this.resolve(path);
    if (!steps) this.fail(`unknown attribute \`${path}\``);
    if (this.word('[')) return this.element(steps);
    const operator = this.word(...OPERATORS);
    if (!operator) this.fail(`unknown operator \`${this.token}\``);
    if (operator === 'pr') return { kind: 'present', steps };
    const target = comparable(steps);
    if (target.at(-1).subs) this.fail(`\`${path}\` is complex and has no value to compare`);
    return { kind: 'compare', operator, steps: target, value: this.literal(target.at(-1)) };
  }

  element(steps) {
    const attribute = steps.at(-1);
    const outer = this.resolve;
    if (!attribute.multi || outer.nested) this.fail('a value path takes a multi-valued attribute and is not nested');
    this.resolve = (name) => (attribute.subs.get(name.toLowerCase()) ? [attribute.subs.get(name.toLowerCase())] : null);
    this.resolve.nested = true;
    const inner = this.or();
    this.resolve = outer;
    if (this.token !== ']') this.fail('`]` is missing');
    this.next();
    // RFC 7644 figure 1: nothing may follow the bracket in a filter; `.sub` is for patch paths only.
    if (this.token?.startsWith('.')) this.fail('a sub-attribute after a value path');
    return { kind: 'element', steps, inner };
  }

  literal(attribute) {
    let value;
    try {
      value = JSON.parse(this.token);
    } catch {
      this.fail('a comparison value is a JSON literal');
    }
    const wanted = { boolean: 'boolean', integer: 'number', decimal: 'number' }[attribute.type] ?? 'string';
    if (value !== null && typeof value !== wanted) this.fail(`\`${attribute.name}\` compares with a ${wanted}`);
    this.next();
    return value;
  }
}

// RFC 7644 3.4.2.2: a multi-valued complex attribute without a sub-attribute stands for its `value`.
function comparable(steps) {
  const { multi, subs } = steps.at(-1);
  return multi && subs?.has('value') ? [...steps, subs.get('value')] : steps;
}

function values(object, steps) {
  return steps.reduce((found, step) => found.flatMap((value) => value?.[step.name] ?? []), [object]);
}

function compareAll({ operator, steps, value }, found) {
  const fold = (text) => (typeof text === 'string' && !steps.at(-1).flags.has('caseExact') ? text.toLowerCase() : text);
  const wanted = fold(value);
  const test = {
    eq: (actual) => actual === wanted,
    ne: (actual) => actual !== wanted,
    co: (actual) => String(actual).includes(wanted),
    sw: (actual) => String(actual).startsWith(wanted),
    ew: (actual) => String(actual).endsWith(wanted),
    gt: (actual) => actual > wanted,
    ge: (actual) => actual >= wanted,
    lt: (actual) => actual < wanted,
    le: (actual) => actual <= wanted,
  }[operator];
  if (operator === 'ne') return found.every((actual) => test(fold(actual)));
  return found.some((actual) => test(fold(actual)));
}
