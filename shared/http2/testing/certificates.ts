import "reflect-metadata"; // What @peculiar/x509 stands on; first, or that does not load.
import * as x509 from "@peculiar/x509";

/** A certificate chain and its key, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates for tests. */
export interface Authority {
  /** Its certificate, PEM. */
  readonly ca: string;
  /** A certificate for localhost and 127.0.0.1, or for a URI name. */
  issue(name: string, uri?: string): Promise<Identity>;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

function keys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

async function keyPem(key: CryptoKey): Promise<string> {
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
  const text = btoa(String.fromCharCode(...der)).replace(/(.{64})/g, "$1\n");
  return `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`;
}

/** Makes an authority that lives for an hour. */
export async function createAuthority(name: string): Promise<Authority> {
  const caKeys = await keys();
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(Date.now() + 3_600_000);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys: caKeys,
    notBefore,
    notAfter,
    serialNumber: "01",
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  let serial = 1;
  return {
    ca: ca.toString("pem"),
    async issue(subject, uri) {
      const leafKeys = await keys();
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${subject}`,
        issuer: ca.subject,
        publicKey: leafKeys.publicKey,
        signingKey: caKeys.privateKey,
        notBefore,
        notAfter,
        serialNumber: (++serial).toString(16).padStart(2, "0"),
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            uri === undefined
              ? [{ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }]
              : [{ type: "url", value: uri }],
          ),
        ],
      });
      return { cert: leaf.toString("pem") + "\n", key: await keyPem(leafKeys.privateKey) };
    },
  };
}
