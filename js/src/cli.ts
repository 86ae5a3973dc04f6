#!/usr/bin/env node
/** The command `scimlock`: one file a command in `cli/`. Exit codes: 0 done, 1 refused or failed, 2 wrong arguments. */

import { Command, CommanderError } from 'commander';

import { check } from './cli/check.js';
import { settled } from './cli/command.js';
import { explain } from './cli/explain.js';
import { imports } from './cli/import.js';
import { matrix } from './cli/matrix.js';
import { Refusal, Usage } from './cli/output.js';
import { profile, profiles } from './cli/profiles.js';
import { serve } from './cli/serve.js';
import { test } from './cli/test.js';
import { hash, token } from './cli/token.js';
import { translate } from './cli/translate.js';
import { ConfigError } from './errors.js';

/** Put in by the build. */
declare const VERSION: string;

const program = settled(new Command('scimlock'))
  .description('A SCIM gateway between an identity provider and a service provider.')
  .version(`scimlock ${VERSION}`, '-V, --version', 'show the version')
  .helpCommand('help [command]', 'show what a command takes')
  .addHelpText('after', `
Configurations are YAML or JSON. Secrets they name as \${NAME} come from the environment, as \${file:/path} from files.
Exit codes: 0 done, 1 refused or something was found, 2 wrong arguments.`);

program.commandsGroup('Run:');
program.addCommand(serve()).addCommand(check());
program.commandsGroup('Try:');
program.addCommand(translate()).addCommand(explain()).addCommand(test());

program.commandsGroup('Begin:');
program.addCommand(profiles()).addCommand(profile()).addCommand(matrix()).addCommand(imports());
program.commandsGroup('Secrets:');
program.addCommand(token()).addCommand(hash());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Usage) {
    process.stderr.write(`scimlock: ${error.message}\nrun with --help to see what it takes\n`);
    process.exitCode = 2;
  } else if (error instanceof Refusal) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else if (error instanceof ConfigError) {
    process.stderr.write(error.problems.map(({ code, message, remedy }) => `error [${code}] ${message}\n  ${remedy}\n`).join(''));
    process.exitCode = 1;
  } else {
    throw error;
  }
}
