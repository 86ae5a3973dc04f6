// A real OpenID provider on a port of its own, whose keys can change and which can fail in every way.

import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';

import Provider from 'oidc-provider';

/** A private key as a JWK with a name. */
export function key(kid, type = 'rsa') {
  const { privateKey } = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: type === 'rsa' ? 'RS256' : 'ES256' };
}

/** A secret that has to be encoded wherever it goes, and a key in PEM. */
export const CLIENT_SECRET = 'p+a:s%s/w&o=rd';
const client = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const CLIENT_KEY = client.privateKey.export({ type: 'pkcs8', format: 'pem' });

const CLIENT = { client_id: 'idp', client_secret: 'idp-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const GATEWAY = { client_id: 'gateway', client_secret: 'gateway-secret', grant_types: [], redirect_uris: [], response_types: [] };
/** The gateway as a client that wants tokens for the provider, in each way a client can prove who it is. */
const own = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], client_secret: CLIENT_SECRET };
const OWN = [
  { ...own, client_id: 'by-basic', token_endpoint_auth_method: 'client_secret_basic' },
  { ...own, client_id: 'by-body', token_endpoint_auth_method: 'client_secret_post' },
  {
    ...own, client_id: 'by-key', client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'RS256',
    jwks: { keys: [{ ...client.publicKey.export({ format: 'jwk' }), kid: 'own', use: 'sig', alg: 'RS256' }] },
  },
];

/**
 * Starts it: `{ issuer, token(), use(keys), fail(how), asked, stop() }`.
 * `token({ format })` asks for a token as the IdP would; `fail`: none | down | slow | html | error | empty.
 */
export async function startIssuer(keys) {
  let callback, failure = 'none';
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    switch (failure) {
      case 'none': return callback(request, response);
      case 'down': return request.socket.destroy();
      case 'slow': return undefined;
      case 'html': return response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>');
      case 'empty': return response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}');
      default: return response.writeHead(500).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const use = (next) => {
    const provider = new Provider(issuer, {
      clients: [CLIENT, GATEWAY, ...OWN],
      jwks: { keys: next },
      clientDefaults: { token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: next[0].alg },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: (_, resource) => ({
            scope: 'scim', audience: 'scim', accessTokenTTL: resource === 'urn:short' ? 12 : 3600,
            accessTokenFormat: resource === 'urn:opaque' ? 'opaque' : 'jwt',
            jwt: { sign: { alg: next[0].alg } },
          }),
        },
      },
    });
    provider.on('server_error', (_, error) => console.error(error));
    callback = provider.callback();
  };
  use(keys);
  return {
    issuer, asked, use,
    fail: (how) => { failure = how; },
    async token(resource = 'urn:scim') {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa('idp:idp-secret')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'scim' }),
      });
      const answer = await response.json();
      if (!answer.access_token) throw new Error(JSON.stringify(answer));
      return answer.access_token;
    },
    stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}
