/** Slow hashes of passwords, computed beside the event loop: for `scimlock/node`. */

import { pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

import type { Passwords } from './types.js';

type Algorithm = Passwords['algorithms'][number];
type Compare = (hash: string, password: Uint8Array) => Promise<boolean>;

/**
 * What computes slow hashes in Node, for the option `passwords`: PBKDF2 always, Argon2id where `@node-rs/argon2` is
 * installed, bcrypt where `@node-rs/bcrypt` is.
 */
export async function passwords(): Promise<Passwords> {
  const found: [Algorithm, Compare | undefined][] = [['argon2id', await argon2id()], ['bcrypt', await bcrypt()], ['pbkdf2', comparePbkdf2]];
  const ways = new Map(found.filter((way): way is [Algorithm, Compare] => way[1] !== undefined));
  return {
    algorithms: [...ways.keys()],
    verify: async (algorithm, hash, password) => {
      const compare = ways.get(algorithm);
      if (!compare) throw new Error(`${algorithm} is not computed here`);
      return compare(hash, password);
    },
  };
}

async function argon2id(): Promise<Compare | undefined> {
  const found = await ifInstalled(() => import('@node-rs/argon2'));
  return found && ((hash, password) => found.verify(hash, password));
}

/** bcrypt looks at so many bytes; what has the same beginning is another password all the same. */
const BCRYPT_BYTES = 72;

async function bcrypt(): Promise<Compare | undefined> {
  const found = await ifInstalled(() => import('@node-rs/bcrypt'));
  return found && (async (hash, password) => (await found.verify(password.subarray(0, BCRYPT_BYTES), hash)) && password.length <= BCRYPT_BYTES);
}

async function ifInstalled<T>(load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')) return undefined;
    throw error;
  }
}

const derive = promisify(pbkdf2);

async function comparePbkdf2(hash: string, password: Uint8Array): Promise<boolean> {
  const [, name = '', cost = '', salt = '', rest = ''] = hash.split('$');
  const [digest, rounds] = [name.replace('pbkdf2-', ''), /^i=(\d+)/.exec(cost)?.[1]];
  const expected = Buffer.from(rest, 'base64');
  const made = await derive(password, Buffer.from(salt, 'base64'), Number(rounds), expected.length, digest);
  return timingSafeEqual(made, expected);
}

const ROUNDS = 210_000;
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

/** A slow hash of a password: of Argon2id where `@node-rs/argon2` is installed, else of PBKDF2. */
export async function hashPassword(password: string): Promise<string> {
  const found = await ifInstalled(() => import('@node-rs/argon2'));
  // OWASP, Password Storage Cheat Sheet: the least it should cost.
  if (found) return found.hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  const salt = randomBytes(16);
  return `$pbkdf2-sha512$i=${ROUNDS},l=32$${unpadded(salt)}$${unpadded(await derive(password, salt, ROUNDS, 32, 'sha512'))}`;
}
