// Bundles the package into dist/; the engine comes from build/ (made by `cargo xtask build`), the types from tsc.
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);
const ENGINE = 'build/engine_bg.wasm';

const bytes = readFileSync(ENGINE);
// The engine is pure: what it would import could only be a clock, randomness or I/O that it must not have.
const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ name }) => name).filter((name) => name !== '__wbindgen_init_externref_table');
if (imports.length > 0) throw new Error(`the engine imports ${imports.join(', ')}`);

for (const name of readdirSync('dist')) if (name !== 'types') rmSync(`dist/${name}`, { recursive: true });
copyFileSync(ENGINE, 'dist/engine.wasm');
copyFileSync('../LICENSE', 'dist/LICENSE');

/** The import of the engine: its bytes, or left to the host under another name. */
const engine = (external) => ({
  name: 'engine',
  setup: (builder) => builder.onResolve({ filter: /^\.\.?\/engine\.wasm$/ }, () =>
    external ? { path: external, external: true } : { path: `${process.cwd()}/${ENGINE}` }),
});
const common = {
  bundle: true, outdir: 'dist', target: 'es2022', platform: 'neutral', charset: 'utf8', logLevel: 'warning',
  external: ['node:*', '@node-rs/*', 'commander', 'diff', 'fastest-levenshtein', 'yaml'], loader: { '.wasm': 'binary' },
};
const define = (isolates) => ({ VERSION: JSON.stringify(JSON.parse(readFileSync('package.json', 'utf8')).version), ISOLATES: String(isolates) });
const entries = { index: 'src/index.ts', slim: 'src/slim.ts', node: 'src/node.ts' };
await build({ ...common, format: 'esm', splitting: true, chunkNames: 'chunks/[name]-[hash]', entryPoints: { ...entries, cli: 'src/cli.ts' }, define: define(false), plugins: [engine()] });
await build({ ...common, format: 'cjs', outExtension: { '.js': '.cjs' }, entryPoints: entries, define: define(false), plugins: [engine()] });
await build({ ...common, format: 'esm', entryPoints: { workerd: 'src/index.ts' }, define: define(true), plugins: [engine('./engine.wasm')] });
await build({ ...common, format: 'esm', entryPoints: { 'edge-light': 'src/index.ts' }, define: define(true), plugins: [engine('./engine.wasm?module')] });
chmodSync('dist/cli.js', 0o755);

// Only what is exported has types to publish.
const PUBLIC = ['index', 'slim', 'node', 'types', 'errors', 'store', 'passwords'].map((name) => `${name}.d.ts`);
for (const name of readdirSync('dist/types')) if (!PUBLIC.includes(name)) rmSync(`dist/types/${name}`, { recursive: true });

// The same types once more for `require`, where a package of its own type says that they describe CommonJS.
mkdirSync('dist/cjs');
cpSync('dist/types', 'dist/cjs', { recursive: true });
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
