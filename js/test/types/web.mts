// Compiles without Node's types: a Worker, or a page.
import { ConfigError, createGateway, type Gateway, type Options, type Problem, type RawResponse } from 'scimlock';
import { createGateway as slim } from 'scimlock/slim';

const options: Options = { secrets: { TOKEN: 'x' }, onAudit: (line: string) => void line, now: () => 0 };
const gateway: Gateway = await createGateway({ version: 1 }, options);
const response: Response = await gateway.fetch(new Request('https://example'));
const raw: RawResponse = await gateway.handle({ method: 'GET', path: '/', headers: [['a', 'b']] });
const problems: readonly Problem[] = new ConfigError([]).problems;
await slim('{}', { engine: new WebAssembly.Module(raw.body) });
export default { fetch: gateway.fetch };
// @ts-expect-error: slim has no engine of its own
await slim('{}', {});
// @ts-expect-error: an option that does not exist
await createGateway('{}', { retries: 3 });
void [response, problems];
