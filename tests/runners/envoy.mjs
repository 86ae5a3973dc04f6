// The golden cases through the real Envoy, one process for many configurations. `node tests/runners/envoy.mjs [PART OF A FILE NAME]`

import { startEnvoys } from '../envoy/envoy.mjs';
import { run } from './case.mjs';

const DAY = 86_400_000;
/** Each has VMs of its own, some 20 MB. */
const AT_ONCE = 40;

await run('envoy', async (all) => {
  const envoy = await startEnvoys(all.map(({ config, now, ...rest }) => ({
    ...rest,
    // Envoy's clock cannot be set: the dates of the configuration move instead.
    config: moveDates(config, dayOf(Date.now()) - dayOf(now)),
    change: hurry,
  })));
  return { gateways: envoy.ports.map((port) => ({ port })), stop: envoy.stop };
}, AT_ONCE);

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
