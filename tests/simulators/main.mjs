// Starts a simulated provider: node main.mjs --provider NAME [--port 0] [--lenient] [--log FILE] [--credential TOKEN]
// [--schema FILE] [--invite-only]. NAME: a file in providers/. Prints its address; ends on SIGINT or SIGTERM.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { createSimulator } from './server.mjs';

const { values: options } = parseArgs({
  options: {
    provider: { type: 'string' },
    port: { type: 'string', default: '0' },
    lenient: { type: 'boolean', default: false },
    log: { type: 'string' },
    credential: { type: 'string', default: 'provider-secret' },
    schema: { type: 'string', multiple: true, default: [] },
    'invite-only': { type: 'boolean', default: false },
  },
});

const simulator = await createSimulator(options.provider, {
  strict: !options.lenient,
  log: options.log,
  credential: options.credential,
  inviteOnly: options['invite-only'],
  extensions: options.schema.map((file) => JSON.parse(readFileSync(file, 'utf8'))),
});
const port = await simulator.listen(Number(options.port));
process.stdout.write(`${options.provider} simulator listening on http://127.0.0.1:${port}${simulator.base}\n`);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => simulator.close().then(() => process.exit(0)));
