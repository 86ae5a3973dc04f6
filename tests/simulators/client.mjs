// What the simulators' tests speak to them with.
import { after, before } from 'node:test';

import { createSimulator } from './server.mjs';

/** Serves a provider for the tests of a suite: a function that sends a request and answers what came back, and the rules it broke. */
export function serve(provider, options) {
  let simulator;
  let root;
  before(async () => {
    simulator = await createSimulator(provider, options);
    root = `http://127.0.0.1:${await simulator.listen()}${simulator.base}`;
  });
  after(() => simulator.close());
  const call = async (method, path, body, headers) => {
    const fields = { authorization: 'Bearer c', 'content-type': 'application/scim+json', ...headers };
    for (const name of Object.keys(fields)) if (fields[name] === undefined) delete fields[name];
    const response = await fetch(root + path, { method, headers: fields, body: typeof body === 'object' ? JSON.stringify(body) : body });
    const text = await response.text();
    const rules = simulator.log.at(-1)?.violations.map(({ rule }) => rule);
    return { status: response.status, headers: response.headers, body: json(text), rules };
  };
  return Object.assign(call, { provider: () => simulator.provider, service: () => simulator.service });
}

function json(text) {
  try { return text && JSON.parse(text); } catch { return text; }
}
