import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { RandomSource } from "../runtime/mod.ts";
import { SecretConflictError, SecretsError, type SecretStore } from "./secret_store.ts";

/** A public key to be certified, and for whom. */
export interface SshCertificateRequest {
  /** A line as in `id_ed25519.pub`. */
  readonly publicKey: string;
  /** Names under which the holder may log in; at least one, as none would mean all. */
  readonly principals: readonly string[];
  /** Shows in the logs of servers. */
  readonly keyId: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Certifies SSH keys of users (OpenSSH PROTOCOL.certkeys). */
export interface SshAuthority {
  /** What servers trust: a line for `TrustedUserCAKeys`. */
  readonly publicKey: string;
  /** A certificate as a line for `id_*-cert.pub`. @throws {SecretsError} When the key is none that can be certified. */
  certify(request: SshCertificateRequest): string;
}

const KEY_TYPE = "ssh-ed25519";
/** Keys that are certified, and the least size of RSA ones. */
const CERTIFIABLE = /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))$/;
const MIN_RSA_BLOB_BYTES = 256;
const USER_CERTIFICATE = 1;
/** What a holder may do on a server beside running commands (specification 1.7 of the cross-cutting part). */
const EXTENSIONS = ["permit-port-forwarding", "permit-pty"];
/** Clocks of servers may be behind. */
const BACKDATE_MS = 60_000;

/** Opens the SSH authority at a path of the secret store; the first caller makes it. */
export async function openSshAuthority(
  secrets: SecretStore,
  path: string,
  random: RandomSource,
): Promise<SshAuthority> {
  const found = await secrets.get(path) ?? await make(secrets, path);
  const pem = found?.data["key"];
  if (typeof pem !== "string") throw new SecretsError(`Secret ${path} does not hold the key of an SSH authority`);
  return authorityOf(createPrivateKey(pem), random);
}

async function make(secrets: SecretStore, path: string) {
  const { privateKey } = generateKeyPairSync("ed25519");
  try {
    await secrets.put(path, { key: privateKey.export({ type: "pkcs8", format: "pem" }) as string }, { cas: 0 });
  } catch (error) {
    // Another process was quicker: its key counts.
    if (!(error instanceof SecretConflictError)) throw error;
  }
  return await secrets.get(path);
}

function authorityOf(key: KeyObject, random: RandomSource): SshAuthority {
  // The last 32 bytes of an Ed25519 SPKI are the key itself (RFC 8410, 4).
  const raw = createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32);
  const publicBlob = concat(text(KEY_TYPE), bytes(raw));
  return {
    publicKey: `${KEY_TYPE} ${publicBlob.toBase64()} archipelago`,
    certify(request) {
      const { type, rest, comment } = parsePublicKey(request.publicKey);
      if (request.principals.length === 0) throw new SecretsError("An SSH certificate needs a principal");
      const certificateType = `${type}-cert-v01@openssh.com`;
      const body = concat(
        text(certificateType),
        bytes(random.bytes(32)),
        rest,
        uint64(new DataView(random.bytes(8).buffer).getBigUint64(0) >> 1n),
        uint32(USER_CERTIFICATE),
        text(request.keyId),
        bytes(concat(...request.principals.map(text))),
        uint64(seconds(request.validFromMs - BACKDATE_MS)),
        uint64(seconds(request.validToMs)),
        bytes(new Uint8Array()),
        bytes(concat(...EXTENSIONS.flatMap((name) => [text(name), bytes(new Uint8Array())]))),
        bytes(new Uint8Array()),
        bytes(publicBlob),
      );
      const signature = concat(text(KEY_TYPE), bytes(sign(null, body, key)));
      return `${certificateType} ${concat(body, bytes(signature)).toBase64()} ${comment}`.trimEnd();
    },
  };
}

/** Type, what follows the type in the key's blob, and comment of a public key's line. */
function parsePublicKey(line: string): { type: string; rest: Uint8Array; comment: string } {
  const [, type, base64, comment = ""] = /^([a-z0-9-]+) ([A-Za-z0-9+/]+={0,2})(?: ([\x20-\x7e]*))?\s*$/.exec(line) ??
    [];
  const refuse = (rule: string): never => {
    throw new SecretsError(`The SSH public key ${rule}`);
  };
  if (type === undefined || base64 === undefined) return refuse('must be a line as "ssh-ed25519 AAAA… comment"');
  if (!CERTIFIABLE.test(type)) return refuse(`must be of type ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp*, not ${type}`);
  let blob: Uint8Array;
  try {
    blob = Uint8Array.fromBase64(base64);
  } catch {
    return refuse("must hold base64");
  }
  const head = text(type);
  if (blob.length <= head.length || head.some((byte, i) => blob[i] !== byte)) return refuse("does not fit its type");
  if (!isWhole(blob.subarray(head.length))) return refuse("is damaged");
  if (type === "ssh-rsa" && blob.length < MIN_RSA_BLOB_BYTES) return refuse("must have at least 2048 bits");
  return { type, rest: blob.subarray(head.length), comment };
}

/** Whether bytes are strings with lengths, one after the other. */
function isWhole(blob: Uint8Array): boolean {
  let at = 0;
  while (at + 4 <= blob.length) at += 4 + new DataView(blob.buffer, blob.byteOffset + at).getUint32(0);
  return at === blob.length;
}

// The encoding of RFC 4251, section 5.

function uint32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

function uint64(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

function bytes(value: Uint8Array): Uint8Array {
  return concat(uint32(value.length), value);
}

function text(value: string): Uint8Array {
  return bytes(new TextEncoder().encode(value));
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function seconds(ms: number): bigint {
  return BigInt(Math.floor(ms / 1000));
}
