/** `scimlock check`: what is wrong with a configuration, where, and what to do. */

import type { Findings, RuleReport } from '../gateway.js';
import type { Problem } from '../types.js';
import { command } from './command.js';
import { type Document, type Position, readDocument } from './document.js';
import { inspected } from './engine.js';
import { paint } from './output.js';
import { secretOf } from './secrets.js';

export const check = () => command('check', 'Check a configuration', 'Says what is wrong with a configuration, where, and what to do. Exit code 1 when it would not start.', [
  ['scimlock check c.yaml', 'for people'],
  ['scimlock check c.yaml --rules', 'what each mapping rule does, and why it is not two-way'],
  ['scimlock check c.yaml --json', 'for machines: problems with file, line, JSON pointer and code'],
])
  .argument('<config>', 'the configuration, YAML or JSON')
  .option('--rules', 'show what each mapping rule does')
  .option('--json', 'print findings as one JSON object')
  .action(async (file: string, options: { rules?: boolean; json?: boolean }) => {
    process.exitCode = await run(file, options);
  });

/** Prints all findings; 0 when the gateway would start. */
async function run(file: string, { rules: shown, json }: { rules?: boolean; json?: boolean }): Promise<number> {
  const document = readDocument(file);
  const { problems, secrets, rules } = await inspected(document.json, secretOf);
  const ok = problems.every((problem) => problem.warning);
  const placed = located(problems, document);
  if (json) process.stdout.write(`${JSON.stringify({ file, ok, problems: placed, secrets, rules }, null, 2)}\n`);
  else process.stdout.write(`${[...placed.map((problem) => describe(file, problem)), ...classes(rules, shown === true), ...needs(secrets), summary(file, problems)].join('\n')}\n`);
  return ok ? 0 : 1;
}

/** Problems in the order in which they stand in the file. */
export function located(problems: readonly Problem[], document: Document): (Problem & Position)[] {
  return problems
    .map((problem) => ({ ...problem, ...document.position(problem.pointer) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** One problem for people, with its remedy on a second line. */
export function describe(file: string, { warning, code, line, route, message, remedy }: Problem & Position): string {
  const word = warning ? paint('yellow', 'warning') : paint('red', 'error');
  return `${word} [${code}] ${file}:${line}${route === null ? '' : ` ${route}`}: ${message}\n  ${remedy}`;
}

const CLASSES: Record<RuleReport['class'], [sign: string, words: string]> = {
  'two-way': ['⇄', 'two-way'], 'to-provider': ['→', 'to the provider only'], 'to-idp': ['←', 'to the IdP only'], 'dropped': ['×', 'dropped'],
};

/** What the rules do: each of them, or how many there are of each kind. */
function classes(rules: Findings['rules'], each: boolean): string[] {
  return Object.entries(rules).flatMap(([route, types]) => Object.entries(types).flatMap(([type, { rules: list }]) => {
    const counts = Object.entries(CLASSES).flatMap(([word, [, words]]) => {
      const number = list.filter((rule) => rule.class === word).length;
      return number === 0 ? [] : [`${number} ${words}`];
    });
    if (!each) return list.length === 0 ? [] : [`rules ${route} ${type}: ${counts.join(', ')}`];
    const width = Math.max(...list.map(({ idp = '' }) => idp.length));
    return [paint('bold', `${route} ${type}: ${counts.join(', ') || 'everything passes'}`), ...list.map((rule) => {
      const [sign] = CLASSES[rule.class];
      const number = rule.rule.replace(/^.* /, '').padStart(3);
      const reason = [rule.why, rule.lossy === undefined ? undefined : `but ${rule.lossy}`].filter(Boolean).join('; ');
      return `${number} ${(rule.idp ?? '').padEnd(width)} ${sign} ${rule.provider ?? ''}${reason === '' ? '' : `  ${paint('dim', reason)}`}`;
    })];
  }));
}

function needs(secrets: Findings['secrets']): string[] {
  if (secrets.length === 0) return [];
  return [`secrets: ${secrets.map(({ name, set }) => `${name}${set ? '' : ' (not set)'}`).join(', ')}`];
}

function summary(file: string, problems: readonly Problem[]): string {
  const count = (warning: boolean, word: string) => {
    const number = problems.filter((problem) => problem.warning === warning).length;
    return number === 0 ? [] : [`${number} ${word}${number === 1 ? '' : 's'}`];
  };
  return `${file}: ${[...count(false, 'error'), ...count(true, 'warning')].join(', ') || 'ok'}`;
}
