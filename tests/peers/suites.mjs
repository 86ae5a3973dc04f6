// The test suites of others: each answers its checks as `[{ name, passed, reason }]`.

import { fileURLToPath } from 'node:url';

import { output } from './process.mjs';
import { python } from './python.mjs';

/** The longest a suite may take. */
const LIMIT = 60_000;

/** How each is run, and how its output is read. Skipped checks are none. */
export const SUITES = {
  'scim2-tester': {
    command: ({ base, token }) => python(fileURLToPath(new URL('tester.py', import.meta.url)), base, token),
    read: (text) => text.trim().split('\n').map((line) => JSON.parse(line)),
  },
  'scim-sanity': {
    command: ({ base, token }) => python('-m', 'scim_sanity', 'probe', base, '--token', token, '--compat', '--json-output', '--i-accept-side-effects'),
    read: (text) => {
      // What it finds besides is said in further results of the same name; what the lenient mode only warns of is still a fault.
      const checks = new Map();
      for (const { name, phase, status, message: reason } of JSON.parse(text).results) {
        const check = { name: `${phase}: ${name}`, passed: status === 'pass', reason };
        if (status !== 'skip' && checks.get(check.name)?.passed !== false) checks.set(check.name, check);
      }
      return [...checks.values()];
    },
  },
};

/** Runs one against a server or gateway. */
export async function runSuite(name, server) {
  const [command, args, env] = SUITES[name].command(server);
  const { code, output: text, log } = await output(command, args, { env, within: LIMIT });
  try {
    return SUITES[name].read(text);
  } catch {
    throw new Error(`${name} ended with ${code}:\n${text.slice(-2000)}\n${log.slice(-2000)}`);
  }
}
