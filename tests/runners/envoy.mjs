// The golden cases through the real Envoy: one process for all cases of a configuration. `node tests/runners/envoy.mjs [PART OF A FILE NAME]`

import { startEnvoy } from '../envoy/envoy.mjs';
import { run } from './case.mjs';

await run('envoy', ({ name, config, secrets }) => {
  const [{ provider }] = Object.values(config.routes);
  return startEnvoy({ name, config, secrets, provider: Number(new URL(provider.url).port) });
});
