/** A configuration file: YAML 1.2 (or JSON) read strictly into the JSON text that the engine takes, with positions kept. */

import { LineCounter, type Node, type Scalar, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';

import { readText } from './files.js';
import { Refusal } from './output.js';

export interface Position {
  line: number;
  column: number;
}

export interface Document {
  json: string;
  /** Where a JSON pointer, or the nearest thing around it, stands in the file. */
  position: (pointer: string) => Position;
}

/** The JSON text of a configuration in YAML. */
export const jsonOf = (yaml: string): string => parse(yaml, 'the configuration').json;

/** Reads a configuration file. */
export const readDocument = (file: string): Document => parse(readText(file), file);

function parse(text: string, file: string): Document {
  const lines = new LineCounter();
  const refuse = (offset: number, message: string): never => {
    throw new Refusal(`error ${file}:${lines.linePos(offset).line}: ${message}`);
  };
  const documents = parseAllDocuments(text, {
    version: '1.2', schema: 'core', strict: true, uniqueKeys: true, merge: false, prettyErrors: false, lineCounter: lines,
  });
  if ('empty' in documents || documents.length === 0) throw new Refusal(`error ${file}: the file is empty`);
  const [document, second] = documents;
  const problem = document?.errors[0] ?? document?.warnings[0];
  if (problem) refuse(problem.pos[0], explained(problem.message));
  if (second) refuse(second.range[0], 'the file holds a second document: a configuration is one document');

  const offsets = new Map<string, number>();
  const write = (node: Node | null, pointer: string, at: number): string => {
    const offset = node?.range?.[0] ?? at;
    if (!offsets.has(pointer)) offsets.set(pointer, offset);
    if (node === null) return 'null';
    if (isAlias(node)) return refuse(offset, `aliases are not taken: write out what \`*${node.source}\` stands for`);
    if ('anchor' in node && node.anchor) return refuse(offset, `anchors are not taken: \`&${node.anchor}\``);
    if (node.tag && !node.tag.startsWith('tag:yaml.org,2002:')) return refuse(offset, `tags are not taken: \`${node.tag}\``);
    if (isSeq(node)) return `[${node.items.map((item, index) => write(item as Node | null, `${pointer}/${index}`, offset)).join()}]`;
    if (isMap(node)) {
      const members = node.items.map(({ key, value }) => {
        if (!isScalar(key)) return refuse((key as Node | null)?.range?.[0] ?? offset, 'a key is a plain text');
        const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
        const inner = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        offsets.set(inner, key.range?.[0] ?? offset);
        return `${JSON.stringify(name)}:${write(value as Node | null, inner, offset)}`;
      });
      return `{${members.join()}}`;
    }
    return scalar(node as Scalar, (message) => refuse(offset, message));
  };
  const json = write((document?.contents ?? null) as Node | null, '', 0);

  return {
    json,
    position(pointer) {
      let known = pointer;
      while (known !== '' && !offsets.has(known)) known = known.slice(0, known.lastIndexOf('/'));
      const { line, col } = lines.linePos(offsets.get(known) ?? 0);
      return { line, column: col };
    },
  };
}

/** A scalar as JSON; numbers keep their digits. */
function scalar({ value, source }: Scalar, refuse: (message: string) => never): string {
  if (typeof value !== 'number') return JSON.stringify(value) ?? 'null';
  if (source !== undefined && /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(source)) return source;
  if (!Number.isSafeInteger(value)) return refuse(`\`${source ?? value}\` is no number that JSON has: write it in quotes`);
  return String(value);
}

/** The parser's words; with a remedy where it stumbles over a path or a secret inside braces. */
function explained(message: string): string {
  const remedy = /flow-(seq|map)-(start|end)/.test(message) ? ': inside braces, a text with `[`, `{`, `]` or `}` in it stands in quotes' : '';
  return lowered(message) + remedy;
}

const lowered = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1).replace(/\.$/, '');
