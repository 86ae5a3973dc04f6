// The command line: what `check` prints and ends with, and `serve` from start to stop.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { AUTHORIZED, CLI, SECRETS, USER, startProvider, workspace } from './support.mjs';

const { folder, file: put, run } = workspace();
const file = (text, name = 'c.yaml') => put(name, text);

const YAML = (origin = 'http://127.0.0.1:9') => `# a comment
version: 1
public_url: https://scim.example
routes:
  main:
    idp:
      profile: generic
      path: /scim/v2
      accept:
        - bearer: { name: idp, sha256: "\${IDP_TOKEN}", expires: 2099-12-31 }
    provider:
      profile: generic
      url: ${origin}/api
      credential:
        bearer: \${PROVIDER_TOKEN}
`;

test('check: a good configuration', () => {
  const { status, stdout } = run(['check', file(YAML())]);
  assert.match(stdout, /^secrets: IDP_TOKEN, PROVIDER_TOKEN\nc\.yaml: ok\n$/m);
  assert.equal(status, 0);
});

test('check: errors name code, file, line, route and remedy, in the order of the file', () => {
  const { status, stdout } = run(['check', file(YAML().replace('profile: generic\n      path:', 'profil: generic\n      path:').replace('  bearer: ${', '  bearr: ${'))]);
  const lines = stdout.split('\n');
  assert.match(lines[0], /^error \[SL\d{4}\] c\.yaml:(6|7) main: /);
  assert.match(stdout, /error \[SL\d{4}\] c\.yaml:7 main: .*`profil`.*\n  .*`profile`/);
  assert.match(stdout, /error \[SL\d{4}\] c\.yaml:15 main: .*`bearr`/);
  assert.match(lines.at(-2), /^c\.yaml: \d+ errors$/);
  assert.equal(status, 1);
});

test('check: a number where text is meant is placed', () => {
  const { status, stdout } = run(['check', file(YAML().replace('name: idp', 'name: 12345'))]);
  assert.match(stdout, /c\.yaml:10 main: .*number.*\n  .*quotes/);
  assert.equal(status, 1);
});

test('check: rules are placed', () => {
  const rules = '    mapping:\n      User:\n        - { idp: title, provider: title }\n        - { idp: active, provider: title }\n';
  const { status, stdout } = run(['check', file(YAML() + rules)]);
  assert.match(stdout, /^error \[SL0605\] c\.yaml:19 main: `active` is a boolean .*\n  .*`values`/m);
  assert.equal(status, 1);
});

test('check --json: for machines', () => {
  const { status, stdout } = run(['check', '--json', file(YAML().replace('      url:', '      uri:'))], { env: { IDP_TOKEN: SECRETS.IDP_TOKEN } });
  const { ok, problems, secrets } = JSON.parse(stdout);
  assert.equal(ok, false);
  assert.ok(problems.some(({ pointer, line, column }) => pointer === '/routes/main/provider/uri' && line === 13 && column === 7), stdout);
  assert.deepEqual(secrets, [{ name: 'IDP_TOKEN', set: true }, { name: 'PROVIDER_TOKEN', set: false }]);
  assert.equal(status, 1);
});

const RULES = `    mapping:
      User:
        - { idp: title, provider: title }
        - { provider: locale, value: de }
        - { idp: password, drop: true }
`;

test('check: how many rules go which way; --rules says why', () => {
  const counted = run(['check', file(YAML() + RULES)]);
  assert.match(counted.stdout, /^rules main User: 1 two-way, 1 to the provider only, 1 dropped$/m);
  assert.equal(counted.status, 0);
  const { stdout } = run(['check', file(YAML() + RULES), '--rules']);
  assert.match(stdout, /^ +1 title +⇄ title$/m);
  assert.match(stdout, /^ +2 +→ locale +a constant has nothing to tell the IdP$/m);
  assert.match(stdout, /^ +3 password +× +the rule says `drop: true`$/m);
  const { rules } = JSON.parse(run(['check', file(YAML() + RULES), '--json']).stdout);
  assert.deepEqual(rules.main.User.rules.map((rule) => rule.class), ['two-way', 'to-provider', 'dropped']);
});

test('secrets are read from files, too', () => {
  writeFileSync(join(folder, 'token'), 'provider-secret\n');
  const text = YAML().replace('${PROVIDER_TOKEN}', `\${file:${join(folder, 'token')}}`);
  assert.equal(run(['check', file(text)]).status, 0);
  const { status, stdout } = run(['check', file(text.replace('/token}', '/nothing}'))]);
  assert.match(stdout, /nothing \(not set\)/);
  assert.equal(status, 1);
});

const refused = {
  'no file': [['check', 'none.yaml'], 1, /^error none\.yaml: no such file$/m],
  'a folder': [['check', '.'], 1, /this is a folder/],
  'an empty file': [['check', file('', 'empty.yaml')], 1, /the file is empty/],
  'broken YAML': [['check', file('a: [1,\nb: 2\n', 'broken.yaml')], 1, /^error broken\.yaml:\d: /m],
  'a path in braces': [['check', file('a:\n  - { idp: emails[type eq "work"].value }\n', 'path.yaml')], 1, /^error path\.yaml:2: .*stands in quotes$/m],
  'a secret in braces': [['check', file('a: { b: ${TOKEN} }\n', 'secret.yaml')], 1, /^error secret\.yaml:1: .*stands in quotes$/m],
  'a key twice': [['check', file('a: 1\nb: 2\na: 3\n', 'twice.yaml')], 1, /^error twice\.yaml:3: .*unique/m],
  'a key twice in JSON': [['check', file('{"a": 1,\n"a": 2}', 'twice.json')], 1, /^error twice\.json:2: .*unique/m],
  'an alias': [['check', file('a: &x 1\nb: *x\n', 'alias.yaml')], 1, /^error alias\.yaml:1: anchors are not taken/m],
  'a tag': [['check', file('a: !secret x\n', 'tag.yaml')], 1, /^error tag\.yaml:1: .*`?!secret/m],
  'two documents': [['check', file('a: 1\n---\nb: 2\n', 'two.yaml')], 1, /^error two\.yaml:\d: .*second document/m],
  'not a number': [['check', file('a: .nan\n', 'nan.yaml')], 1, /^error nan\.yaml:1: .*`\.nan` is no number/m],
  'no command': [[], 2, /Usage: scimlock/],
  'an unknown command': [['sevre'], 2, /unknown command 'sevre'\n\(Did you mean serve\?\)/],
  'an unknown option': [['check', '--jsn', 'c.yaml'], 2, /'--jsn'\n\(Did you mean --json\?\)/],
  'a missing argument': [['check'], 2, /missing required argument 'config'/],
  'a bad port': [['serve', 'c.yaml', '--port', '80a'], 2, /'80a' is invalid\. Write a number from 0 to 65535/],
  'a bad configuration to serve': [['serve', file('version: 1\n', 'bad.yaml')], 1, /^error \[SL\d{4}\] bad\.yaml:1/m],
};
for (const [what, [args, status, message]] of Object.entries(refused)) {
  test(`${what} is refused with a message`, () => {
    const got = run(args);
    assert.match(got.stderr, message);
    assert.equal(got.stdout, '');
    assert.equal(got.status, status);
  });
}

test('--help and --version', () => {
  const { stdout, status } = run(['--help']);
  assert.match(stdout, /Usage: scimlock/);
  assert.equal(status, 0);
  const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]*)(?: \S+)* {2,}/gm)].map(([, name]) => name).filter((name) => name !== 'help');
  assert.ok(commands.length >= 5, stdout);
  for (const name of commands) {
    const help = run([name, '--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, new RegExp(`Usage: scimlock ${name}[^]*(Examples:|Commands:)[^]*`), name);
  }
  assert.match(run(['--version']).stdout, /^scimlock \d+\.\d+\.\d+\n$/);
});

test('no colours where nobody looks', () => {
  assert.ok(!run(['check', file('version: 2\n', 'old.yaml')]).stdout.includes('\u001b'));
});

test('serve: answers, survives bad clients, and stops when told', async (t) => {
  const { origin } = await startProvider(t);
  const server = await serve(t, file(YAML(origin), 'serve.yaml'));

  const response = await fetch(`${server.url}/scim/v2/Users/42`, { headers: AUTHORIZED });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).userName, USER.userName);

  const garbage = await raw(server.port, 'no http\r\n\r\n');
  assert.match(garbage, /^HTTP\/1\.1 400 .*application\/scim\+json.*"status":"400"/s);
  assert.match(await raw(server.port, `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(40_000)}\r\n\r\n`), /^HTTP\/1\.1 431 .*"status":"431"/s);
  // The rest of a refused body is on its way while the answer is.
  const head = 'POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer test\r\ncontent-type: application/scim+json\r\ncontent-length: 3000000\r\n\r\n';
  assert.match(await raw(server.port, head + 'x'.repeat(3_000_000)), /^HTTP\/1\.1 413 .*connection: close.*"status":"413"/is);
  await new Promise((resolve) => connect(server.port, '127.0.0.1', function () { this.write(`${head}{`, () => { this.resetAndDestroy(); resolve(); }); }));
  assert.equal((await fetch(`${server.url}/scim/v2/Users/42`, { headers: AUTHORIZED })).status, 200);
  const put = await fetch(`${server.url}/scim/v2/Users/42`, { method: 'HEAD', headers: AUTHORIZED });
  assert.ok(put.status >= 200);

  assert.equal(run(['serve', 'serve.yaml', '--port', String(server.port)]).stderr.includes('the address is in use'), true);

  assert.equal(await server.stop(), 0);
  const records = server.output().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.ok(records.length >= 3, `${records.length} audit records`);
});

test('serve: what is under way finishes after the signal', async (t) => {
  const { origin } = await startProvider(t, (request, response) => setTimeout(() => response.writeHead(200, { 'content-type': 'application/scim+json' }).end(JSON.stringify(USER)), 400));
  const server = await serve(t, file(YAML(origin), 'slow.yaml'));
  const answer = fetch(`${server.url}/scim/v2/Users/42`, { headers: AUTHORIZED });
  await new Promise((later) => setTimeout(later, 150));
  const code = server.stop();
  assert.equal((await answer).status, 200);
  assert.equal(await code, 0);
});

/** Starts the server on a free port. */
async function serve(t, name) {
  const child = spawn(process.execPath, [CLI, 'serve', name, '--port', '0'], { cwd: folder, env: SECRETS });
  t.after(() => child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { output += text; });
  const url = await new Promise((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      const [, found] = /listening on (\S+)/.exec(said) ?? [];
      if (found) resolve(found);
    });
    ended.then(() => reject(new Error(said)));
  });
  return { url, port: Number(new URL(url).port), output: () => output, stop: () => { child.kill('SIGTERM'); return ended; } };
}

/** Sends bytes and reads until the server closes. */
function raw(port, bytes) {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('latin1').on('data', (text) => { got += text; });
    socket.on('close', () => resolve(got)).on('error', reject);
    socket.setTimeout(10_000, () => socket.destroy(new Error('timed out')));
  });
}
