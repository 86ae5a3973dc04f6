// Runs the test suites of others against the SCIM servers of others, directly and through the gateway, and prints what the
// gateway adds. What passes directly must pass through the gateway; in front of a server with faults, more must pass, in front of another one all.

import { readFileSync } from 'node:fs';

import { gateways } from './gateways.mjs';
import { stopAll } from './process.mjs';
import { SERVERS, startServer } from './servers.mjs';
import { SUITES, runSuite } from './suites.mjs';

/** Checks that do not pass through the gateway yet, and why. One that passes must be taken off the list. */
const GAPS = {};

const verbose = process.argv.includes('--verbose');
const rows = [];
const problems = [];
const gapsSeen = new Set();
let passed = 0;
try {
  for (const suite of Object.keys(SUITES)) {
    for (const [server, { faults }] of Object.entries(SERVERS)) {
      const [direct, ...through] = await Promise.all([undefined, ...gateways].map((gateway) => play(suite, server, gateway)));
      rows.push([suite, server, 'directly', direct]);
      for (const [at, checks] of through.entries()) {
        const { name } = gateways[at];
        rows.push([suite, server, `through the gateway in ${name}`, checks]);
        passed += checks.filter((check) => check.passed).length;
        problems.push(...judge(direct, checks, faults).map((text) => `${suite}, ${server}, ${name}: ${text}`));
      }
    }
  }
  problems.push(...staleReadme());
  for (const name of Object.keys(GAPS)) if (!gapsSeen.has(name)) problems.push(`${name} passes: take it off the list of gaps`);
} finally {
  await stopAll();
}

for (const [suite, server, way, checks] of rows) {
  const failed = checks.filter((check) => !check.passed);
  const columns = [suite.padEnd(14), server.padEnd(16), way.padEnd(30), String(checks.length - failed.length).padStart(4), `of ${checks.length}`];
  process.stdout.write(`${columns.join(' ')}\n`);
  if (verbose) for (const { name, reason } of failed) process.stdout.write(`    ${name}: ${reason}\n`);
}
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${passed} passed, ${problems.length} failed\n`);
process.exitCode = problems.length || !passed ? 1 : 0;

/** One run of a suite, on a server without resources: `[{ name, passed, reason }]`. */
async function play(suite, server, gateway) {
  const provider = await startServer(server);
  const front = gateway ? await gateway.start(provider) : provider;
  try {
    return await runSuite(suite, front);
  } finally {
    await front.stop();
    await provider.stop();
  }
}

/** The lines of the README's table that say something else than what came out. */
function staleReadme() {
  const lines = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').split('\n');
  const result = (checks) => `${checks.filter((check) => check.passed).length} of ${checks.length}`;
  return Object.keys(SUITES).flatMap((suite) => Object.keys(SERVERS).flatMap((server) => {
    const results = [...new Set(rows.filter((row) => row[0] === suite && row[1] === server).map((row) => result(row[3])))];
    const said = lines.find((line) => line.startsWith(`| ${suite} `) && line.includes(`| ${server} `))?.match(/\d+ of \d+/g) ?? [];
    return [...new Set(said)].join() === results.join() ? [] : [`README.md says ${said.join(', ')} for ${suite} and ${server}: it is ${results.join(', ')}`];
  }));
}

/** What is worse through the gateway than directly. */
function judge(direct, through, faults) {
  const found = [];
  const count = (checks, name, passes) => checks.filter((check) => check.name === name && check.passed === passes).length;
  for (const name of new Set([...direct, ...through].map((check) => check.name))) {
    if (count(through, name, true) >= count(direct, name, true) && count(through, name, false) <= count(direct, name, false)) continue;
    const reason = through.find((check) => check.name === name && !check.passed)?.reason ?? 'was not run';
    if (GAPS[name]) gapsSeen.add(name);
    else found.push(`${name}: ${reason}`);
  }
  const sum = (checks) => checks.filter((check) => check.passed).length;
  if (faults && sum(through) <= sum(direct)) found.push('no more checks pass than directly');
  if (!faults && sum(through) < through.length) found.push('not every check passes');
  return found;
}
