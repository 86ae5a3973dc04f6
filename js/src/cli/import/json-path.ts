/** JSONPath and conditions over it, as SCIM paths and filters; what SCIM cannot say is an error with the reason. */

export class NotSaid extends Error {}

/** A path such as `$.emails[?(@.type == 'work')].value` as a SCIM path; `''` for the whole resource. */
export function pathOf(text: string): string {
  let rest = text.trim();
  if (!rest.startsWith('$')) throw new NotSaid(`\`${text}\` does not begin with \`$\``);
  rest = rest.slice(1);
  let path = '';
  while (rest !== '') {
    const name = /^\.?\[(?:'([^']+)'|"([^"]+)")\]|^\.([^.[\]]+)/.exec(rest);
    const filter = /^\[\?\((.*?)\)\]/.exec(rest);
    const index = /^\[(\d+|\*)\]/.exec(rest);
    const found = name ?? filter ?? index;
    if (!found) throw new NotSaid(`\`${rest}\` is no path that SCIM has`);
    rest = rest.slice(found[0].length);
    if (name) path += (path === '' ? '' : /^urn:[^\[\].]*(?:\d\.\d)?[^\[\].]*$/i.test(path) ? ':' : '.') + (name[1] ?? name[2] ?? name[3] ?? '');
    else if (filter) path += /^@\.value$/.test(filter[1] ?? '') ? '' : `[${filterOf(filter[1] ?? '', '@')}]`;
    else if (index?.[1] === '0') path += '[primary eq true]';
    else if (index?.[1] !== '*' || rest !== '') throw new NotSaid(`element ${index?.[1]} of a list has no path in SCIM`);
  }
  return path;
}

const COMPARISONS: Record<string, string> = { '==': 'eq', '===': 'eq', '!=': 'ne', '!==': 'ne', '>': 'gt', '>=': 'ge', '<': 'lt', '<=': 'le' };

/** A condition such as `($.a EMPTY false) && $.b == 'x'` as a SCIM filter. */
export function filterOf(text: string, root = '$'): string {
  const tokens = text.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[$@](?:\.?\[(?:'[^']*'|"[^"]*"|\?\([^)]*\)|\d+|\*)\]|\.[\w-]+)*|[=!]==?|[<>]=?|&&|\|\||[()]|[\w.-]+|\S/g) ?? [];
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const refuse = (what: string): never => {
    throw new NotSaid(`the condition \`${text.trim()}\` cannot be said as a SCIM filter (${what || 'it ends early'})`);
  };
  const joined = (part: () => string, operator: string, word: string): string => {
    const parts = [part()];
    while (tokens[at] === operator) {
      at += 1;
      parts.push(part());
    }
    return parts.length === 1 ? (parts[0] ?? '') : parts.join(` ${word} `);
  };
  const either = (): string => joined(() => joined(one, '&&', 'and'), '||', 'or');
  const one = (): string => {
    const token = next();
    if (token === '(') {
      const inner = either();
      if (next() !== ')') refuse('a parenthesis is not closed');
      return / (and|or) /.test(inner) ? `(${inner})` : inner;
    }
    if (!token.startsWith(root)) refuse(token);
    const path = root === '@' ? token.replace(/^@\./, '') : pathOf(token);
    const operator = next();
    if (operator === 'EMPTY') {
      const empty = next();
      return empty === 'false' ? `${path} pr` : empty === 'true' ? `not (${path} pr)` : refuse(empty);
    }
    const comparison = COMPARISONS[operator] ?? refuse(operator);
    const literal = next();
    const quoted = /^(['"])([^]*)\1$/.exec(literal);
    if (!quoted && !/^(true|false|null|-?\d+(\.\d+)?)$/.test(literal)) refuse(literal);
    return `${path} ${comparison} ${quoted ? JSON.stringify(quoted[2]) : literal}`;
  };
  const filter = either();
  if (at < tokens.length) refuse(tokens[at] ?? '');
  return filter;
}
