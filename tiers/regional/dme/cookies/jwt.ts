import { hash, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

/** A token that cannot be trusted; the message says why in words for its sender. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/** Longest token that is looked at; the longest names allowed give less than a quarter of it. */
const MAX_TOKEN_CHARACTERS = 8192;

/** The header of every cookie, byte for byte (DME specification 3.2). */
const HEADER = base64url('{"alg":"HS512","typ":"JWT"}');

function base64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

/** Octets that SHA-512 takes at once, and that it gives. */
const BLOCK_BYTES = 128;
const HASH_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

const encoder = new TextEncoder();

/**
 * HMAC-SHA-512 by a key that is used again and again (RFC 2104): what it makes of the key alone stands ready, and each of the
 * two hashes is one call into the runtime, whose own HMAC takes half as long again and leaves an object to collect.
 */
export class MacKey {
  /** The key's block with room behind it for what is hashed; the same room is used by every call. */
  #inner: Uint8Array;
  readonly #outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES);

  constructor(secret: Uint8Array) {
    this.#inner = new Uint8Array(BLOCK_BYTES + MAX_TOKEN_CHARACTERS);
    const key = secret.length > BLOCK_BYTES ? hash("sha512", secret, "buffer") : secret;
    for (let at = 0; at < BLOCK_BYTES; at++) {
      const byte = key[at] ?? 0;
      this.#inner[at] = byte ^ INNER_PAD;
      this.#outer[at] = byte ^ OUTER_PAD;
    }
  }

  /** The code of a text of ASCII characters. */
  code(text: string): Buffer {
    if (text.length > this.#inner.length - BLOCK_BYTES) {
      const wider = new Uint8Array(BLOCK_BYTES + text.length * 2);
      wider.set(this.#inner.subarray(0, BLOCK_BYTES));
      this.#inner = wider;
    }
    const { written } = encoder.encodeInto(text, this.#inner.subarray(BLOCK_BYTES));
    this.#outer.set(hash("sha512", this.#inner.subarray(0, BLOCK_BYTES + written), "buffer"), BLOCK_BYTES);
    return hash("sha512", this.#outer, "buffer");
  }
}

/** Signs claims with HMAC-SHA-512. */
export function signToken(claims: object, key: MacKey): string {
  const signed = `${HEADER}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${key.code(signed).toString("base64url")}`;
}

/** A token whose form is sound; nothing in it has been verified yet. */
export interface ParsedToken {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: Uint8Array;
}

/**
 * Takes a token apart.
 *
 * @throws {TokenError} When it has not three parts of base64url, is not signed with HS512, or holds no JSON object.
 */
export function parseToken(token: string): ParsedToken {
  if (token.length > MAX_TOKEN_CHARACTERS) throw new TokenError("is too long");
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw new TokenError("has not three segments");
  }
  const { alg } = parseSegment(header, "header");
  if (alg !== "HS512") throw new TokenError("is not signed with HS512");
  return { claims: parseSegment(payload, "claims"), signed: `${header}.${payload}`, signature: decode(signature) };
}

/** Whether the signature is the one that the key makes. */
export function isSignedWith(token: ParsedToken, key: MacKey): boolean {
  const expected = key.code(token.signed);
  return expected.length === token.signature.length && timingSafeEqual(expected, token.signature);
}

function decode(segment: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(segment)) throw new TokenError("is not base64url");
  return Buffer.from(segment, "base64url");
}

function parseSegment(segment: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decode(segment)));
  } catch (error) {
    if (error instanceof TokenError) throw error;
    throw new TokenError(`has ${what} that are not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TokenError(`has ${what} that are not an object`);
  }
  return value as Record<string, unknown>;
}
