// A deployment is judged before it serves: `envoy --mode validate` accepts the examples and refuses what is wrong, naming the place.

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';

import { bootstrap, example, parts, validate } from './envoy.mjs';
import { rendered, secretNames } from './examples.mjs';
import { EXAMPLES, PLAIN, SECRETS } from './setup.mjs';

for (const name of EXAMPLES) {
  test(`${name}: the example is accepted as it stands, provider over TLS`, async () => {
    const { clusters } = parts(example(name, 'envoy.yaml'));
    const { ok: accepted, log } = await validate({ name, secrets: SECRETS, change: (found) => Object.assign(found.clusters, clusters) });
    ok(accepted, log);
    ok(clusters.every((cluster) => cluster.transport_socket.typed_config.common_tls_context.validation_context.trusted_ca));
  });

  test(`${name}: envoy.yaml is the plain one with the example's own document, secrets and clusters (UPDATE=1 writes it)`, () => {
    const { made, found } = rendered(name);
    equal(found, made);
  });

  test(`${name}: the filter's document is the one of scimlock.yaml`, () => {
    const { plugin } = parts(example(name, 'envoy.yaml'));
    deepEqual(plugin.configuration.value, example(name, 'scimlock.yaml'));
    deepEqual(plugin.vm_config.environment_variables.host_env_keys, secretNames(plugin.configuration.value));
  });

  test(`${name}: the settings that keep the boundary closed are there`, () => {
    const { plugin, manager, listener } = parts(example(name, 'envoy.yaml'));
    equal(plugin.failure_policy, 'FAIL_RELOAD');
    equal(plugin.allow_on_headers_stop_iteration, true);
    ok(plugin.vm_config.vm_id);
    const [host] = manager.route_config.virtual_hosts;
    deepEqual(host.request_headers_to_remove, ['x-scimlock-cluster', 'x-forwarded-proto']);
    ok(host.routes.every(({ route }) => route.cluster_header === 'x-scimlock-cluster'));
    ok(Number.parseInt(manager.stream_idle_timeout, 10) < 60);
    ok(listener.per_connection_buffer_limit_bytes > 2 ** 24);
  });
}

const document = () => example(PLAIN, 'scimlock.yaml');
const refused = [
  ['an unknown key', { ...document(), nonsense: 1 }, /error \[SL\d{4}\] \/nonsense/],
  ['a missing route', { ...document(), routes: {} }, /error \[SL\d{4}\] \/routes/],
  ['a provider without a cluster', { ...document(), envoy: { clusters: {} } }, /error \[SL\d{4}\] \/[\w/-]+.*app\.example/],
  ['the streaming mode', { ...document(), envoy: { ...document().envoy, host_mode: 'streaming' } }, /error \[SL\d{4}\] \/envoy\/host_mode/],
];

for (const [what, config, place] of refused) {
  test(`${what} is refused with code and place`, async () => {
    const { ok: accepted, log } = await validate({ name: PLAIN, secrets: SECRETS, config });
    equal(accepted, false, log);
    match(log, place);
  });
}

test('an unset secret is refused by name, and no secret is shown', async () => {
  const { ok: accepted, log } = await validate({ name: PLAIN, secrets: { SCIM_TOKEN_SHA256: SECRETS.SCIM_TOKEN_SHA256 } });
  equal(accepted, false, log);
  match(log, /error \[SL\d{4}\] \/routes\/directory\/provider\/credential\/bearer: .*PROVIDER_TOKEN/);
  ok(!log.includes(SECRETS.SCIM_TOKEN_SHA256));
});

test('a secret in a file is refused with the remedy', async () => {
  const config = document();
  config.routes.directory.provider.credential.bearer = '${file:/run/secrets/token}';
  const { ok: accepted, log } = await validate({ name: PLAIN, secrets: SECRETS, config });
  equal(accepted, false, log);
  match(log, /file:\/run\/secrets\/token.*environment_variables/);
});

test('a document as JSON text is as good as one in YAML', async () => {
  const asText = (text) => ({ plugin }) => { plugin.configuration = { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: text }; };
  const good = await validate({ name: PLAIN, secrets: SECRETS, change: asText(JSON.stringify(document())) });
  ok(good.ok, good.log);
  const broken = await validate({ name: PLAIN, secrets: SECRETS, change: asText('{"version": 1,}') });
  equal(broken.ok, false);
  match(broken.log, /error \[SL\d{4}\]/);
});

test('a filter without a document is refused', async () => {
  const { ok: accepted, log } = await validate({ name: PLAIN, secrets: SECRETS, change: ({ plugin }) => { delete plugin.configuration; } });
  equal(accepted, false);
  match(log, /the plugin has no `configuration`/);
});

test('the tests change nothing of an example but addresses, secrets and the path of the filter', () => {
  const made = bootstrap({ name: PLAIN, secrets: SECRETS, provider: 2, port: 1 });
  const plain = example(PLAIN, 'envoy.yaml');
  for (const one of [made, plain]) {
    const { listener, plugin, clusters } = parts(one);
    delete listener.enable_reuse_port;
    for (const found of [listener.address, plugin.vm_config.code, plugin.vm_config.environment_variables]) {
      for (const key of Object.keys(found)) delete found[key];
    }
    for (const cluster of clusters) { delete cluster.transport_socket; delete cluster.load_assignment; }
  }
  deepEqual(made, plain);
});
