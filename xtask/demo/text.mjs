// How the demo puts things on a terminal: calm, at most 100 columns, colour only where it is wanted.

const WIDTH = Math.min(100, process.stdout.columns || 100);
const COLOUR = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const INDENT = 21;
const MAX_VALUE = 44;

const style = (code) => (text) => (COLOUR && text ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = style(1), dim = style(2), red = style(31), green = style(32), yellow = style(33), cyan = style(36);

/** One line. */
export const say = (line = '') => process.stdout.write(`${line}\n`);

/** A line with something at its right edge. */
export function ruled(left, right, paint = (text) => text) {
  const gap = Math.max(2, WIDTH - left.length - right.length);
  say(`${paint(left)}${' '.repeat(gap)}${dim(right)}`);
}

/** A labelled list of items, wrapped; an item is a text or { text, paint }. */
export function row(label, items, separator = ' · ') {
  let line = `     ${dim(label.padEnd(INDENT - 5))}`;
  let used = INDENT;
  for (const [index, item] of items.entries()) {
    const { text, paint = (plain) => plain } = typeof item === 'string' ? { text: item } : item;
    const gap = index === 0 ? '' : separator;
    for (const [part, piece] of wrapped(text).entries()) {
      const before = part === 0 ? gap : '';
      if (used + before.length + piece.length > WIDTH && used > INDENT) {
        say(line.trimEnd());
        line = ' '.repeat(INDENT);
        used = INDENT;
      } else {
        line += dim(before);
        used += before.length;
      }
      line += paint(piece);
      used += piece.length;
    }
  }
  say(line.trimEnd());
}

// A text longer than a line is cut between words where it has some.
function wrapped(text) {
  const room = WIDTH - INDENT;
  if (text.length <= room) return [text];
  const cut = text.lastIndexOf(' ', room) > room / 2 ? text.lastIndexOf(' ', room) + 1 : room;
  return [text.slice(0, cut), ...wrapped(text.slice(cut))];
}

/** What a message says, as short items: a resource's attributes, a patch's operations, an error's reason. */
export function items(body) {
  if (body === null || typeof body !== 'object') return body === undefined || body === null ? [] : [value(body)];
  if (Array.isArray(body.Operations)) return body.Operations.flatMap(operation);
  if (Array.isArray(body.Resources) || 'totalResults' in body) {
    const names = (body.Resources ?? []).map((one) => one.userName ?? one.displayName ?? one.name ?? one.id);
    return [`${body.totalResults} found`, ...names.map(String)];
  }
  if ('detail' in body && 'status' in body) {
    return [body.scimType, body.detail.replace(/ \(request [0-9a-f]+\)$/, '').replaceAll(/urn:[^`\s]*/g, short)].filter(Boolean);
  }
  const { schemas, meta, ...rest } = body;
  return leaves(rest);
}

function operation({ op, path, value: given }) {
  // A value without a path has keys that are paths.
  if (path === undefined && given && typeof given === 'object') return leaves(given).map((leaf) => `${op} {${leaf}}`);
  return [`${op} ${short(path ?? '')}${given === undefined ? '' : ` ${value(given)}`}`];
}

function leaves(object, prefix = '') {
  return Object.entries(object).flatMap(([key, given]) => {
    const name = `${prefix}${short(key)}`;
    if (Array.isArray(given) && given.some((one) => one && typeof one === 'object')) return given.flatMap((one, index) => element(name, one, index));
    if (given && typeof given === 'object' && !Array.isArray(given)) return leaves(given, /^urn:/i.test(key) ? `${name}:` : `${name}.`);
    return [`${name} ${value(given)}`];
  });
}

// `emails[work] "a@b"`: an element goes by its type, and its value needs no name.
function element(name, { type, ...rest }, index) {
  return leaves(rest, '').map((leaf) => `${name}[${type ?? index}]${leaf.startsWith('value ') ? leaf.slice(5) : `.${leaf}`}`);
}

function value(given) {
  const text = JSON.stringify(given).replaceAll(/urn:[^"]*/g, short);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text;
}

/** `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department` is `enterprise:department`. */
function short(path) {
  return path
    .replace(/^urn:ietf:params:scim:schemas:core:2\.0:(User|Group)/i, 'core')
    .replace(/^urn:ietf:params:scim:schemas:extension:([^:]+):2\.0:(?:User|Group)/i, '$1');
}
