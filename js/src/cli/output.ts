/** What the command line says: refusals, colour where a person looks, JSON that one can read. */

import { closest, distance } from 'fastest-levenshtein';
import { styleText } from 'node:util';

/** What the command line says and ends with: exit code 1. */
export class Refusal extends Error {}

/** Wrong arguments: exit code 2. */
export class Usage extends Error {}

type Style = Parameters<typeof styleText>[0];

/** Text in colour, where standard output is a terminal that has colours and nobody said `NO_COLOR`. */
export function paint(style: Style, text: string): string {
  return process.stdout.isTTY && process.stdout.hasColors() ? styleText(style, text) : text;
}

/** Lines to standard output. */
export function print(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** Lines to standard error. */
export function note(...lines: string[]): void {
  process.stderr.write(lines.map((line) => `${line}\n`).join(''));
}

/** JSON for people: what fits stands on one line. */
export function pretty(value: unknown, indent = ''): string {
  const line = JSON.stringify(value) ?? 'null';
  if (typeof value !== 'object' || value === null || line.length + indent.length <= WIDTH) return spaced(value) ?? line;
  const inner = `${indent}  `;
  const members = Array.isArray(value)
    ? value.map((each) => pretty(each, inner))
    : Object.entries(value).filter(([, each]) => each !== undefined).map(([name, each]) => `${JSON.stringify(name)}: ${pretty(each, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${members.map((member) => inner + member).join(',\n')}\n${indent}${close}`;
}

const WIDTH = 100;

/** One line, with space inside braces and after colons and commas. */
function spaced(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  const members = Object.entries(value).filter(([, each]) => each !== undefined).map(([name, each]) => `${JSON.stringify(name)}: ${spaced(each)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** The words a user may have meant, for error texts. */
export function suggestion(word: string, known: readonly string[]): string {
  if (known.length === 0) return 'there is none';
  const near = closest(word.toLowerCase(), known.map((each) => each.toLowerCase()));
  const best = known.find((each) => each.toLowerCase() === near) ?? near;
  return distance(word.toLowerCase(), near) <= 1 + best.length / 4 ? `did you mean \`${best}\`?` : `there is ${known.map((each) => `\`${each}\``).join(', ')}`;
}

/** Bytes as JSON where they are JSON, else as text. */
export function contentOf(bytes: Uint8Array | string): unknown {
  const text = typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
