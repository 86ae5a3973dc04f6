/** Files that users name: read with errors that say what is wrong. */

import { readFileSync } from 'node:fs';

import { Refusal } from './output.js';

/** The text of a file; `-` is standard input. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Refusal(`error ${nameOf(file)}: ${reasonOf(error)}`);
  }
}

/** The text of a JSON file and what it holds. */
export function readJson(file: string): { text: string; value: unknown } {
  const text = readText(file);
  if (text.trim() === '') throw new Refusal(`error ${nameOf(file)}: the file is empty`);
  try {
    return { text, value: JSON.parse(text) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, at] = /at position (\d+)/.exec(message) ?? [];
    const line = text.slice(0, at === undefined ? text.trimEnd().length : Number(at)).split('\n').length;
    const what = message.replace(/,? ?\.\.\..*|"[^]*" is not|in JSON at.*/, ' ').trim();
    throw new Refusal(`error ${nameOf(file)}:${line}: this is not JSON: ${what.slice(0, 1).toLowerCase()}${what.slice(1)}`);
  }
}

export const nameOf = (file: string): string => (file === '-' ? 'standard input' : file);

export function reasonOf(error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'this is a folder: name the file in it';
  if (code === 'EACCES') return 'the file may not be read';
  return error instanceof Error ? error.message : String(error);
}
