import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";

/** An access key: whoever holds the private half is the cloudlet. Both PEM: PKCS#8 and SPKI (specification 7.1). */
export interface AccessKeyPair {
  readonly privatePem: string;
  readonly publicPem: string;
}

/** An access key that is none; the message never holds it. */
export class AccessKeyError extends Error {
  override readonly name = "AccessKeyError";
}

/** Makes an Ed25519 key pair. */
export function createAccessKey(): AccessKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    publicPem: publicKey.export({ type: "spki", format: "pem" }) as string,
  };
}

/** Reads a private half. @throws {AccessKeyError} */
export function readAccessKey(privatePem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(privatePem);
  } catch {
    throw new AccessKeyError("The access key must be an Ed25519 private key in PEM");
  }
  if (key.asymmetricKeyType === "ed25519") return key;
  throw new AccessKeyError(`The access key must be an Ed25519 private key, not ${key.asymmetricKeyType}`);
}

/** Names of the request metadata that proves who calls. */
export const AccessMetadata = {
  /** JSON of the cloudlet's key. */
  key: "access-key-data",
  /** The challenge that is answered. */
  challenge: "access-key-challenge",
  /** Base64 of the signature. */
  signature: "access-key-sig",
} as const;

/** What is signed for one call: nobody can use the signature for another cloudlet, method or time. */
function signedBytes(cloudletKey: string, method: string, challenge: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(["archipelago-access", cloudletKey, method, challenge]));
}

/** Signs a call. @param method path of the method, as in HTTP/2 */
export function signCall(key: KeyObject, cloudletKey: string, method: string, challenge: string): string {
  return sign(null, signedBytes(cloudletKey, method, challenge), key).toString("base64");
}

/** Whether a signature of a call is by the holder of the private half of a key. */
export function verifyCall(
  publicPem: string,
  signature: string,
  call: { cloudletKey: string; method: string; challenge: string },
): boolean {
  return verifyBytes(publicPem, signature, signedBytes(call.cloudletKey, call.method, call.challenge));
}

/** The original's form: the key alone is signed, so whoever sees a header can use it for ever (specification 7.2). */
export function verifyLegacy(publicPem: string, signature: string, cloudletKey: string): boolean {
  return verifyBytes(publicPem, signature, new TextEncoder().encode(cloudletKey));
}

function verifyBytes(publicPem: string, signature: string, bytes: Uint8Array): boolean {
  try {
    return verify(null, bytes, createPublicKey(publicPem), Uint8Array.fromBase64(signature));
  } catch {
    return false;
  }
}
