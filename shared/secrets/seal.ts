import type { RandomSource } from "../runtime/mod.ts";
import { SecretsError } from "./secret_store.ts";

/** Bytes of the key-encryption key (AES-256). */
export const KEK_BYTES = 32;
/** NIST SP 800-38D, 5.2.1.1: the length for which random nonces are meant. */
const NONCE_BYTES = 12;

/** Encrypts and authenticates texts under one key. */
export interface Sealer {
  /** @param place Bound to the text, so that it opens nowhere else. */
  seal(place: string, text: string): Promise<string>;
  /** @throws {SecretsError} When it was sealed with another key, for another place, or was changed. */
  open(place: string, sealed: string): Promise<string>;
}

/** The file's form; `key` tells a wrong key apart from a damaged file. */
interface Envelope {
  readonly format: 1;
  readonly key: string;
  readonly nonce: string;
  readonly data: string;
}

/** Makes a sealer with AES-256-GCM. */
export async function createSealer(kek: Uint8Array<ArrayBuffer>, random: RandomSource): Promise<Sealer> {
  const key = await crypto.subtle.importKey("raw", kek, "AES-GCM", false, ["encrypt", "decrypt"]);
  const keyId = new Uint8Array(await crypto.subtle.digest("SHA-256", kek)).toHex().slice(0, 16);
  const parameters = (place: string, iv: Uint8Array<ArrayBuffer>) => ({
    name: "AES-GCM",
    iv,
    additionalData: new TextEncoder().encode(`archipelago-secret-1:${place}`),
  });
  return {
    async seal(place, text) {
      const nonce = random.bytes(NONCE_BYTES);
      const data = await crypto.subtle.encrypt(parameters(place, nonce), key, new TextEncoder().encode(text));
      const envelope: Envelope = {
        format: 1,
        key: keyId,
        nonce: nonce.toBase64(),
        data: new Uint8Array(data).toBase64(),
      };
      return `${JSON.stringify(envelope)}\n`;
    },
    async open(place, sealed) {
      const envelope = parseEnvelope(place, sealed);
      if (envelope.key !== keyId) throw new SecretsError(`Secret ${place} is sealed with another key-encryption key`);
      try {
        const nonce = Uint8Array.fromBase64(envelope.nonce);
        const text = await crypto.subtle.decrypt(parameters(place, nonce), key, Uint8Array.fromBase64(envelope.data));
        return new TextDecoder().decode(text);
      } catch (cause) {
        throw new SecretsError(`Secret ${place} was damaged or moved from another path`, { cause });
      }
    },
  };
}

function parseEnvelope(place: string, sealed: string): Envelope {
  try {
    const value = JSON.parse(sealed) as Envelope;
    if (value.format === 1 && [value.key, value.nonce, value.data].every((part) => typeof part === "string")) {
      return value;
    }
  } catch {
    // Said below.
  }
  throw new SecretsError(`Secret ${place} is not in the form of a sealed secret`);
}
