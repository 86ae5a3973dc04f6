/** `scimlock translate`: what of one message is sent to the other side. */

import { command } from './command.js';
import { type MessageOptions, type Tried, tryMessage, withMessage } from './message.js';
import { contentOf, note, paint, pretty, print } from './output.js';

export const translate = () => withMessage(command('translate', 'Translate one message', 'Shows what of one message is sent to the provider, or what of the provider\'s answer the IdP is shown.', [
  ['scimlock translate c.yaml user.json', 'a new user of the IdP, as the provider gets it'],
  ['scimlock translate c.yaml patch.json --type Group --id 42', 'a change of a group'],
  ['scimlock translate c.yaml patch.json --state user.json', 'a change that depends on what the provider has'],
  ['scimlock translate c.yaml --filter \'userName eq "ada"\'', 'a query'],
  ['scimlock translate c.yaml --to idp answer.json', 'a resource or a list of the provider, as the IdP sees it'],
]))
  .option('--json', 'print calls and answer as one JSON object')
  .action(async (config: string, file: string | undefined, options: MessageOptions & { json?: boolean }) => {
    const tried = await tryMessage(config, file, options, {});
    process.exitCode = options.json ? json(tried) : plain(tried, options.to);
  });

function json({ route, calls, status, answer, needsState }: Tried): number {
  print(pretty({ route, needsState, calls: calls.map(({ body, ...call }) => ({ ...call, body: contentOf(body) })), answer: needsState ? undefined : { status, body: contentOf(answer) } }));
  return needsState || status >= 400 ? 1 : 0;
}

function plain(tried: Tried, to: MessageOptions['to']): number {
  if (to === 'idp') {
    if (tried.status < 400) print(pretty(contentOf(tried.answer)));
    return ending(tried);
  }
  tried.calls.forEach(({ method, url, body }, index) => {
    print(...(index > 0 ? [''] : []), `${paint('bold', method)} ${decodeURIComponent(url)}`, ...(body === '' ? [] : [pretty(contentOf(body))]));
  });
  return ending(tried);
}

/** What is left to say at the end; answers the exit code. */
export function ending({ calls, status, answer, needsState }: Tried): number {
  if (needsState) {
    note('', 'what follows depends on what the provider has: give its answer to this request with --state FILE');
    return 1;
  }
  if (status >= 400) {
    const { scimType, detail } = Object(contentOf(answer)) as { scimType?: string; detail?: string };
    note(`refused with ${[status, scimType].filter(Boolean).join(' ')}: ${(detail ?? 'no detail').replace(/ \(request [0-9a-f]+\)$/, '')}`);
    return 1;
  }
  if (calls.length === 0) note(`nothing is sent; the gateway answers ${status} by itself`);
  return 0;
}
