import { DerReader, readOid, readTime, TAG } from "./der.ts";
import { type Identity, IdentityError, parseIdentityUri, type Tier, TRUST_DOMAIN } from "./identity.ts";

/** The intermediates: one for each tier, and one for the ports that devices and people use. */
export type IssuerTier = Tier | "public";

/** What a certificate says. Nothing here is checked against a signature: TLS does that. */
export interface CertificateFacts {
  /** Who it names, when it names exactly one service of the platform. */
  readonly identity?: Identity;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Common names. */
  readonly subject: string;
  readonly issuer: string;
  /** The intermediate that issued it, when it is one of the platform's. */
  readonly issuerTier?: IssuerTier;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Lower-case hexadecimal. */
  readonly serial: string;
}

const OID_COMMON_NAME = "2.5.4.3";
const OID_SUBJECT_ALT_NAME = "2.5.29.17";

/** GeneralName choices (RFC 5280, 4.2.1.6). */
const NAME_DNS = 0x82;
const NAME_URI = 0x86;
const NAME_IP = 0x87;

const ISSUER_NAMES: Readonly<Record<IssuerTier, string>> = {
  global: `${TRUST_DOMAIN} global`,
  regional: `${TRUST_DOMAIN} regional`,
  cloudlet: `${TRUST_DOMAIN} cloudlet`,
  public: `${TRUST_DOMAIN} public`,
};

/** The common name of a tier's intermediate. The root signs no other, and none of them may sign another authority. */
export function issuerNameOf(tier: IssuerTier): string {
  return ISSUER_NAMES[tier];
}

/** The certificates of a PEM text as DER, in order. */
export function splitPem(pem: string): Uint8Array[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)]
    .map(([, body]) => Uint8Array.fromBase64(body!));
}

/**
 * Reads a certificate; of a PEM text the first one.
 *
 * @throws {IdentityError} When it is none.
 */
export function parseCertificate(certificate: string | Uint8Array): CertificateFacts {
  try {
    const der = typeof certificate === "string" ? splitPem(certificate)[0] : certificate;
    if (!der) throw new RangeError("No PEM block in it");
    return parseDer(der);
  } catch (cause) {
    if (cause instanceof IdentityError) throw cause;
    throw new IdentityError("The certificate cannot be read", { cause });
  }
}

function parseDer(der: Uint8Array): CertificateFacts {
  const tbs = new DerReader(der).enter(TAG.sequence).enter(TAG.sequence);
  if (tbs.peek() === TAG.context0) tbs.next();
  const serial = tbs.next(TAG.integer).content.toHex().replace(/^00(?=.)/, "");
  tbs.next(TAG.sequence);
  const issuer = commonName(tbs.enter(TAG.sequence));
  const validity = tbs.enter(TAG.sequence);
  const [notBeforeMs, notAfterMs] = [readTime(validity.next()), readTime(validity.next())];
  const subject = commonName(tbs.enter(TAG.sequence));
  tbs.next(TAG.sequence);
  const names = { uris: [] as string[], dnsNames: [] as string[], ipAddresses: [] as string[] };
  while (!tbs.done) {
    const element = tbs.next();
    if (element.tag === TAG.context3) readExtensions(new DerReader(element.content).enter(TAG.sequence), names);
  }
  const issuerTier = (Object.keys(ISSUER_NAMES) as IssuerTier[]).find((tier) => ISSUER_NAMES[tier] === issuer);
  return { identity: identityOf(names.uris), ...names, subject, issuer, issuerTier, notBeforeMs, notAfterMs, serial };
}

/** A certificate with two names, or with one of another trust domain beside ours, is nobody's (SPIFFE X509-SVID, 2). */
function identityOf(uris: readonly string[]): Identity | undefined {
  if (uris.length !== 1) return undefined;
  try {
    return parseIdentityUri(uris[0]!);
  } catch {
    return undefined;
  }
}

function commonName(name: DerReader): string {
  let found = "";
  while (!name.done) {
    const parts = name.enter(TAG.set);
    while (!parts.done) {
      const part = parts.enter(TAG.sequence);
      const oid = readOid(part.next(TAG.oid).content);
      if (oid === OID_COMMON_NAME) found = new TextDecoder().decode(part.next().content);
    }
  }
  return found;
}

function readExtensions(
  extensions: DerReader,
  names: { uris: string[]; dnsNames: string[]; ipAddresses: string[] },
): void {
  while (!extensions.done) {
    const extension = extensions.enter(TAG.sequence);
    const oid = readOid(extension.next(TAG.oid).content);
    if (extension.peek() === TAG.boolean) extension.next();
    const value = extension.next(TAG.octetString).content;
    if (oid !== OID_SUBJECT_ALT_NAME) continue;
    const list = new DerReader(value).enter(TAG.sequence);
    while (!list.done) {
      const { tag, content } = list.next();
      if (tag === NAME_URI) names.uris.push(new TextDecoder().decode(content));
      else if (tag === NAME_DNS) names.dnsNames.push(new TextDecoder().decode(content));
      else if (tag === NAME_IP) names.ipAddresses.push(ipText(content));
    }
  }
}

function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new RangeError("An IP address has 4 or 16 bytes");
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[at * 2]! * 256 + bytes[at * 2 + 1]!).toString(16));
  // The URL parser writes the canonical short form (RFC 5952).
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
