/** `scimlock test`: runs the golden cases that stand beside a configuration. */

import { diffLines } from 'diff';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import { Failed } from '../provider.js';
import { Fault } from '../engine.js';
import type { RawResponse } from '../types.js';
import { type Case, ENGINE_HEADERS, bytesOf, checkCase, compareAnswer, compareCall, mergePatch, withDefaults, withoutIds } from './cases.js';
import { command } from './command.js';
import { readJson } from './files.js';
import { Refusal, contentOf, note, paint, pretty, print } from './output.js';
import { type Config, gatewayFor, readConfig } from './trial.js';

interface TestOptions {
  config?: string;
  update?: boolean;
  json?: boolean;
}

export const test = () => command('test', 'Run golden cases beside a configuration', 'Runs golden cases: what the IdP sends, what the provider must get, what the IdP must be told.', [
  ['scimlock test', 'the cases in this folder and below'],
  ['scimlock test cases --config c.yaml', 'those in `cases`, with this configuration'],
  ['scimlock test --update', 'write what comes out into the cases; review the differences'],
])
  .argument('[dir]', 'a folder with cases, or one case', '.')
  .option('--config <file>', 'the configuration (default: the nearest scimlock.yaml or scimlock.json at or above a case)')
  .option('--update', 'rewrite what the cases expect')
  .option('--json', 'print results as one JSON object')
  .addHelpText('after', `
A case is a JSON file. The least one, which --update completes:

  { "note": "a new user",
    "steps": [ { "idp": { "method": "POST", "path": "/scim/v2/Users",
                          "headers": { "authorization": "Bearer test" }, "body": { … } } } ] }

Every route takes the token \`test\`; the provider's credential is not used and no network either.`)
  .action(async (dir: string, options: TestOptions) => {
    process.exitCode = await run(dir, options);
  });

/** One difference: what was compared, what was expected, what came. */
interface Difference {
  what: string;
  wanted: string;
  got: string;
}

async function run(dir: string, { config, update, json }: TestOptions): Promise<number> {
  if (update && process.env['CI']) throw new Refusal('scimlock: --update is for people: in CI nobody reviews what it writes');
  const files = casesIn(dir);
  if (files.length === 0) throw new Refusal(`error ${dir}: there is no case: a case is a JSON file with \`steps\` (see scimlock test --help)`);
  const configs = new Map<string, Promise<Config>>();
  const results: { file: string; note: string; differences: Difference[] }[] = [];
  let written = 0;
  for (const file of files) {
    const one = checked(file);
    const name = config ?? configOf(file, one);
    if (!configs.has(name)) configs.set(name, readConfig(name));
    const patched = mergePatch(await configs.get(name), one.with ?? {}) as Config;
    const { differences, steps } = await play(one, patched);
    results.push({ file, note: one.note, differences });
    if (update && differences.length > 0) {
      written += 1;
      rewrite(file, { ...one, steps });
    } else if (!json) {
      report(file, one.note, differences);
    }
  }
  const failed = update ? 0 : results.filter(({ differences }) => differences.length > 0).length;
  if (json) print(pretty({ passed: results.length - failed, failed, cases: results }));
  else print(update ? `${written} of ${results.length} cases written` : `${paint(failed > 0 ? 'red' : 'green', `${results.length - failed} passed${failed > 0 ? `, ${failed} failed` : ''}`)}`);
  if (failed > 0 && !json) note('if what came is what you want: scimlock test --update');
  return failed > 0 ? 1 : 0;
}

/** The files with `steps` at or below a path. */
function casesIn(path: string): string[] {
  if (!existsSync(path)) throw new Refusal(`error ${path}: no such file or folder`);
  if (!statSync(path).isDirectory()) return [path];
  const inside = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return inside.flatMap((entry) => {
    const file = join(path, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || entry.name === 'node_modules' ? [] : casesIn(file);
    return entry.name.endsWith('.json') && isCase(file) ? [file] : [];
  });
}

function isCase(file: string): boolean {
  const text = readFileSync(file, 'utf8');
  // A broken file that looks like a case is told of, not passed over.
  return /"steps"\s*:/.test(text) && !Array.isArray(contentOf(text));
}

function checked(file: string): Case {
  const { value } = readJson(file);
  try {
    // The answer may still be to come.
    const draft = value as Case;
    const last = Array.isArray(draft.steps) ? draft.steps.at(-1) : undefined;
    const complete = last?.idp?.expect ? draft : { ...draft, steps: [...(draft.steps ?? []), { idp: { expect: { status: 0 } } }] };
    return checkCase(file, complete, ['note', 'steps']);
  } catch (error) {
    throw new Refusal(`error ${error instanceof Error ? error.message : String(error)}`);
  }
}

function configOf(file: string, one: Case): string {
  const folder = dirname(resolve(file));
  if (one.config !== undefined) {
    const found = [one.config, join(one.config, 'scimlock.yaml'), join(one.config, 'scimlock.json')].map((name) => resolve(folder, name)).find(isFile);
    if (!found) throw new Refusal(`error ${file}: there is no configuration at \`${one.config}\`, seen from the case's folder`);
    return relative('.', found);
  }
  for (let above = folder; ; above = dirname(above)) {
    const found = ['scimlock.yaml', 'scimlock.json'].map((name) => join(above, name)).find(isFile);
    if (found) return relative('.', found);
    if (above === dirname(above)) throw new Refusal(`error ${file}: there is no scimlock.yaml beside the case or above it: name one with --config`);
  }
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** Plays a case; answers what differs, and the steps as they came out. */
async function play(one: Case, config: Config): Promise<{ differences: Difference[]; steps: unknown[] }> {
  const differences: Difference[] = [];
  const steps: unknown[] = [];
  const same = (text: string): string => text;
  const say = (side: string) => (what: string, wanted: string, got: string) => void differences.push({ what: `to the ${side}: ${what}`, wanted, got });
  let now = Date.parse(one.now ?? '2026-01-01T00:00:00Z');
  let script: any[] = [];
  const fetch = async (input: unknown, { method = 'GET', headers, body }: RequestInit = {}): Promise<Response> => {
    const { pathname, search } = new URL(String(input));
    const call = { method, path: pathname + search, headers: headers as [string, string][], body: (body ?? new Uint8Array()) as Uint8Array };
    const step = script.shift();
    if (step) compareCall(step.expect, call, same, say('provider'));
    else say('provider')('request', 'none', `${method} ${call.path}`);
    const { expect, side = 'provider', ...reaction } = step ?? { expect: {}, reply: obliging(call) };
    steps.push({ [side]: { expect: expected(call, expect), ...reaction } });
    if (reaction.fault) throw new Failed(reaction.fault === 'timeout' ? Fault.Timeout : Fault.Reset);
    const { status, headers: fields, ...content } = reaction.reply;
    return new Response(bytesOf(content) ?? null, { status, headers: withDefaults(fields, content) });
  };
  const gateway = await gatewayFor(config, undefined, 'test', { fetch, now: () => now, onMetric: () => {} });
  let answer: RawResponse | undefined;
  const pending = [...one.steps];
  while (pending.length > 0) {
    const step = pending.shift();
    if (step.now) now = Date.parse(step.now);
    if (step.provider || step.issuer) continue;
    if (!step.idp.expect) {
      steps.push(step);
      const next = pending.findIndex((later) => later.idp);
      script = pending.slice(0, next < 0 ? undefined : next).map((later) => later.provider ?? { side: 'issuer', ...later.issuer });
      answer = await send(gateway, step.idp);
      continue;
    }
    if (answer) {
      compareAnswer(step.idp.expect, answer, same, say('IdP'));
      steps.push({ ...step, idp: { expect: answered(answer) } });
    }
    for (const { expect } of script.splice(0)) say('provider')('request', `${expect.method} ${expect.path}`, 'none');
  }
  return { differences, steps };
}

function send(gateway: Awaited<ReturnType<typeof gatewayFor>>, { method, path, headers, chunks, ...content }: any): Promise<RawResponse> {
  const fields = withDefaults(headers, content);
  if (!fields.some(([name]) => name === 'host')) fields.unshift(['host', 'scim.acme.example']);
  const body = bytesOf(content);
  return gateway.handle({ method, path, headers: fields, body: body && chunks ? pieces(body, chunks) : (body ?? null) });
}

async function* pieces(body: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += length) yield body.subarray(at, at + length);
}

/** What a provider without a script answers. */
function obliging({ method, body }: { method: string; body: Uint8Array }): object {
  if (method === 'PATCH' || method === 'DELETE') return { status: 204 };
  const sent = contentOf(body);
  if (typeof sent === 'object') return { status: method === 'POST' ? 201 : 200, body: { ...sent, id: '42' } };
  return { status: 200, body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults: 0, Resources: [] } };
}

/** What a call is expected to be from now on: the header fields that the case names, method, path and body. */
function expected({ method, path, headers, body }: { method: string; path: string; headers: [string, string][]; body: Uint8Array }, before: any): object {
  const names = Object.keys(before.headers ?? {});
  const kept = names.map((name) => [name, headers.find(([known]) => known === name.toLowerCase())?.[1] ?? null]);
  return { method, path, ...(names.length > 0 ? { headers: Object.fromEntries(kept) } : {}), ...contents(body) };
}

function answered({ status, headers, body }: RawResponse): object {
  const content = contents(body);
  const usual: Record<string, string> = { 'cache-control': 'no-store', ...('body' in content ? { 'content-type': 'application/scim+json' } : {}) };
  const fields = headers.filter(([name, value]) => ENGINE_HEADERS.includes(name) && usual[name] !== value);
  return { status, ...(fields.length > 0 ? { headers: Object.fromEntries(fields) } : {}), ...content };
}

/** Bytes as a case says them: JSON where that says the same bytes. */
function contents(bytes: Uint8Array): object {
  if (bytes.length === 0) return {};
  const text = withoutIds(new TextDecoder().decode(bytes));
  const value = contentOf(text);
  return typeof value === 'object' && JSON.stringify(value) === text ? { body: value } : { text };
}

function rewrite(file: string, one: Case): void {
  const before = readFileSync(file, 'utf8');
  const after = `${pretty(one)}\n`;
  writeFileSync(file, after);
  print(`${paint('yellow', 'written')} ${file}`, ...difference(before, after));
}

function report(file: string, what: string, differences: Difference[]): void {
  const ok = differences.length === 0;
  print(`${ok ? paint('green', 'ok  ') : paint('red', 'FAIL')} ${file}: ${what}`);
  for (const { what: place, wanted, got } of differences) {
    const lines = place.endsWith(': body') ? ['', ...difference(lined(wanted), lined(got))] : [` expected ${wanted}, got ${got}`];
    print(`     ${place}:${lines.join('\n     ')}`);
  }
}

/** JSON with a line for each member. */
function lined(text: string): string {
  const value = contentOf(text);
  return typeof value === 'object' ? `${pretty(value)}\n` : `${text}\n`;
}

/** The lines that differ, with two lines around them. */
function difference(before: string, after: string): string[] {
  const marked = diffLines(before, after).flatMap(({ value, added, removed }) => {
    const lines = value.replace(/\n$/, '').split('\n');
    return lines.map((line) => ({ changed: Boolean(added || removed), line: added ? paint('green', `+ ${line}`) : removed ? paint('red', `- ${line}`) : `  ${line}` }));
  });
  const near = (at: number): boolean => marked.slice(Math.max(0, at - 2), at + 3).some(({ changed }) => changed);
  return marked.flatMap(({ line }, at) => (near(at) ? [line] : near(at - 1) ? [paint('dim', '  …')] : []));
}
