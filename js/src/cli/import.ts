/** `scimlock import`: a configuration made of the mapping that another product exports. */

import { Command } from 'commander';
import { existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

import { command, settled } from './command.js';
import { readJson } from './files.js';
import { type Draft, settle } from './import/draft.js';
import formats from './import/formats.json' with { type: 'json' };
import { readSynchronizationSchema } from './import/synchronization-schema.js';
import { type Steps, readTransformations } from './import/transformations.js';
import { Refusal, note } from './output.js';

interface ImportOptions {
  output?: string;
  idp: string;
  provider: string;
}

export const imports = (): Command => {
  const group = settled(new Command('import')).summary('Make a configuration of another product\'s mapping').description('Makes a configuration of the mapping that another product exports. Lines that need a human say TODO.');
  for (const [name, { format, summary, description, profile, example, ...more }] of Object.entries(formats)) {
    const read = (value: unknown, file: string, { idp, provider }: ImportOptions): Draft => (format === 'transformations'
      ? readTransformations(value, file, idp, provider, 'steps' in more ? (more.steps as Steps) : {})
      : readSynchronizationSchema(value, file, idp, provider));
    group.addCommand(command(name, summary, description, [
      [`scimlock import ${name} ${example} -o scimlock.yaml`, 'writes the configuration and says what is left to do'],
    ])
      .argument('<file>', 'the exported JSON (`-`: standard input)')
      .option('-o, --output <file>', 'where to write to (default: standard output)')
      .option('--idp <profile>', 'the IdP\'s profile', profile)
      .option('--provider <profile>', 'the provider\'s profile', 'generic')
      .action((file: string, options: ImportOptions) => run(file, options, read)));
  }
  return group;
};

async function run(file: string, options: ImportOptions, read: (value: unknown, file: string, options: ImportOptions) => Draft): Promise<void> {
  if (options.output !== undefined && existsSync(options.output)) throw new Refusal(`error ${options.output}: the file is there already; name another one`);
  const { value } = readJson(file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(`error ${file}: this is not an exported mapping: it is no JSON object`);
  const draft = read(value, basename(file), options);
  const { yaml, todos } = await settle(draft);
  if (options.output === undefined) process.stdout.write(yaml);
  else writeFileSync(options.output, yaml);
  const rules = Object.values(draft.rules).flat();
  const gaps = rules.filter(({ gap }) => gap !== undefined).length;
  note(`${rules.length - gaps} rules, ${gaps} that could not be said; ${todos.length} lines need a human: ${todos.join(', ')}`);
}
