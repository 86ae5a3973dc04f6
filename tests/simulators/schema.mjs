// Schemas of RFC 7643 in a short notation, and how attributes are found in them.
// Notation: 'type flag…' is simple, {…} complex, […] multi-valued; flags: required readOnly immutable writeOnly unique caseExact.

const multi = (more) => [{ value: 'string', display: 'string', type: 'string', primary: 'boolean', ...more }];

const COMMON = {
  id: 'string readOnly caseExact',
  externalId: 'string caseExact',
  meta: { resourceType: 'string', created: 'dateTime', lastModified: 'dateTime', location: 'reference', version: 'string' },
};

export const CORE_USER = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  attributes: {
    userName: 'string required unique',
    name: {
      formatted: 'string', familyName: 'string', givenName: 'string',
      middleName: 'string', honorificPrefix: 'string', honorificSuffix: 'string',
    },
    displayName: 'string', nickName: 'string', profileUrl: 'reference', title: 'string', userType: 'string',
    preferredLanguage: 'string', locale: 'string', timezone: 'string', active: 'boolean', password: 'string writeOnly',
    emails: multi(), phoneNumbers: multi(), ims: multi(), photos: multi({ value: 'reference' }),
    addresses: [{
      formatted: 'string', streetAddress: 'string', locality: 'string', region: 'string',
      postalCode: 'string', country: 'string', type: 'string', primary: 'boolean',
    }],
    groups: [{ value: 'string', $ref: 'reference', display: 'string', type: 'string' }],
    entitlements: multi(), roles: multi(), x509Certificates: multi({ value: 'binary' }),
  },
  readOnly: ['groups'],
};

export const CORE_GROUP = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  attributes: {
    displayName: 'string required',
    members: [{ value: 'string caseExact immutable', $ref: 'reference immutable', type: 'string immutable', display: 'string' }],
  },
};

export const ENTERPRISE_USER = {
  id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  name: 'EnterpriseUser',
  attributes: {
    employeeNumber: 'string', costCenter: 'string', organization: 'string', division: 'string', department: 'string',
    manager: { value: 'string', $ref: 'reference', displayName: 'string readOnly' },
  },
};

/** A resource type: its schemas, and attribute look-up by the names and paths of SCIM. */
export class ResourceType {
  constructor({ endpoint, prefix, core, extensions = [], common = COMMON }) {
    Object.assign(this, { name: core.name, endpoint, prefix, core: core.id });
    this.schemas = new Map([core, ...extensions].map((schema) => [schema.id.toLowerCase(), schema]));
    this.attributes = table({ ...common, ...core.attributes }, [...(core.readOnly ?? []), 'meta']);
    this.extensions = extensions.map((schema) => ({ name: schema.id, flags: new Set(), subs: table(schema.attributes, schema.readOnly ?? []) }));
  }

  /** The extension of that URN, in the form of a complex attribute. */
  extension(urn) {
    return this.extensions.find(({ name }) => name.toLowerCase() === urn.toLowerCase());
  }

  /** Resolves `[urn:]attribute[.sub]` to the steps from the root, or null where the schemas lack it. */
  resolve(path) {
    let rest = path;
    let attributes = this.attributes;
    const steps = [];
    const urn = [...this.schemas.keys()].find((id) => path.toLowerCase().startsWith(`${id}:`));
    const bare = this.extension(path);
    if (bare) return [bare];
    if (urn) rest = path.slice(urn.length + 1);
    if (urn && urn !== this.core.toLowerCase()) {
      steps.push(this.extension(urn));
      attributes = steps[0].subs;
    }
    for (const name of rest.split('.')) {
      const attribute = attributes?.get(name.toLowerCase());
      if (!attribute) return null;
      steps.push(attribute);
      attributes = attribute.subs;
    }
    return steps;
  }

  /** The type's schemas as RFC 7643 section 7 documents. */
  documents() {
    return [...this.schemas.values()].map((schema) => ({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
      id: schema.id,
      name: schema.name,
      attributes: [...table(schema.attributes, schema.readOnly ?? []).values()].map(describe),
    }));
  }
}

function table(attributes, readOnly) {
  return new Map(Object.entries(attributes).map(([name, notation]) => {
    const attribute = define(name, notation);
    if (readOnly.includes(name)) attribute.flags.add('readOnly');
    return [name.toLowerCase(), attribute];
  }));
}

function define(name, notation) {
  if (Array.isArray(notation)) return { ...define(name, notation[0]), multi: true };
  if (typeof notation === 'object') return { name, type: 'complex', flags: new Set(), subs: table(notation, []) };
  const [type, ...flags] = notation.split(' ');
  return { name, type, flags: new Set(flags) };
}

function describe({ name, type, multi: multiValued = false, flags, subs }) {
  const mutability = ['readOnly', 'immutable', 'writeOnly'].find((flag) => flags.has(flag)) ?? 'readWrite';
  return {
    name, type, multiValued, mutability,
    required: flags.has('required'),
    caseExact: flags.has('caseExact') || type === 'reference' || type === 'binary',
    returned: mutability === 'writeOnly' ? 'never' : 'default',
    uniqueness: flags.has('unique') ? 'server' : 'none',
    ...(subs && { subAttributes: [...subs.values()].map(describe) }),
  };
}
