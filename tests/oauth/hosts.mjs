// The two hosts of these tests: the gateway in Node and in Envoy, each in front of one provider, with one route.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

import { startEnvoy } from '../envoy/envoy.mjs';
import { CLIENT_KEY, CLIENT_SECRET } from './issuer.mjs';

const USER = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: '1', userName: 'mira.osei@nordwind.example' };
const SECRETS = { PROVIDER_TOKEN: 'provider-secret', GATEWAY_SECRET: 'gateway-secret', GRANT_KEY: 'k'.repeat(43), CLIENT_SECRET, CLIENT_KEY };

/** 64 hex digits. */
export const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/**
 * Starts a host: `{ origin, seen, get(token), advance(milliseconds), stop() }`; `get` answers the status, `seen` is what the provider
 * was shown. `change` is for Envoy's configuration.
 */
export async function start(host, idp, issuer, { credential = { bearer: '${PROVIDER_TOKEN}' }, change = () => {} } = {}) {
  const seen = [];
  const provider = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/scim+json' }).end(JSON.stringify(USER));
  });
  await new Promise((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const { port } = provider.address();
  const config = {
    version: 1,
    public_url: 'https://scim.acme.example',
    routes: {
      main: {
        idp: { profile: 'generic', path: '/scim/v2', ...idp },
        provider: { profile: 'generic', url: `http://127.0.0.1:${port}/api/scim`, credential },
      },
    },
  };
  const running = await HOSTS[host](config, port, Number(new URL(issuer).port), change);
  return {
    ...running, seen,
    async get(token) {
      const headers = { host: 'scim.acme.example', ...(token && { authorization: `Bearer ${token}` }) };
      const response = await fetch(`${running.origin}/scim/v2/Users/1`, { headers });
      await response.arrayBuffer();
      return response.status;
    },
    async stop() {
      await running.stop();
      provider.closeAllConnections();
      await new Promise((resolve) => provider.close(resolve));
    },
  };
}

const HOSTS = {
  async node(config) {
    const [{ createGateway }, { createServer: serve }] = await Promise.all([import('../../js/dist/index.js'), import('../../js/dist/node.js')]);
    let ahead = 0;
    const gateway = await createGateway(config, { secrets: SECRETS, onAudit: () => {}, now: () => Date.now() + ahead });
    const server = serve(gateway);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      origin: `http://127.0.0.1:${server.address().port}`,
      advance: async (time) => { ahead += time; },
      stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
    };
  },

  async envoy(config, provider, issuer, change) {
    const clusters = { [`127.0.0.1:${provider}`]: 'provider', [`127.0.0.1:${issuer}`]: 'issuer' };
    const envoy = await startEnvoy({
      name: 'generic-to-generic', config: { ...config, envoy: { clusters } }, secrets: SECRETS, provider,
      change: (parts) => {
        const { clusters } = parts;
        const own = structuredClone(clusters[0]);
        clusters[0].name = clusters[0].load_assignment.cluster_name = 'provider';
        own.name = own.load_assignment.cluster_name = 'issuer';
        own.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value = issuer;
        clusters.push(own);
        change(parts);
      },
    });
    return {
      origin: `http://127.0.0.1:${envoy.port}`,
      // Envoy's clock is the machine's.
      advance: (time) => new Promise((resolve) => setTimeout(resolve, time)),
      stop: envoy.stop,
    };
  },
};
