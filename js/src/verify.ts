/** Signatures that the host's WebCrypto verifies, which is quicker than the engine itself, and passwords. */

import { Fault, type Verify } from './engine.js';
import { Failed } from './provider.js';
import type { Passwords } from './types.js';

const RSA = { RS: 'RSASSA-PKCS1-v1_5', PS: 'RSA-PSS' } as const;

/** Keys that were imported, the last used behind the others: importing one costs several times a verification. */
const imported = new Map<string, CryptoKey>();
const MOST = 64;

async function keyOf(algorithm: string, key: Uint8Array<ArrayBuffer>, parameters: RsaHashedImportParams | EcKeyImportParams): Promise<CryptoKey> {
  const name = `${algorithm} ${String.fromCharCode(...key)}`;
  const made = imported.get(name) ?? await crypto.subtle.importKey('spki', key, parameters, false, ['verify']);
  imported.delete(name);
  imported.set(name, made);
  for (const oldest of imported.keys()) {
    if (imported.size <= MOST) break;
    imported.delete(oldest);
  }
  return made;
}

/** Whether a signature or a password is right. Throws `Failed` where that could not be tried. */
export async function verify(what: Verify, passwords: Passwords | undefined): Promise<boolean> {
  const slow = passwords?.algorithms.find((algorithm) => algorithm === what.algorithm);
  try {
    return passwords && slow ? await passwords.verify(slow, new TextDecoder().decode(what.key), what.message) : await verifySignature(what);
  } catch (error) {
    if (slow) console.error(`scimlock: a password could not be checked: ${error instanceof Error ? error.name : 'error'}`);
    throw new Failed(Fault.Unreachable);
  }
}

async function verifySignature({ algorithm, key, message, signature }: Verify): Promise<boolean> {
  const bits = Number(algorithm.slice(2));
  const hash = `SHA-${bits}`;
  const family = algorithm.slice(0, 2);
  const name = family === 'ES' ? 'ECDSA' : RSA[family as keyof typeof RSA];
  if (!name) throw new Error(`${algorithm} is not verified here`);
  const parameters = family === 'ES' ? { name, namedCurve: `P-${bits}` } : { name, hash };
  const made = await keyOf(algorithm, key, parameters);
  return await crypto.subtle.verify({ name, hash, saltLength: bits / 8 }, made, signature, message);
}

/** Whether there is a WebCrypto at all. */
export const verifies = (): boolean => typeof globalThis.crypto?.subtle?.verify === 'function';
