// The SCIM servers of others, each a process of its own that keeps its resources in memory.

import { fileURLToPath } from 'node:url';

import { python, script } from './python.mjs';
import { server } from './process.mjs';

const TOKEN = 'provider-secret';

/** How each is started; `faults`: it fails checks of the suites, which the gateway has to lessen. */
export const SERVERS = {
  'scim2-server': {
    path: '',
    command: (port) => python(script('scim2-server'), '--port', String(port), '--bearer-token', TOKEN),
  },
  'scimmy-routers': {
    path: '/scim',
    faults: true,
    command: (port) => [process.execPath, [fileURLToPath(new URL('scimmy.mjs', import.meta.url)), String(port), TOKEN], {}],
  },
};

/** Starts one: `{ base, token, port, stop() }`. */
export async function startServer(name) {
  const { path, command } = SERVERS[name];
  const { port, stop } = await server(command);
  return { base: `http://127.0.0.1:${port}${path}`, token: TOKEN, port, stop };
}
