// Reads JSON as a careful server does: strict UTF-8, nothing after the value, no member twice.

/** Parses bytes, or throws with the reason. */
export function parseJson(bytes) {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = JSON.parse(text);
  refuseDuplicates(text);
  return value;
}

// INVARIANT: `text` is valid JSON, so tokens need no further check.
function refuseDuplicates(text) {
  const open = [];
  let last;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token !== ':') last = JSON.parse(token);
    else if (open.at(-1).has(last)) throw new SyntaxError(`member \`${last}\` occurs twice`);
    else open.at(-1).add(last);
  }
}
