/** What runtimes know of the client beside the request. */

import type { Peer } from './types.js';

/** What an edge runtime says of a client certificate on the request itself; only such runtimes can set it. */
interface EdgeRequest extends Request {
  cf?: { tlsClientAuth?: Partial<Record<'certPresented' | 'certVerified' | 'certSubjectDNRFC2253' | 'certFingerprintSHA256', string>> };
}

/** The client of a request to a worker. */
export function edgePeer(request: EdgeRequest): Peer | undefined {
  const shown = request.cf?.tlsClientAuth;
  if (shown?.certPresented !== '1' || shown.certVerified !== 'SUCCESS') return undefined;
  const { certSubjectDNRFC2253: subject, certFingerprintSHA256: sha256 } = shown;
  return { certificate: { ...(subject ? { subject } : {}), ...(sha256 ? { sha256: hex(sha256) } : {}) } };
}

/** Hex digits, whatever stands between them. */
export const hex = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();
