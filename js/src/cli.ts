#!/usr/bin/env node
/** The command `scimlock`: reads the arguments and runs one of its commands. */

import { parseArgs, type ParseArgsConfig } from 'node:util';

import { check } from './cli-check.js';
import { Refusal } from './cli-document.js';
import { serve } from './cli-serve.js';

const HELP = `scimlock: a SCIM gateway between an identity provider and a service provider

  scimlock serve FILE [--port 8080] [--host 127.0.0.1]   run the gateway
  scimlock check FILE [--json]                           say what is wrong with a configuration

FILE is a configuration in YAML or JSON. Secrets it names as \${NAME} come from the environment, as
\${file:/path} from files. Audit records go to standard output, a line of JSON each.

  --help      show this
  --version   show the version
`;

/** Put in by the build. */
declare const VERSION: string;

/** Wrong arguments: the command line is to be read again. */
class Usage extends Error {}

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'serve': {
      const { file, values } = parse(rest, { port: { type: 'string', default: '8080' }, host: { type: 'string', default: '127.0.0.1' } });
      const port = Number(values['port']);
      if (!/^\d+$/.test(String(values['port'])) || port > 65535) throw new Usage(`\`${String(values['port'])}\` is no port: write a number from 0 to 65535`);
      return process.exit(await serve(file, port, String(values['host'])));
    }
    case 'check': {
      const { file, values } = parse(rest, { json: { type: 'boolean', default: false } });
      return check(file, values['json'] === true);
    }
    case '--version': case '-V':
      process.stdout.write(`scimlock ${VERSION}\n`);
      return 0;
    case '--help': case '-h': case 'help':
      process.stdout.write(HELP);
      return 0;
    case undefined: throw new Usage('a command is missing');
    default: throw new Usage(`unknown command \`${command}\``);
  }
}

function parse(args: string[], options: NonNullable<ParseArgsConfig['options']>) {
  let parsed;
  try {
    parsed = parseArgs({ args, options: { ...options, help: { type: 'boolean', short: 'h' } }, allowPositionals: true });
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : String(error));
  }
  if (parsed.values['help']) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const [file, ...more] = parsed.positionals;
  if (file === undefined) throw new Usage('the configuration file is missing');
  if (more.length > 0) throw new Usage(`one configuration file is enough: \`${more.join(' ')}\` is left over`);
  return { file, values: parsed.values as Record<string, unknown> };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof Usage) {
    process.stderr.write(`scimlock: ${error.message}\nrun \`scimlock --help\` to see the commands\n`);
    process.exitCode = 2;
  } else if (error instanceof Refusal) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
