import "reflect-metadata";
import * as x509 from "@peculiar/x509";

/** A key with its certificate chain, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A throw-away authority: a root and an intermediate that issues. */
export interface Authority {
  /** The root, PEM. */
  readonly ca: string;
  /** Issues a certificate for a URI name, valid for localhost as client and server. @param lifeMs default an hour */
  issue(uri: string, lifeMs?: number): Promise<Identity>;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;

function keys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

function span(lifeMs: number = HOUR_MS): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + lifeMs) };
}

async function keyPem(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Makes an authority of its own, trusted by nobody else. */
export async function createAuthority(name: string): Promise<Authority> {
  const rootKeys = await keys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name} root`,
    keys: rootKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    ...span(),
  });
  const issuerKeys = await keys();
  const issuer = await x509.X509CertificateGenerator.create({
    serialNumber: "02",
    subject: `CN=${name} intermediate`,
    issuer: root.subject,
    publicKey: issuerKeys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    ...span(),
  });
  let serial = 16;
  return {
    ca: root.toString("pem"),
    async issue(uri, lifeMs) {
      const leafKeys = await keys();
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: (serial++).toString(16),
        subject: "CN=service",
        issuer: issuer.subject,
        publicKey: leafKeys.publicKey,
        signingKey: issuerKeys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: "dns", value: "localhost" },
            { type: "ip", value: "127.0.0.1" },
            { type: "url", value: uri },
          ]),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ],
        ...span(lifeMs),
      });
      return { cert: `${leaf.toString("pem")}\n${issuer.toString("pem")}\n`, key: await keyPem(leafKeys.privateKey) };
    },
  };
}

/** URI name in a DER certificate. */
export function uriOf(der: Uint8Array): string | undefined {
  const certificate = new x509.X509Certificate(new Uint8Array(der));
  return certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.find((name) => name.type === "url")
    ?.value;
}
