import { issuerNameOf, type IssuerTier } from "./certificate_facts.ts";

/** Keys of every certificate: P-256, which all TLS stacks in use know. */
export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const EKU_SERVER = "1.3.6.1.5.5.7.3.1";
const EKU_CLIENT = "1.3.6.1.5.5.7.3.2";

/** An authority that signs: its certificate and key. */
export interface Signer {
  readonly certPem: string;
  readonly key: CryptoKey;
}

/** A leaf to sign. */
export interface LeafRequest {
  readonly issuer: Signer;
  readonly publicKey: CryptoKey;
  readonly commonName: string;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly serial: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly usage: "server" | "both";
}

/** A signed certificate. */
export interface Issued {
  readonly der: Uint8Array;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Only processes that issue certificates load the library; those that check them do not. */
async function library() {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

/** A new root: an authority over authorities, signed by itself. */
export async function createRoot(
  keys: CryptoKeyPair,
  serial: Uint8Array,
  notBeforeMs: number,
  notAfterMs: number,
): Promise<string> {
  const x509 = await library();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ["archipelago root"] }],
    keys,
    serialNumber: serialText(serial),
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return encodePem("CERTIFICATE", new Uint8Array(certificate.rawData));
}

/** A new intermediate of a tier, which can sign leaves and nothing else. */
export async function createIntermediate(
  tier: IssuerTier,
  root: Signer,
  publicKey: CryptoKey,
  serial: Uint8Array,
  notBeforeMs: number,
  notAfterMs: number,
): Promise<string> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(root.certPem);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [issuerNameOf(tier)] }],
    issuer: issuer.subjectName,
    publicKey,
    signingKey: root.key,
    serialNumber: serialText(serial),
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return encodePem("CERTIFICATE", new Uint8Array(certificate.rawData));
}

/** Signs a leaf. It never outlives its issuer. */
export async function sign(request: LeafRequest): Promise<Issued> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(request.issuer.certPem);
  const notAfter = new Date(Math.min(request.notAfterMs, issuer.notAfter.getTime()));
  const names = [
    ...request.uris.map((value) => ({ type: "url" as const, value })),
    ...request.dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...request.ipAddresses.map((value) => ({ type: "ip" as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [request.commonName] }],
    issuer: issuer.subjectName,
    publicKey: request.publicKey,
    signingKey: request.issuer.key,
    serialNumber: serialText(request.serial),
    notBefore: new Date(request.notBeforeMs),
    notAfter,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(request.usage === "both" ? [EKU_SERVER, EKU_CLIENT] : [EKU_SERVER]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return {
    der: new Uint8Array(certificate.rawData),
    serial: certificate.serialNumber.toLowerCase().replace(/^00(?=.)/, ""),
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
  };
}

/** A private key as PEM (PKCS #8). */
export async function exportKey(key: CryptoKey): Promise<string> {
  return encodePem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", key)));
}

/** A private key from PEM, for signing only. */
export function importKey(pem: string): Promise<CryptoKey> {
  const body = pem.replaceAll(/-----[^-]+-----|\s/g, "");
  return crypto.subtle.importKey("pkcs8", Uint8Array.fromBase64(body), KEY_ALGORITHM, false, ["sign"]);
}

/** PEM (RFC 7468) with 64 characters a line. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** A positive number (RFC 5280, 4.1.2.2): the first bit is off, the next one on, so that no zero bytes lead. */
function serialText(bytes: Uint8Array): string {
  const serial = Uint8Array.from(bytes);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return serial.toHex();
}
