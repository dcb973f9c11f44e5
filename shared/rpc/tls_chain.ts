import type { Buffer } from "node:buffer";

/** The part of node:tls's detailed peer certificate that is read here. */
export interface DetailedCertificate {
  raw?: Buffer | Uint8Array;
  issuerCertificate?: DetailedCertificate;
}

/** Longest chain looked at; ours have a leaf, an intermediate and a root. */
const MAX_CHAIN_CERTIFICATES = 8;

/** Certificates of a peer in DER, leaf first, from what node:tls tells of it; empty when it showed none. */
export function chainOf(certificate: DetailedCertificate | null | undefined): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next = certificate ?? undefined;
  while (next?.raw && chain.length < MAX_CHAIN_CERTIFICATES) {
    chain.push(new Uint8Array(next.raw));
    // A self-signed root is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
