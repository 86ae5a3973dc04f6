/** `scimlock explain`: every step of one message's way, with what stood there before and after, and why. */

import { command } from './command.js';
import { type MessageOptions, tryMessage, withMessage } from './message.js';
import { note, paint, pretty, print } from './output.js';
import { ending } from './translate.js';

/** One step as the engine tells it. */
type Step = { step: string } & Record<string, unknown>;

export const explain = () => withMessage(command('explain', 'Explain one message', 'Shows every repair, rule and adaptation on the way of one message, with what stood there before and after and the reason, and what no rule carries.', [
  ['scimlock explain c.yaml patch.json', 'what becomes of a change, step by step'],
  ['scimlock explain c.yaml patch.json --show-values', 'the same with the values'],
  ['scimlock explain c.yaml --to idp answer.json --json', 'for machines: one step a line'],
]))
  .option('--show-values', 'show attribute values, which are personal data (default: masked)')
  .option('--json', 'print each step as a line of JSON')
  .action(async (config: string, file: string | undefined, options: MessageOptions & { json?: boolean; showValues?: boolean }) => {
    const steps: Step[] = [];
    const tried = await tryMessage(config, file, options, {
      onTrace: (line) => steps.push(JSON.parse(line) as Step),
      traceValues: options.showValues === true,
    });
    // The first exchange asks the route for its resource types.
    const begin = steps.map(({ step }) => step).lastIndexOf('request');
    const end = endOf(steps, options.to === 'provider' && (tried.status < 400 || tried.needsState));
    const shown = steps.slice(begin, end);
    if (options.json) print(...shown.map((step) => JSON.stringify(step)));
    else print(...shown.flatMap(describe));
    process.exitCode = options.json ? Number(tried.needsState || tried.status >= 400) : ending(tried);
    if (!options.json && !options.showValues) note(paint('dim', 'values are masked; --show-values shows them'));
  });

/** What an imagined provider answers to the last call, and what is made of it, explains nothing. */
function endOf(steps: Step[], imagined: boolean): number {
  const last = steps.map(({ step }) => step).lastIndexOf('call');
  return imagined && last >= 0 ? last + 1 : steps.length;
}

const WIDTH = 12;

/** A step for people: what happened, then details, indented. */
function describe({ step, ...rest }: Step): string[] {
  const { head, details } = tell(step, rest as Record<string, string>);
  return [`${paint('bold', step.padEnd(WIDTH))}${head}`, ...details.flatMap((line) => line.split('\n')).map((line) => ' '.repeat(WIDTH) + line)];
}

function tell(step: string, { method, url, path, filter, body, status, rule, repair, what, rfc, evidence, before, after, from, to, ...more }: Record<string, string>): { head: string; details: string[] } {
  const changed = [before === undefined ? [] : [`${paint('dim', 'before')} ${show(before)}`], after === undefined ? [] : [`${paint('dim', 'after ')} ${show(after)}`]].flat();
  const others = Object.entries(more).map(([name, value]) => `${paint('dim', name)} ${show(value)}`);
  switch (step) {
    case 'request': case 'call': return { head: `${method} ${url ?? path}${filter === undefined ? '' : `  ${paint('dim', 'filter')} ${filter}`}`, details: [...others, ...(body === undefined ? [] : [show(body)])] };
    case 'message': return { head: body === undefined ? '' : show(body).replaceAll('\n', `\n${' '.repeat(WIDTH)}`), details: [] };
    case 'filter': return { head: `${before} → ${after}`, details: [] };
    case 'reply': case 'answer': return { head: String(status), details: body === undefined ? [] : [show(body)] };
    case 'repair': {
      delete more['operation'];
      return { head: `${paint('yellow', rule ?? '')} ${path}  ${paint('dim', repair ?? '')}`, details: [what ?? '', ...changed, [rfc, evidence].filter(Boolean).join('; ')] };
    }
    case 'rule': return { head: `${paint('cyan', rule ?? '')}  ${[from, to].filter(Boolean).join(' → ')}`, details: [...changed, ...others] };
    case 'dropped': return { head: `${path}  ${paint('dim', more['why'] ?? '')}`, details: more['value'] === undefined ? [] : [show(more['value'])] };
    case 'adaptation': {
      const { fact, ...rest } = more;
      return { head: what ?? '', details: [...changed, ...Object.entries(rest).map(([name, value]) => `${paint('dim', name)} ${show(value)}`), paint('dim', fact ?? '')] };
    }
    default: return { head: [rule, path, what].filter(Boolean).join('  '), details: [...changed, ...[rfc, evidence].filter((text) => text !== undefined), ...others] };
  }
}

/** Texts of the engine as they are, values as JSON. */
function show(value: unknown): string {
  if (typeof value === 'string') return value.startsWith('(') || value.includes(' ') ? value : JSON.stringify(value);
  return pretty(value);
}
