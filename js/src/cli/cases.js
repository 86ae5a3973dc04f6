/**
 * Golden cases: what one may say, and how what came is compared with what it expects.
 *
 *   { note, config?, with?, now?, hosts?, steps: [step, …] }
 *
 * with: a JSON merge patch (RFC 7396) of the configuration. A step is one of these, with `now?` (RFC 3339) beside it:
 *
 *   { idp: { method, path, headers?, body? | text? | base64?, chunks? } }                    what the IdP sends
 *   { provider: { expect: { method, path, headers?, body… }, reply: { status, headers?, body…, chunks? } } }
 *   { provider: { expect: …, fault: timeout | reset | garbage } }                            what the provider sees and does
 *   { issuer: … }                                                                            the same for whoever issues tokens
 *   { idp: { expect: { status, headers?, body… } } }                                         what the IdP gets back
 *
 * headers: an object or a list of pairs (byte strings); in an `expect`, null says that the field must be absent.
 * body: JSON, sent and expected as JSON.stringify writes it; text, base64: exact bytes; none of them: no body.
 * chunks: send the body in pieces of that many bytes, chunked. Default: `content-type: application/scim+json` with every
 * `body` that names none. The IdP's answer is compared with `content-type: application/scim+json` (with `body`) and
 * `cache-control: no-store` unless the case says otherwise, and carries no field of ENGINE_HEADERS that the case does not
 * name. Request ids read as `ID`, signed tokens in calls as `JWT`.
 *
 * Plain JavaScript, so that this repository's runners need no build to use it.
 */

import { isDeepStrictEqual } from 'node:util';

/** @typedef {[name: string, value: string][]} Fields */
/** @typedef {{ note: string, config?: string, with?: unknown, now?: string, hosts?: string[], steps: any[] }} Case */
/** @typedef {(what: string, wanted: string, got: string) => void} Say */

/** The fields that a gateway sends to an IdP. */
export const ENGINE_HEADERS = ['content-type', 'location', 'etag', 'retry-after', 'www-authenticate', 'cache-control', 'allow'];
const HOP_HEADERS = ['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'server', 'x-envoy-upstream-service-time'];
const NEVER_TO_PROVIDER = /^(cookie|x-forwarded-.*|x-http-method.*|x-method-override|x-scimlock-.*|te|trailer)$/;

/**
 * RFC 7396.
 *
 * @param {any} target
 * @param {any} patch
 * @returns {any}
 */
export function mergePatch(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const merged = target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/**
 * Compares a call to the provider; `toPublic` names the provider as the case does.
 *
 * @param {any} expect
 * @param {{ method: string, path: string, headers: Fields, body: Uint8Array }} call
 * @param {(text: string) => string} toPublic
 * @param {Say} say
 */
export function compareCall(expect, { method, path, headers, body }, toPublic, say) {
  if (method !== expect.method) say('method', expect.method, method);
  if (toPublic(path) !== expect.path) say('path', expect.path, path);
  for (const [name, value] of fieldsOf(expect.headers)) compareField(name, value, headers, toPublic, say);
  for (const [name, value] of headers) {
    if (NEVER_TO_PROVIDER.test(name) && !fieldsOf(expect.headers).some(([named]) => named === name)) say(`header \`${name}\``, 'none', value);
    if (name === 'authorization' && /^bearer test$/i.test(value)) say('credential', 'the gateway\'s own', 'the IdP\'s');
  }
  compareBody(expect, body, toPublic, say);
}

/**
 * Compares an answer to the IdP.
 *
 * @param {any} expect
 * @param {{ status: number, headers: Fields, body: Uint8Array }} answer
 * @param {(text: string) => string} toPublic
 * @param {Say} say
 */
export function compareAnswer(expect, { status, headers, body }, toPublic, say) {
  if (status !== expect.status) say('status', String(expect.status), String(status));
  const wanted = fieldsOf(expect.headers);
  const names = wanted.map(([name]) => name);
  if (!names.includes('content-type')) wanted.push(['content-type', 'body' in expect ? 'application/scim+json' : null]);
  if (!names.includes('cache-control')) wanted.push(['cache-control', 'no-store']);
  for (const [name, value] of wanted) compareField(name, value, headers, toPublic, say);
  for (const [name, value] of headers) {
    if (names.includes(name) || HOP_HEADERS.includes(name)) continue;
    if (!ENGINE_HEADERS.includes(name)) say(`header \`${name}\``, 'none (it is not one a gateway sends)', value);
    else if (!wanted.some(([known]) => known === name)) say(`header \`${name}\``, 'none', value);
  }
  compareBody(expect, body, toPublic, say);
}

/**
 * @param {string} name
 * @param {string | null} wanted
 * @param {Fields} headers
 * @param {(text: string) => string} toPublic
 * @param {Say} say
 */
function compareField(name, wanted, headers, toPublic, say) {
  const got = headers.filter(([known]) => known === name).map(([, value]) => withoutTokens(toPublic(value)));
  if (!isDeepStrictEqual(got, wanted === null ? [] : [wanted])) say(`header \`${name}\``, wanted ?? 'none', got.join(' | ') || 'none');
}

/**
 * @param {any} expect
 * @param {Uint8Array} body
 * @param {(text: string) => string} toPublic
 * @param {Say} say
 */
function compareBody(expect, body, toPublic, say) {
  const wanted = withoutIds((bytesOf(expect) ?? Buffer.alloc(0)).toString('latin1'));
  const got = withoutTokens(withoutIds(toPublic(Buffer.from(body).toString('latin1'))));
  if (wanted !== got) say('body', readable(wanted), readable(got));
}

/** @param {string} text */
export const withoutIds = (text) => text.replace(/\(request [0-9a-f]{16,}\)/g, '(request ID)');
/** @param {string} text */
export const withoutTokens = (text) => text.replace(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g, 'JWT');
/** @param {string} text */
const readable = (text) => (text === '' ? '(empty)' : Buffer.from(text, 'latin1').toString('utf8'));

/**
 * The bytes that a part of a case stands for.
 *
 * @param {{ body?: unknown, text?: string, base64?: string }} content
 */
export function bytesOf({ body, text, base64 }) {
  if (body !== undefined) return Buffer.from(JSON.stringify(body));
  if (text !== undefined) return Buffer.from(text);
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}

/**
 * Header fields, with the media type that belongs to a `body`.
 *
 * @param {any} headers
 * @param {{ body?: unknown }} content
 * @returns {Fields}
 */
export function withDefaults(headers, content) {
  const fields = fieldsOf(headers);
  if (content.body !== undefined && !fields.some(([name]) => name === 'content-type')) fields.push(['content-type', 'application/scim+json']);
  return /** @type {Fields} */ (fields);
}

/**
 * @param {any} headers
 * @returns {[name: string, value: string | null][]}
 */
const fieldsOf = (headers = []) => (Array.isArray(headers) ? headers : Object.entries(headers)).map(([name, value]) => [name.toLowerCase(), value]);

/**
 * @param {string[]} flat names and values in turns
 * @returns {Fields}
 */
export const pairs = (flat) => flat.flatMap((name, index) => (index % 2 === 0 ? [/** @type {[string, string]} */ ([name.toLowerCase(), flat[index + 1] ?? ''])] : []));

const CONTENT = ['body', 'text', 'base64'];
/** @type {Record<string, string[]>} */
const SHAPE = {
  case: ['note', 'config', 'with', 'now', 'hosts', 'steps'],
  step: ['idp', 'provider', 'issuer', 'now'],
  request: ['method', 'path', 'headers', 'chunks', ...CONTENT],
  provider: ['expect', 'reply', 'fault'],
  call: ['method', 'path', 'headers', ...CONTENT],
  reply: ['status', 'headers', 'chunks', ...CONTENT],
  answer: ['status', 'headers', ...CONTENT],
};

/**
 * Refuses what a case may not say; an unknown field is most likely a misspelt one.
 *
 * @param {string} file
 * @param {Case} one
 * @param {string[]} needed the fields that must be there
 */
export function checkCase(file, one, needed) {
  const check = (/** @type {string} */ shape, /** @type {object} */ value, /** @type {string[]} */ needed) => {
    for (const key of Object.keys(value)) if (!SHAPE[shape]?.includes(key)) throw new Error(`${file}: unknown field \`${key}\` in a ${shape}`);
    for (const key of needed) if (!(key in value)) throw new Error(`${file}: a ${shape} needs \`${key}\``);
    if (CONTENT.filter((key) => key in value).length > 1) throw new Error(`${file}: a ${shape} has one of ${CONTENT.join(', ')}`);
  };
  check('case', one, needed);
  for (const step of one.steps) {
    check('step', step, []);
    if ([step.idp, step.provider, step.issuer].filter(Boolean).length !== 1) throw new Error(`${file}: a step is one of \`idp\`, \`provider\` and \`issuer\``);
    const asked = step.provider ?? step.issuer;
    if (asked) {
      check('provider', asked, ['expect']);
      check('call', asked.expect, ['method', 'path']);
      if (!asked.reply === !asked.fault) throw new Error(`${file}: a provider either replies or has a fault`);
      if (asked.reply) check('reply', asked.reply, ['status']);
      else if (!['timeout', 'reset', 'garbage'].includes(asked.fault)) throw new Error(`${file}: unknown fault \`${asked.fault}\``);
    } else if (step.idp.expect) {
      check('answer', step.idp.expect, ['status']);
    } else {
      check('request', step.idp, ['method', 'path']);
    }
  }
  if (!one.steps.at(0)?.idp?.method || !one.steps.at(-1)?.idp?.expect) throw new Error(`${file}: begins with what the IdP sends and ends with what it gets`);
  return one;
}
