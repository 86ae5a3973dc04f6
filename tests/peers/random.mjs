// Generated users, filters and patches: the same every time for the same seed.

/** Numbers below `n`, picks and chances from a seed (mulberry32). */
export function randomFrom(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, pick: (list) => list[below(list.length)], chance: (share) => next() < share };
}

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

const WORDS = ['ada', 'ada lovelace', 'mira', 'x', 'a"b', 'a\\b', 'ö', '', 'Ada', 'work', '1', 'true', 'a.b', 'eq', '[x]', '(y) and z', '\u{1f600}', '\n'];
const TYPES = ['work', 'home', 'other', 'Work'];
const DATES = ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', '2026-06-30T23:59:59.5Z', '2025-12-31T23:59:59Z'];
/** The lists of a user that both sides know well. */
const LISTS = ['emails', 'phoneNumbers', 'roles'];
const TEXTS = ['userName', 'displayName', 'title', 'nickName', 'externalId'];
const NAMES = ['givenName', 'familyName', 'formatted'];
const DEPARTMENTS = ['employeeNumber', 'department', 'costCenter'];

export const word = (random) => random.pick(WORDS);

function element(random) {
  const made = {};
  if (random.chance(0.9)) made.value = word(random);
  if (random.chance(0.8)) made.type = random.pick(TYPES);
  if (random.chance(0.3)) made.display = word(random);
  return Object.keys(made).length ? made : { value: 'x' };
}

/** A list with at most one primary, and with no value of a type twice: RFC 7643 section 2.4 leaves open what becomes of it. */
function list(random, most = 3) {
  const all = Array.from({ length: 1 + random.below(most) }, () => element(random));
  const key = ({ value, type }) => JSON.stringify([value, type]).toLowerCase();
  const made = all.filter((each, at) => all.findIndex((other) => key(other) === key(each)) === at);
  if (random.chance(0.4)) random.pick(made).primary = true;
  return made;
}

const some = (random, names, value, share = 0.5) => Object.fromEntries(names.filter(() => random.chance(share)).map((name) => [name, value(random, name)]));

/** A valid user. */
export function user(random) {
  const made = { schemas: [USER], ...some(random, TEXTS, word), userName: word(random) || 'x' };
  if (random.chance(0.6)) made.active = random.chance(0.5);
  const name = some(random, NAMES, word);
  if (Object.keys(name).length) made.name = name;
  Object.assign(made, some(random, LISTS, () => list(random)));
  const extension = some(random, DEPARTMENTS, word);
  if (random.chance(0.2)) extension.manager = { value: word(random) || 'x' };
  if (Object.keys(extension).length && random.chance(0.7)) {
    made.schemas.push(ENTERPRISE);
    made[ENTERPRISE] = extension;
  }
  if (random.chance(0.7)) made.meta = { resourceType: 'User', created: random.pick(DATES), lastModified: random.pick(DATES) };
  return made;
}

const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];

/** A filter, mostly a right one. */
export function filter(random, depth = 3, within) {
  const roll = random.below(12);
  if (depth > 0 && roll < 4) {
    const word = random.pick(['and', 'or', 'and', 'or', 'AND', 'Or']);
    return [filter(random, depth - 1, within), filter(random, depth - 1, within)].join(` ${word} `);
  }
  if (depth > 0 && roll < 6) return `(${filter(random, depth - 1, within)})`;
  if (depth > 0 && roll < 7) return `not (${filter(random, depth - 1, within)})`;
  if (!within && roll < 9) return `${random.pick(LISTS)}[${filter(random, Math.min(depth, 1), true)}]`;
  return random.chance(0.03) ? broken(random) : comparison(random, within);
}

function comparison(random, within) {
  const [path, kind] = within ? random.pick([['value', 'text'], ['type', 'type'], ['display', 'text'], ['primary', 'boolean']]) : random.pick([
    ...TEXTS.map((name) => [name, 'text']),
    ...NAMES.map((name) => [`name.${name}`, 'text']),
    ...LISTS.flatMap((name) => [[`${name}.value`, 'text'], [`${name}.type`, 'type']]),
    ...DEPARTMENTS.map((name) => [`${ENTERPRISE}:${name}`, 'text']),
    [`${USER}:userName`, 'text'], [`${ENTERPRISE}:manager.value`, 'text'],
    ['active', 'boolean'], ['meta.created', 'date'], ['meta.lastModified', 'date'], ['UserName', 'text'],
  ]);
  if (random.chance(0.15)) return `${path} pr`;
  const operator = random.pick(kind === 'boolean' ? ['eq', 'ne'] : kind === 'date' ? ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] : OPERATORS);
  const value = { boolean: () => random.pick(['true', 'false']), date: () => JSON.stringify(random.pick(DATES)), type: () => JSON.stringify(random.pick(TYPES)), text: () => JSON.stringify(word(random)) }[kind]();
  return `${path} ${random.chance(0.1) ? operator.toUpperCase() : operator} ${value}`;
}

const broken = (random) => random.pick(['userName', 'userName eq', 'userName xx "a"', 'eq "a"', 'userName eq "a', '(userName pr', 'userName pr)', 'emails[type eq "work"', 'userName eq a', 'not userName pr',
  'userName eq "a" and', 'userName eq 1e400', 'userName eq 01', 'userName eq \'a\'', 'userName  pr', 'emails[]', '', '[type eq "work"]', 'userName eq "a" userName pr', 'a..b pr', 'userName eq {}']);

/** Operations of a PATCH, mostly right ones. */
export function operations(random) {
  return Array.from({ length: 1 + random.below(3) }, () => operation(random));
}

function operation(random) {
  const op = random.pick(['add', 'replace', 'remove']);
  const list_ = random.pick(LISTS);
  const condition = random.pick([`type eq "${random.pick(TYPES)}"`, 'primary eq true', `type eq "work" and value sw "a"`, `value eq ${JSON.stringify(word(random))}`, 'not (type eq "work")']);
  const [path, value] = random.pick([
    () => [random.pick(TEXTS), () => word(random)],
    () => [`name.${random.pick(NAMES)}`, () => word(random)],
    () => ['name', () => some(random, NAMES, word, 0.7)],
    () => ['active', () => random.chance(0.5)],
    () => [list_, () => (random.chance(0.8) ? list(random, 2) : element(random))],
    () => [`${list_}[${condition}].${random.pick(['value', 'display'])}`, () => word(random)],
    () => [`${list_}[${condition}]`, () => element(random)],
    () => [`${ENTERPRISE}:${random.pick(DEPARTMENTS)}`, () => word(random)],
    () => [`${ENTERPRISE}:manager`, () => ({ value: word(random) || 'x' })],
    () => [`${USER}:${random.pick(TEXTS)}`, () => word(random)],
    () => [undefined, () => ({ ...some(random, TEXTS, word, 0.3), active: random.chance(0.5), ...(random.chance(0.3) ? { [list_]: list(random, 2) } : {}) })],
  ])();
  if (op === 'remove') return path === undefined ? { op, path: random.pick(TEXTS.slice(1)) } : { op, path };
  return path === undefined ? { op, value: value() } : { op, path, value: value() };
}

/** A user as somebody might send it: right, or with one or two things wrong. */
export function resource(random) {
  const made = user(random);
  // Their model takes no other texts for addresses; that is shown once, below.
  for (const email of made.emails ?? []) if (email.value !== undefined) email.value = `${random.below(3)}@example.com`;
  for (let times = random.below(3); times > 0; times -= 1) random.pick(FAULTS)(made, random);
  return made;
}

const FAULTS = [
  (made) => delete made.userName,
  (made) => { made.userName = null; },
  (made) => { made.userName = ''; },
  (made) => delete made.schemas,
  (made) => { made.schemas = []; },
  (made) => { made.schemas = [ENTERPRISE]; },
  (made) => { made.schemas = USER; },
  (made) => { made.schemas = [...(made.schemas ?? []), 'urn:example:unknown']; },
  (made, random) => { made[random.pick(TEXTS)] = random.pick([1, true, {}, [], ['a'], null, 1.5]); },
  (made, random) => { made.active = random.pick(['true', 'False', 1, 0, null, {}, [true]]); },
  (made, random) => { made.name = random.pick(['Ada', [], [{ givenName: 'a' }], { givenName: 1 }, null, { givenName: null }]); },
  (made, random) => { made[random.pick(LISTS)] = random.pick([{ value: 'a' }, 'a', ['a'], [[]], [1], [], null, [null], [{}], [{ value: 1 }], [{ primary: 'true' }]]); },
  (made, random) => { made[random.pick(LISTS)] = [{ value: 'a', primary: true }, { value: 'b', primary: true }]; },
  (made, random) => { made[random.pick(LISTS)] = [{ value: 'a', type: 'work' }, { value: 'a', type: 'work' }]; },
  (made, random) => { made[ENTERPRISE] = random.pick([[], 'a', { employeeNumber: 1 }, { manager: 'a' }, { manager: { displayName: 'x' } }, {}, null, { manager: [] }]); },
  (made, random) => { made.profileUrl = random.pick(['https://a.example/x', 'not a url', '', 1, '../Users/1', 'a b', null]); },
  (made, random) => { made.photos = [{ value: random.pick(['https://a.example/x.png', 'x', '', 1, null]), type: 'photo' }]; },
  (made, random) => { made.x509Certificates = [{ value: random.pick(['AAAA', 'AA==', 'AA', 'A', '*', '', 1, 'AAA=\n', '-_-_']) }]; },
  (made, random) => { made.locale = random.pick(['en-US', 'xx', '', 1, 'a very strange one', null]); },
  (made, random) => { made.timezone = random.pick(['Europe/Berlin', 'nowhere', '', 1]); },
  (made, random) => { made.meta = random.pick([{ created: 'yesterday' }, { created: '2026-01-01' }, { created: 1 }, 'x', [], { resourceType: 'Group' }, { version: 1 }, null]); },
  (made, random) => { made.id = random.pick(['1', '', 1, null]); },
  (made, random) => { made.groups = random.pick([[{ value: '1' }], 'x', [], null]); },
  (made, random) => { made[random.pick(['unknown', 'userNames', 'urn:example:unknown', 'nick name'])] = random.pick([1, 'a', null, {}]); },
  (made) => { made.USERNAME = made.userName ?? 'a'; delete made.userName; },
  (made, random) => { made.addresses = [random.pick([{ country: 'DE' }, { country: 'Germany' }, { type: 'work', postalCode: 1 }, { formatted: 'a\nb' }])]; },
  (made, random) => { made.emails = [{ value: random.pick(['a@example.com', 'a', '', 'a@', 'a b@example.com']) }]; },
  (made, random) => { made.phoneNumbers = [{ value: random.pick(['tel:+1-201-555-0123', '1', '']), type: random.pick(['fax', 'satellite']) }]; },
  (made, random) => { made.password = random.pick(['x', '', 1, null]); },
];
