// The package as others use it: entries, both module systems, types, and what it must not contain.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { Server } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { SECRETS, configFor } from './support.mjs';

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
const wasm = readFileSync(require.resolve('scimlock/engine.wasm'));

const entries = {
  'import': () => import('scimlock'),
  'require': () => require('scimlock'),
  'import, slim': () => import('scimlock/slim'),
  'require, slim': () => require('scimlock/slim'),
};
for (const [name, load] of Object.entries(entries)) {
  test(`${name}: a gateway answers`, async () => {
    const { createGateway, ConfigError } = await load();
    for (const engine of [wasm, new WebAssembly.Module(wasm)]) {
      const gateway = await createGateway(configFor('http://127.0.0.1:9'), { secrets: SECRETS, engine, onAudit: () => {} });
      assert.equal((await gateway.fetch(new Request('https://scim.example/scim/v2/Users'))).status, 401);
    }
    await assert.rejects(createGateway('{}', { engine: wasm }), ConfigError);
  });
}

test('node: both module systems have the server', async () => {
  for (const { createServer, createListener } of [await import('scimlock/node'), require('scimlock/node')]) {
    assert.ok(createServer({ handle: () => {} }) instanceof Server);
    assert.equal(typeof createListener, 'function');
  }
});

test('every export exists, and no entry but the command line needs a package', () => {
  const files = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(files));
  for (const file of [...files(manifest.exports), ...Object.values(manifest.bin)]) readFileSync(folder + file);
  const needs = (file) => [...readFileSync(file, 'utf8').matchAll(/(?:from\s*|(?<!")import\s*|require\()"([^"]+)"/g)].flatMap(([, name]) => (
    name.startsWith('./') && !name.includes('.wasm') ? needs(join(dirname(file), name)) : [name]));
  const allowed = { cli: /^(node:|(commander|diff|fastest-levenshtein|yaml)$)/, node: /^node:/, workerd: /^\.\/engine\.wasm$/, 'edge-light': /^\.\/engine\.wasm\?module$/ };
  for (const file of readdirSync(`${folder}dist`).filter((name) => /\.c?js$/.test(name))) {
    const entry = file.replace(/\.c?js$/, '');
    assert.deepEqual(needs(`${folder}dist/${file}`).filter((name) => !(allowed[entry] ?? /^$/).test(name)), [], file);
  }
});

test('the types compile for both module systems, with and without Node', () => {
  const tsc = require.resolve('typescript/package.json').replace('package.json', 'bin/tsc');
  for (const project of ['tsconfig.json', 'tsconfig.node.json']) execFileSync(process.execPath, [tsc, '-p', `${folder}test/types/${project}`], { stdio: 'pipe', encoding: 'utf8' });
});
