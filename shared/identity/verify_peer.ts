import { type CertificateFacts, parseCertificate } from "./certificate_facts.ts";
import { type CloudletName, type Identity, identityName, type Tier } from "./identity.ts";

/** Peers that are accepted; what is left out may be anything. */
export interface PeerPattern {
  readonly tier: Tier;
  readonly region?: string;
  readonly cloudlet?: CloudletName;
  readonly services?: readonly string[];
}

/** A peer is accepted when any of the patterns fits. */
export type PeerRule = readonly PeerPattern[];

/** A peer is not one of those that are accepted here. The message is for the peer and for logs. */
export class PeerRefusedError extends Error {
  override readonly name = "PeerRefusedError";
}

/** How far the clocks of two machines may differ. */
const CLOCK_SKEW_MS = 60_000;

/** What certificates say that were read before: a connection shows one, and every call on it is checked by it. */
const read = new WeakMap<Uint8Array, CertificateFacts>();

/**
 * Checks who the other side of a connection is. Both sides of every connection do it.
 *
 * @param chain The peer's certificates as DER, its own first, as TLS verified them up to our root; undefined or empty
 * when it showed none. Each is read once: nobody may change the bytes.
 * @param rule Who is accepted.
 * @param nowMs Epoch milliseconds: a long-lived connection may be checked again later.
 * @returns Who it is.
 * @throws {PeerRefusedError} Saying why.
 */
export function verifyPeer(chain: readonly Uint8Array[] | undefined, rule: PeerRule, nowMs: number): Identity {
  const leaf = chain?.[0];
  if (!leaf) throw new PeerRefusedError("The peer showed no certificate");
  let facts: CertificateFacts;
  try {
    facts = read.get(leaf) ?? parseCertificate(leaf);
    read.set(leaf, facts);
  } catch (cause) {
    throw new PeerRefusedError("The peer's certificate cannot be read", { cause });
  }
  const { identity, issuerTier } = facts;
  if (!identity) {
    throw new PeerRefusedError(`The peer's certificate (${facts.subject}) does not name a service of this platform`);
  }
  const name = identityName(identity);
  if (issuerTier !== identity.tier) {
    const issuer = issuerTier ? `the ${issuerTier} authority` : "an unknown authority";
    throw new PeerRefusedError(
      `Certificate of ${name} was issued by ${issuer}, which may not name ${identity.tier} services`,
    );
  }
  if (nowMs > facts.notAfterMs + CLOCK_SKEW_MS) {
    throw new PeerRefusedError(`Certificate of ${name} expired at ${new Date(facts.notAfterMs).toISOString()}`);
  }
  if (nowMs < facts.notBeforeMs - CLOCK_SKEW_MS) throw new PeerRefusedError(`Certificate of ${name} is not valid yet`);
  const faults = rule.map((pattern) => mismatch(identity, pattern));
  if (faults.includes(undefined)) return identity;
  // Of several patterns the one that came closest tells most.
  const best = faults.reduce((a, b) => (b?.depth ?? 0) > (a?.depth ?? 0) ? b : a, faults[0]);
  throw new PeerRefusedError(`${name} is not accepted here: ${best?.why ?? "nobody is"}`);
}

interface Mismatch {
  readonly depth: number;
  readonly why: string;
}

function mismatch(identity: Identity, pattern: PeerPattern): Mismatch | undefined {
  if (identity.tier !== pattern.tier) {
    return { depth: 0, why: `a ${identity.tier} service where a ${pattern.tier} one is expected` };
  }
  if (pattern.region !== undefined && (identity.tier === "global" || identity.region !== pattern.region)) {
    return { depth: 1, why: `another region than ${pattern.region}` };
  }
  const { cloudlet, services } = pattern;
  if (cloudlet !== undefined) {
    const same = identity.tier === "cloudlet" && identity.cloudlet.organization === cloudlet.organization &&
      identity.cloudlet.name === cloudlet.name;
    if (!same) return { depth: 2, why: `another cloudlet than ${cloudlet.organization}/${cloudlet.name}` };
  }
  if (services !== undefined && !services.includes(identity.service)) {
    return { depth: 3, why: `only ${services.join(", ")} may connect` };
  }
  return undefined;
}
