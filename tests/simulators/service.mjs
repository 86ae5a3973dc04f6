// The SCIM endpoints of a simulated provider (RFC 7644 section 3) over its store; provider files change what differs.
import { matches, operators, parseFilter } from './filter.mjs';
import { Refusal } from './judge.mjs';
import { applyPatch } from './patch.mjs';
import { Store } from './store.mjs';
import { checkResource, schemasOf } from './validate.mjs';

const MESSAGE = 'urn:ietf:params:scim:api:messages:2.0:';

/** What every provider does, unless it says otherwise. */
export const DEFAULTS = {
  maxResults: 100,
  filterOperators: undefined,
  etag: true,
  search: true,
  patchStatus: () => 200,
  create: (service, type, resource, judge) => {
    service.unique(type, resource, null);
    return { status: 201, stored: service.store.create(type, resource) };
  },
  written: () => {},
  discovery: { ServiceProviderConfig: 'config', ResourceTypes: 'resourceTypes', Schemas: 'schemas' },
  missing: () => [],
  accept: (_type, body) => body,
  dialect: (_type, body) => body,
  filter: () => {},
  flatFilters: false,
  page: undefined,
  now: () => Date.now(),
  seed: () => {},
  remove: (service, type, stored) => service.store.remove(type, stored.id),
  listed: () => true,
  represent: (_service, _type, resource) => resource,
  searched: (_service, _type, resource) => resource,
  check: () => {},
};

/** One provider's endpoints. */
export class Service {
  constructor(provider) {
    this.provider = { ...DEFAULTS, ...provider };
    this.types = provider.types;
    this.store = new Store(provider.types, { now: () => new Date(this.provider.now()) });
    this.provider.seed(this);
  }

  handle(request, judge) {
    const [, endpoint, id, ...rest] = request.path.split('/').map(decodeURIComponent);
    const { method } = request;
    const discovery = this.provider.discovery[endpoint];
    if (discovery && method === 'GET') return this[discovery](request, id);
    const type = this.types.find((one) => one.endpoint === endpoint);
    if (!type || rest.length > 0) throw new Refusal(404, undefined, `unknown endpoint \`${endpoint}\``);
    if (id === '.search' && method === 'POST' && this.provider.search) return this.list({ ...request, query: new URLSearchParams(request.body) }, type, judge);
    const allowed = id ? { GET: 'read', PUT: 'put', PATCH: 'patch', DELETE: 'remove' } : { GET: 'list', POST: 'create' };
    if (!(method in allowed) || this.provider.missing(type).includes(method)) throw new Refusal(405, undefined, `\`${method}\` is not offered here`);
    const stored = id ? this.store.get(type, id) : undefined;
    if (id && !stored) throw new Refusal(404, undefined, `no ${type.name} has this id`);
    this.precondition(request, stored);
    return this[allowed[method]](request, type, judge, stored);
  }

  state() {
    return this.types.flatMap((type) => this.store.list(type));
  }

  /** Refuses a resource whose unique attributes another resource has. */
  unique(type, resource, own) {
    for (const { name, flags } of type.attributes.values()) {
      const taken = (other) => String(other[name]).toLowerCase() === String(resource[name]).toLowerCase();
      if (flags.has('unique') && this.store.list(type).some((other) => other.id !== own?.id && taken(other))) {
        throw new Refusal(409, 'uniqueness', `\`${name}\` is taken`);
      }
    }
  }

  create(request, type, judge) {
    const resource = checkResource(this.provider.accept(type, request.body, judge), type, judge);
    this.provider.check(type, resource, judge, this);
    const { status, stored } = this.provider.create(this, type, resource, judge, request.account);
    this.provider.written(stored, request.account, this, type);
    const body = this.represent(request, type, stored);
    return { status, body, headers: { ...this.headers(stored), location: body.meta.location } };
  }

  read(request, type, _judge, stored) {
    if (this.provider.etag && request.headers['if-none-match'] === stored.meta.version) return { status: 304 };
    return this.ok(request, type, stored);
  }

  put(request, type, judge, stored) {
    const resource = checkResource(this.provider.accept(type, request.body, judge), type, judge);
    this.provider.check(type, resource, judge, this, stored);
    this.unique(type, resource, stored);
    return this.ok(request, type, this.save(request, type, stored, resource));
  }

  patch(request, type, judge, stored) {
    const { id, meta, ...plain } = stored;
    const resource = applyPatch(plain, this.provider.dialect(type, request.body, judge, stored), type, judge);
    this.provider.check(type, resource, judge, this, stored);
    this.unique(type, resource, stored);
    const saved = this.save(request, type, stored, resource);
    return this.provider.patchStatus(type) === 204 ? { status: 204, headers: this.headers(saved) } : this.ok(request, type, saved);
  }

  remove(_request, type, judge, stored) {
    this.provider.remove(this, type, stored, judge);
    return { status: 204 };
  }

  list(request, type, judge) {
    const text = request.query.get('filter');
    const options = { flat: this.provider.flatFilters };
    const filter = text === null ? undefined : parseFilter(text, (path) => type.resolve(path), judge, options);
    this.provider.filter(type, filter, request.query, judge, this);
    const offered = this.provider.filterOperators;
    const foreign = filter && offered && operators(filter).find((operator) => !offered.includes(operator));
    if (foreign) throw new Refusal(400, 'invalidFilter', `\`${foreign}\` is not offered in filters`);
    const found = this.store.list(type).filter((one) => (filter ? matches(filter, this.provider.searched(this, type, one)) : this.provider.listed(one)));
    if (this.provider.page) return this.provider.page(request, found, (stored) => this.represent(request, type, stored), judge);
    const startIndex = Math.max(1, Number(request.query.get('startIndex') ?? 1));
    const count = Math.min(this.provider.maxResults, Math.max(0, Number(request.query.get('count') ?? this.provider.defaultCount ?? this.provider.maxResults)));
    const page = found.slice(startIndex - 1, startIndex - 1 + count);
    return {
      status: 200,
      body: {
        schemas: [`${MESSAGE}ListResponse`],
        totalResults: found.length,
        startIndex,
        itemsPerPage: page.length,
        Resources: page.map((stored) => this.represent(request, type, stored)),
      },
    };
  }

  config() {
    return {
      status: 200,
      body: {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
        patch: { supported: true },
        bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
        filter: { supported: true, maxResults: this.provider.maxResults },
        changePassword: { supported: false },
        sort: { supported: false },
        etag: { supported: this.provider.etag },
        authenticationSchemes: [{ type: 'oauthbearertoken', name: 'bearer', description: 'a bearer token' }],
      },
    };
  }

  schemas(_request, id) {
    return documents(this.types.flatMap((type) => type.documents()), id);
  }

  resourceTypes(_request, id) {
    return documents(this.types.map((type) => ({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
      id: type.name,
      name: type.name,
      endpoint: `/${type.endpoint}`,
      schema: type.core,
      schemaExtensions: type.extensions.map(({ name }) => ({ schema: name, required: false })),
    })), id);
  }

  precondition({ headers }, stored) {
    const wanted = headers['if-match'];
    if (this.provider.etag && wanted && wanted !== '*' && wanted !== stored?.meta.version) {
      throw new Refusal(412, undefined, 'the resource has another version');
    }
  }

  save(request, type, stored, resource) {
    const saved = this.store.replace(type, stored, resource);
    this.provider.written(saved, request.account, this, type);
    return saved;
  }

  ok(request, type, stored) {
    return { status: 200, body: this.represent(request, type, stored), headers: this.headers(stored) };
  }

  headers(stored) {
    return this.provider.etag ? { etag: stored.meta.version } : {};
  }

  // RFC 7644 3.9: `attributes` and `excludedAttributes` choose; `schemas` and `id` are always returned.
  represent(request, type, stored) {
    const { password, id, meta, ...rest } = this.provider.represent(this, type, structuredClone(stored), request.root);
    const { version, ...plain } = { ...meta, location: `${request.root}/${type.endpoint}/${id}` };
    const full = { schemas: schemasOf(rest, type), id, ...rest, meta: this.provider.etag ? { ...plain, version } : plain };
    const named = (parameter) => (request.query.get(parameter) ?? '').split(',').filter(Boolean).map((name) => name.trim().toLowerCase());
    const wanted = named('attributes');
    const unwanted = named('excludedAttributes');
    if (wanted.length === 0 && unwanted.length === 0) return full;
    const keep = ([name]) => ['schemas', 'id'].includes(name)
      || (wanted.length > 0 ? wanted.some((path) => top(path, type) === name) : !unwanted.includes(name.toLowerCase()));
    const chosen = Object.fromEntries(Object.entries(full).filter(keep));
    return { ...chosen, meta: chosen.meta ?? { location: full.meta.location } };
  }
}

function top(path, type) {
  return type.resolve(path)?.[0].name;
}

function documents(all, id) {
  if (id !== undefined) {
    const one = all.find((document) => document.id === id);
    if (!one) throw new Refusal(404, undefined, 'no such document');
    return { status: 200, body: one };
  }
  const counts = { totalResults: all.length, startIndex: 1, itemsPerPage: all.length };
  return { status: 200, body: { schemas: [`${MESSAGE}ListResponse`], ...counts, Resources: all } };
}
