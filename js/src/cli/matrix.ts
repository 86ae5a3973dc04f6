/** `scimlock matrix`: what works between which IdP and which provider, why not, and what an admin does instead. */

import { command } from './command.js';
import { type Cell, listProfiles, readMatrix } from './engine.js';
import { Refusal, paint, pretty, print, suggestion } from './output.js';

const SIGNS: Record<Cell['state'], [sign: string, style: 'green' | 'yellow' | 'red' | 'cyan']> = {
  'supported': ['●', 'green'], 'emulated': ['◆', 'cyan'], 'limited': ['◐', 'yellow'], 'unsupported': ['–', 'red'], 'not executed': ['!', 'red'],
};

interface MatrixOptions {
  idp?: string;
  provider?: string;
  json?: boolean;
}

export const matrix = () => command('matrix', 'Show what works between an IdP and a provider', 'Shows what works between IdPs and providers: what the one uses, the other can do, or the gateway makes up for. Computed from the profiles.', [
  ['scimlock matrix --idp NAME --provider NAME', 'every capability of a pair, why it is not better, and what an admin does instead'],
  ['scimlock matrix --provider NAME', 'one provider with every IdP'],
  ['scimlock matrix', 'how many capabilities work for each pair'],
])
  .option('--idp <profile>', 'only this IdP')
  .option('--provider <profile>', 'only this provider')
  .option('--json', 'print cells as JSON')
  .action(async ({ idp, provider, json }: MatrixOptions) => {
    const all = await readMatrix();
    for (const [side, name] of [['idp', idp], ['provider', provider]] as const) {
      const names = [...new Set(all.map((cell) => cell[side]))];
      if (name !== undefined && !names.includes(name)) throw new Refusal(`scimlock: there is no ${side === 'idp' ? 'IdP' : 'provider'} \`${name}\`: ${suggestion(name, names)}`);
    }
    const cells = all.filter((cell) => (idp === undefined || cell.idp === idp) && (provider === undefined || cell.provider === provider));
    if (json) print(pretty(cells));
    else if (idp !== undefined && provider !== undefined) print(...(await pair(cells)));
    else if (idp !== undefined) print(...grid(cells, 'provider'));
    else if (provider !== undefined) print(...grid(cells, 'idp'));
    else print(...summary(cells));
  });

/** Every capability of one pair. */
async function pair(cells: Cell[]): Promise<string[]> {
  const width = Math.max(...cells.map(({ capability }) => capability.length));
  const [first] = cells;
  const title = (await listProfiles()).filter(({ name }) => name === first?.idp || name === first?.provider);
  const versions = title.filter(({ version }) => version !== null).map((each) => `${each.title}: version ${each.version}`);
  return [
    ...versions.map((line) => paint('dim', line)),
    ...cells.flatMap(({ capability, state, why, manual }) => [
      `${paint(SIGNS[state][1], SIGNS[state][0])} ${capability.padEnd(width)}  ${state}${why === undefined ? '' : `: ${why}`}`,
      ...(manual === undefined ? [] : [`  ${' '.repeat(width)}  ${paint('dim', `by hand: ${manual}`)}`]),
    ]),
  ];
}

/** Capabilities by the profiles of the other side. */
function grid(cells: Cell[], side: 'idp' | 'provider'): string[] {
  const columns = [...new Set(cells.map((cell) => cell[side]))];
  const rows = [...new Set(cells.map(({ capability }) => capability))];
  const width = Math.max(...rows.map((row) => row.length));
  const cell = (row: string, column: string): string => {
    const found = cells.find((one) => one.capability === row && one[side] === column);
    const [sign, style] = SIGNS[found?.state ?? 'unsupported'];
    return `${' '.repeat(Math.floor((column.length - 1) / 2))}${paint(style, sign)}${' '.repeat(Math.ceil((column.length - 1) / 2))}`;
  };
  return [`${' '.repeat(width)}  ${columns.join('  ')}`, ...rows.map((row) => `${row.padEnd(width)}  ${columns.map((column) => cell(row, column)).join('  ')}`), '', legend()];
}

/** How many capabilities of each pair work as they are meant, or by the gateway's doing. */
function summary(cells: Cell[]): string[] {
  const [idps, providers] = (['idp', 'provider'] as const).map((side) => [...new Set(cells.map((cell) => cell[side]))]) as [string[], string[]];
  const width = Math.max(...idps.map((name) => name.length));
  const count = (idp: string, provider: string): string => {
    const mine = cells.filter((cell) => cell.idp === idp && cell.provider === provider);
    const good = mine.filter(({ state }) => state === 'supported' || state === 'emulated').length;
    const text = `${good}/${mine.length}`;
    return paint(good === mine.length ? 'green' : 'yellow', text.padEnd(provider.length));
  };
  return [`${' '.repeat(width)}  ${providers.join('  ')}`, ...idps.map((idp) => `${idp.padEnd(width)}  ${providers.map((provider) => count(idp, provider)).join('  ')}`), '', 'capabilities that are supported or emulated; scimlock matrix --idp NAME --provider NAME names them'];
}

const legend = (): string => Object.entries(SIGNS).map(([state, [sign, style]]) => `${paint(style, sign)} ${state}`).join('   ');
