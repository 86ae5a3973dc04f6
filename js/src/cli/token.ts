/** `scimlock token` and `scimlock hash`: secrets for IdPs, of which the gateway only ever keeps a hash. */

import { createHash, randomBytes } from 'node:crypto';

import { hashPassword } from '../passwords.js';
import { command } from './command.js';
import { readText } from './files.js';
import { Refusal, note, paint, pretty, print } from './output.js';

/** What tokens begin with, so that scanners for leaked secrets know one. */
const PREFIX = 'scimlock_';
const RANDOM_BYTES = 24;
/** Shorter secrets can be guessed from their hash. */
const SHORT = 22;

export const token = () => command('token', 'Make a token for an IdP', 'Makes a token for an IdP: 192 random bits behind a prefix that scanners for leaked secrets can know, and a checksum. It is shown once and kept nowhere; the configuration gets its SHA-256.', [
  ['scimlock token', 'the token on standard output, what to write into the configuration beside it'],
  ['scimlock token --name idp-2027 --expires 2027-12-31', 'with the name that audit records show'],
  ['scimlock token 2> verifier.yaml | pbcopy', 'the token to the clipboard, the rest to a file'],
])
  .option('--name <name>', 'the token\'s name in audit records (default: idp- and the year)')
  .option('--expires <date>', 'its last day (default: in a year)')
  .option('--json', 'print token and hash as one JSON object')
  .action(({ name, expires, json }: { name?: string; expires?: string; json?: boolean }) => {
    const secret = make();
    const sha256 = hashOf(secret);
    if (json) return print(pretty({ token: secret, sha256 }));
    const inAYear = new Date();
    inAYear.setUTCFullYear(inAYear.getUTCFullYear() + 1);
    print(secret);
    note('', `${paint('bold', 'The token is shown this once.')} Enter it at the IdP; in the configuration, under \`accept\`:`, '',
      '  - bearer:', `      name: ${name ?? `idp-${new Date().getUTCFullYear()}`}`, `      sha256: ${sha256}`, `      expires: ${expires ?? inAYear.toISOString().slice(0, 10)}`);
  });

export const hash = () => command('hash', 'Hash a token or a password for a configuration', 'Prints the SHA-256 of the token on standard input, as a configuration holds it; of a password that somebody chose a slow hash.', [
  ['scimlock hash < token.txt', 'a token in a file; its last line break does not belong to it'],
  ['pbpaste | scimlock hash', 'one from the clipboard: not as an argument, which other users of the machine could see'],
  ['scimlock hash --password < password.txt', 'the `phc` of a password: Argon2id where `@node-rs/argon2` is installed, else PBKDF2'],
])
  .option('--password', 'a password that somebody chose: print a slow hash of it (PHC string), for gateways in Node')
  .action(async ({ password }: { password?: boolean }) => {
    if (process.stdin.isTTY) note(`paste the ${password ? 'password' : 'token'}, press Enter, then Ctrl-D`);
    const secret = readText('-').replace(/\r?\n$/, '');
    if (password) return print(await slowHash(secret));
    if (secret === '') throw new Refusal('scimlock: there is no token on standard input');
    if (/[\s\p{C}]/u.test(secret)) throw new Refusal('scimlock: the token has white space in it: was more than the token copied?');
    if (secret.startsWith(PREFIX) && checksum(secret.slice(0, -CHECKSUM)) !== secret.slice(-CHECKSUM)) {
      throw new Refusal('scimlock: the token\'s checksum is wrong: it was not copied completely');
    }
    if (secret.length < SHORT) note(`warning: ${secret.length} characters can be guessed: use a token of \`scimlock token\``);
    print(hashOf(secret));
  });

function slowHash(secret: string): Promise<string> {
  if (secret === '') throw new Refusal('scimlock: there is no password on standard input');
  if (/\p{C}/u.test(secret)) throw new Refusal('scimlock: the password has control characters, which cannot be sent (RFC 7617)');
  if (secret.length < 12) note(`warning: ${secret.length} characters can be guessed, with a slow hash, too`);
  return hashPassword(secret);
}

const CHECKSUM = 6;

function make(): string {
  const body = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
  return body + checksum(body);
}

const checksum = (body: string): string => createHash('sha256').update(body).digest('base64url').slice(0, CHECKSUM);

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
