// Runs the golden cases through the npm package in Node, behind its server. Usage: node.mjs [part of a file name]
import { createGateway } from '../../js/dist/index.js';
import { createServer } from '../../js/dist/node.js';
import { run } from './case.mjs';

await run('node', async ([{ config, secrets }]) => {
  let now = 0;
  const gateway = await createGateway(config, { secrets, now: () => now, onAudit: () => {} });
  const server = createServer(gateway);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    gateways: [{ port: server.address().port, setNow: (time) => { now = time; } }],
    stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
});
