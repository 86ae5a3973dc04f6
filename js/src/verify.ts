/** Signatures that the host's WebCrypto verifies, which is quicker than the engine itself. */

import { Fault, type Verify } from './engine.js';
import { Failed } from './provider.js';

const RSA = { RS: 'RSASSA-PKCS1-v1_5', PS: 'RSA-PSS' } as const;

/** Whether a signature is right. Throws `Failed` where that could not be tried. */
export async function verify({ algorithm, key, message, signature }: Verify): Promise<boolean> {
  const bits = Number(algorithm.slice(2));
  const hash = `SHA-${bits}`;
  const family = algorithm.slice(0, 2);
  const name = family === 'ES' ? 'ECDSA' : RSA[family as keyof typeof RSA];
  if (!name) throw new Failed(Fault.Unreachable);
  try {
    const { subtle } = crypto;
    const parameters = family === 'ES' ? { name, namedCurve: `P-${bits}` } : { name, hash };
    const imported = await subtle.importKey('spki', key, parameters, false, ['verify']);
    return await subtle.verify({ name, hash, saltLength: bits / 8 }, imported, signature, message);
  } catch {
    throw new Failed(Fault.Unreachable);
  }
}

/** Whether there is a WebCrypto at all. */
export const verifies = (): boolean => typeof globalThis.crypto?.subtle?.verify === 'function';
