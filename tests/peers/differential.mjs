// Compares the engine with others' implementations on generated input: filters with scim2-parse-filter and the crate scim_v2, PATCH with
// scim-patch, validation with scim2-models. Where they differ, `differences.mjs` names the sentence of the RFC that decides.

import { spawnSync } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath } from 'node:url';

import scimPatch from 'scim-patch';
import { filter as matcher, parse } from 'scim2-parse-filter';

import * as differences from './differences.mjs';
import { filterAdapted, marks, withoutMarks } from './known.mjs';
import { python } from './python.mjs';
import { PATCH_OP, filter, operations, randomFrom, resource, user } from './random.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** How many problems are shown. */
const SHOWN = process.argv.includes('--verbose') ? Infinity : 10;

const met = new Map(Object.values(differences).flat().map((each) => [each, 0]));
const problems = [];
let passed = 0;
for (const [name, run] of [['filters', filters], ['in Rust', crateFilters], ['PATCH', patches], ['validation', creations]]) {
  let [alike, decided] = [0, 0];
  for (const { differs, by, ...found } of run()) {
    if (!differs) alike += 1;
    else if (by) decided += 1;
    else problems.push(`${name}: ${differs}\n${JSON.stringify(found)}`);
    for (const each of by ?? []) met.set(each, met.get(each) + 1);
  }
  passed += alike + decided;
  process.stdout.write(`${name.padEnd(12)}${String(alike).padStart(6)} alike,${String(decided).padStart(6)} decided by the RFC\n`);
}
for (const [{ what }, times] of met) if (!times) problems.push(`no case shows what is listed: ${what}`);
for (const problem of problems.slice(0, SHOWN)) process.stdout.write(`${problem}\n`);
process.stdout.write(`${passed} passed, ${problems.length} failed\n`);
process.exitCode = problems.length || !passed ? 1 : 0;

/** The engine's answers to all cases. */
function engine(cases) {
  return answers([process.env.CARGO ?? 'cargo', ['run', '--quiet', '--package', 'scimlock-peers', '--bin', 'differential'], {}], cases);
}

function answers([command, args, env], cases) {
  const input = cases.map((each) => `${JSON.stringify(each)}\n`).join('');
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, env: { ...process.env, ...env }, input, encoding: 'utf8', maxBuffer: 2 ** 30, timeout: 300_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? status}\n${stderr.slice(-2000)}`);
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}

/** The result, or that it was refused. */
function attempt(work) {
  try {
    return { result: work() };
  } catch (error) {
    return { refused: error.message };
  }
}

function* filters() {
  const random = randomFrom(1);
  const cases = Array.from({ length: 20_000 }, () => ({ do: 'filter', filter: filter(random), resource: user(random) }));
  for (const [at, ours] of engine(cases).entries()) {
    const { filter: text, resource } = cases[at];
    const theirs = attempt(() => matcher(parse(text))(resource));
    const found = { filter: text, resource, ours, theirs };
    if (ours.refused && theirs.refused) {
      yield found;
    } else if (ours.refused || theirs.refused) {
      found.differs = 'one side refuses the filter';
      const by = differences.refusedFilters.filter((each) => ours.refused && each.when(text, ours.refused[0][1]));
      yield { ...found, by: by.length ? by : undefined };
    } else if (attempt(() => matcher(parse(ours.printed))(resource)).result !== theirs.result) {
      yield { ...found, differs: 'the filter as written means something else' };
    } else {
      yield ours.matches === theirs.result ? found : { ...found, differs: 'the filter matches on one side', by: decidedFilter(parse(text), resource, ours.matches) };
    }
  }
}

/** The same texts for the crate scim_v2: each side reads what the other writes. */
function* crateFilters() {
  const random = randomFrom(4);
  const cases = Array.from({ length: 20_000 }, () => ({ do: 'filter', by: 'scim_v2', filter: filter(random) }));
  for (const [at, { same, kept, ours, theirs }] of engine(cases).entries()) {
    const found = { filter: cases[at].filter, ours, theirs };
    if (same && kept) yield found;
    else {
      const by = differences.crateFilters.filter((each) => each.when(found));
      yield { ...found, differs: ours === theirs ? 'what one writes the other reads as something else' : 'one side refuses the filter', by: by.length ? by : undefined };
    }
  }
}

/** The differences that explain a result: theirs, given what the RFC says instead. */
function decidedFilter(node, resource, wanted) {
  const { by, matches } = filterAdapted(node, resource);
  return matches === wanted && by.length ? by : undefined;
}

function* patches() {
  const random = randomFrom(2);
  const cases = Array.from({ length: 20_000 }, () => ({ do: 'patch', resource: user(random), patch: { schemas: [PATCH_OP], Operations: operations(random) } }));
  for (const [at, ours] of engine(cases).entries()) {
    const { resource, patch: { Operations } } = cases[at];
    const found = { Operations, resource, ours, theirs: patched(resource, Operations) };
    const { by, ...decided } = decidedPatch(resource, Operations);
    if (!agree(ours, found.theirs)) yield { ...found, differs: ours.refused || found.theirs.refused ? 'one side refuses the patch' : 'the results differ', by: agree(ours, decided) ? by : undefined };
    else if (ours.refused) yield found;
    else {
      // What the engine writes, as read and as a difference, must do to them what it does to the engine.
      const rewritten = ['written', 'difference'].filter((way) => ours[way].Operations.length && !agree(ours, decidedPatch(resource, ours[way].Operations)));
      yield rewritten.length ? { ...found, differs: `what the engine writes does something else: ${rewritten}` } : found;
    }
  }
}

function agree(ours, theirs) {
  return ours.refused ? Boolean(theirs.refused) : !theirs.refused && isDeepStrictEqual(assigned(ours.resource), assigned(theirs.result));
}

function patched(resource, operations) {
  return attempt(() => scimPatch.scimPatch(structuredClone(resource), structuredClone(operations), { mutateDocument: true, treatMissingAsAdd: false }));
}

/** Their result of the operations that give what the RFC says, and the differences that this takes. */
function decidedPatch(resource, operations) {
  const by = new Set();
  let state = resource;
  for (const operation of operations) {
    const [instead, marked] = marks(operation, state);
    let applied = instead;
    for (const each of differences.patches) {
      const other = applied && each.adapt?.(applied, marked);
      if (other === undefined || other === null && applied === null) continue;
      by.add(each);
      if (other === 'refuse') return { refused: each.what, by: [...by] };
      applied = other;
    }
    const next = applied ? patched(marked, [applied]) : { result: marked };
    if (next.refused) return { ...next, by: [...by] };
    state = next.result;
    for (const each of differences.patches.filter(({ after }) => after)) {
      const other = each.after(instead, marked, structuredClone(state));
      if (!isDeepStrictEqual(other, state)) by.add(each);
      state = other;
    }
    state = withoutMarks(state);
  }
  return { result: state, by: [...by] };
}

/** With lists in any order, without what is unassigned (RFC 7643 section 2.5) and without `schemas`, which follows from the rest. */
function assigned(value, top = true) {
  if (Array.isArray(value)) return value.map((each) => JSON.stringify(Object.entries(assigned(each, false)).sort())).filter((text) => text !== '[]').sort();
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).map(([key, each]) => [key, assigned(each, false)])
    .filter(([key, each]) => !(top && key === 'schemas') && each !== null && !(typeof each === 'object' && Object.keys(each).length === 0));
  return Object.fromEntries(kept);
}

function* creations() {
  const random = randomFrom(3);
  const cases = Array.from({ length: 6_000 }, () => ({ do: 'create', resource: resource(random) }));
  const models = answers(python(fileURLToPath(new URL('models.py', import.meta.url))), cases);
  for (const [at, ours] of engine(cases).entries()) {
    const sides = { engine: named(ours.refused), models: named(models[at].refused) };
    const found = { resource: cases[at].resource, ...sides };
    // The engine names all problems of a user that it can read; the model may stop at some.
    const unread = sides.engine.some(({ message }) => /two members of the same name/.test(message));
    const alone = unread ? [] : sides.models.filter(({ path }) => !sides.engine.some((problem) => problem.path === path)).map((problem) => ({ side: 'models', ...problem }));
    if (!sides.models.length) alone.push(...sides.engine.map((problem) => ({ side: 'engine', ...problem })));
    const held = (path) => Object.entries(found.resource).find(([name]) => name.toLowerCase() === path)?.[1];
    const by = alone.map(({ side, path, message }) => differences.creations.find((each) => each.side === side && each.path.test(path) && each.message.test(message) && (each.when?.(held(path)) ?? true)));
    yield alone.length ? { ...found, alone, differs: 'one side names a problem', by: by.every(Boolean) ? by : undefined } : found;
  }
}

/** Problems by top-level attribute: the two tell the rest apart in different ways. Their model has some problems without a place. */
function named(refused = []) {
  return refused.map(([path, message]) => {
    const said = /^(?:Field '(\w+)'|(schemas) must|Unknown extension (schemas))/.exec(message);
    const attribute = path.startsWith('urn:') ? path : (path || said?.slice(1).find(Boolean) || '').split('.')[0];
    return { path: attribute.replace(/(:User)[.:].*/, '$1').toLowerCase(), message };
  });
}
