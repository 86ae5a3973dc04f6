// Checks resources and attribute values against a schema and brings names into the schema's spelling.
// Rules: SIM-RFC-2 values have their type · SIM-RFC-3 only known attributes · SIM-RFC-4 no nulls · SIM-RFC-5 `schemas`
// names what is there · SIM-RFC-6 required attributes · SIM-RFC-7 one primary, no element twice.

const JSON_TYPE = { boolean: 'boolean', integer: 'number', decimal: 'number' };

/** A complete resource, as in POST and PUT; readOnly attributes are ignored. */
export function checkResource(body, type, judge) {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) {
    judge.refuse('SIM-RFC-2', 'invalidSyntax', 'a resource is a JSON object');
  }
  const { schemas = [], ...members } = body;
  checkSchemas(schemas, members, type, judge);
  const resource = checkMembers(members, type.attributes, '', judge, type);
  for (const attribute of type.attributes.values()) {
    if (attribute.flags.has('required') && (resource[attribute.name] ?? '') === '') {
      judge.refuse('SIM-RFC-6', 'invalidValue', `\`${attribute.name}\` is required`);
    }
    if (attribute.flags.has('readOnly')) delete resource[attribute.name];
  }
  return resource;
}

/** The members of an object against a table of attributes; the answer has only what may be stored. */
export function checkMembers(members, attributes, place, judge, type) {
  const checked = {};
  for (const [name, value] of Object.entries(members)) {
    const attribute = attributes.get(name.toLowerCase()) ?? type?.extension(name);
    if (!attribute) judge.object('SIM-RFC-3', 'invalidValue', `unknown attribute \`${place}${name}\``);
    else if (value === null) judge.object('SIM-RFC-4', 'invalidValue', `\`${place}${name}\` is null`);
    else checked[attribute.name] = checkValue(value, attribute, `${place}${name}`, judge);
  }
  return checked;
}

/** One attribute's value, all elements of it where it is multi-valued. */
export function checkValue(value, attribute, place, judge) {
  if (!attribute.multi) return checkSingle(value, attribute, place, judge);
  let elements = value;
  if (!Array.isArray(value)) {
    judge.object('SIM-RFC-2', 'invalidValue', `\`${place}\` takes an array`);
    elements = [value];
  }
  const checked = elements.map((element) => checkSingle(element, attribute, place, judge));
  const keys = checked.map((element) => JSON.stringify([element.type, element.value]));
  if (checked.filter((element) => element.primary === true).length > 1) {
    judge.object('SIM-RFC-7', 'invalidValue', `\`${place}\` has several primary elements`);
  }
  if (new Set(keys).size < keys.length && checked.every((element) => element.value !== undefined)) {
    judge.object('SIM-RFC-7', 'invalidValue', `\`${place}\` has an element twice`);
  }
  return checked;
}

/** One single value, or one element of a multi-valued attribute. */
export function checkSingle(value, attribute, place, judge) {
  if (attribute.subs) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      judge.refuse('SIM-RFC-2', 'invalidValue', `\`${place}\` takes an object`);
    }
    return checkMembers(value, attribute.subs, `${place}.`, judge);
  }
  if (typeof value === (JSON_TYPE[attribute.type] ?? 'string')) return value;
  judge.object('SIM-RFC-2', 'invalidValue', `\`${place}\` takes a ${attribute.type}`);
  if (attribute.type === 'boolean') return String(value).toLowerCase() === 'true';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The `schemas` of a stored resource: the core schema and every extension that has data. */
export function schemasOf(resource, type) {
  return [type.core, ...type.extensions.map(({ name }) => name).filter((name) => name in resource)];
}

function checkSchemas(schemas, members, type, judge) {
  const listed = Array.isArray(schemas) ? schemas.map((urn) => String(urn).toLowerCase()) : [];
  if (!listed.includes(type.core.toLowerCase())) {
    judge.object('SIM-RFC-5', 'invalidValue', `\`schemas\` lacks \`${type.core}\``);
  }
  for (const urn of listed) {
    if (!type.schemas.has(urn)) judge.object('SIM-RFC-5', 'invalidValue', `unknown schema \`${urn}\``);
  }
  for (const { name } of type.extensions) {
    const used = Object.keys(members).some((member) => member.toLowerCase() === name.toLowerCase());
    if (used && !listed.includes(name.toLowerCase())) {
      judge.object('SIM-RFC-5', 'invalidValue', `\`schemas\` lacks \`${name}\``);
    }
  }
}
