/** What all commands share: how they show help, refuse arguments and end. */

import { Command } from 'commander';

/** A command with examples under its help: a command line and what it is for, each. */
export function command(name: string, summary: string, description: string, examples: [line: string, what: string][]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}   ${what}`);
  return settled(new Command(name)).summary(summary).description(description).addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Errors are thrown with the exit code in them, and told in one form. */
export function settled(one: Command): Command {
  return one.exitOverride().configureOutput({
    outputError: (text, write) => write(`${text.replace(/^error: /, 'scimlock: ').trimEnd()}\n`),
  }).showHelpAfterError('run with --help to see what it takes').helpOption('-h, --help', 'show this');
}
