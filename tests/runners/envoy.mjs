// The golden cases through the real Envoy: one process for all cases of a configuration. `node tests/runners/envoy.mjs [PART OF A FILE NAME]`

import { startEnvoy } from '../envoy/envoy.mjs';
import { run } from './case.mjs';

const DAY = 86_400_000;

await run('envoy', ({ name, config, secrets, issuer }) => {
  const [{ provider }] = Object.values(config.routes);
  let envoy, running;
  return {
    get port() { return envoy.port; },
    // Envoy's clock cannot be set: the dates of the configuration move instead, and Envoy starts again where one did.
    async setNow(now) {
      const moved = moveDates(config, dayOf(Date.now()) - dayOf(now));
      if (JSON.stringify(moved) === JSON.stringify(running)) return;
      await envoy?.stop();
      running = moved;
      envoy = await startEnvoy({ name, config: moved, secrets, provider: Number(new URL(provider.url).port), issuer, change: hurry });
    },
    stop: () => envoy?.stop(),
  };
});

// Envoy waits a second for the IdP to close after a refusal; the runner waits for Envoy to close.
function hurry({ manager }) {
  manager.delayed_close_timeout = '0.05s';
}

function moveDates(config, days) {
  const move = (key, value) => (key === 'expires' ? new Date((dayOf(Date.parse(value)) + days) * DAY).toISOString().slice(0, 10) : value);
  return JSON.parse(JSON.stringify(config, move));
}

function dayOf(milliseconds) {
  return Math.floor(milliseconds / DAY);
}
