import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import type { MacKey } from "./mac.ts";

/** A token that cannot be trusted; the message says why in words for its sender. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/** Longest token that is looked at; the longest names allowed give less than a quarter of it. */
const MAX_TOKEN_CHARACTERS = 8192;

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

const encoder = new TextEncoder();
/** Used by every call; most claims are a fifth of it. */
const scratch = new Uint8Array(1024);
/** Octets that a character takes at most. */
const MAX_UTF8_BYTES = 3;

/** The header of every cookie, byte for byte (DME specification 3.2). */
export const HEADER: string = base64url('{"alg":"HS512","typ":"JWT"}');

/** Text as base64url of its UTF-8. */
export function base64url(text: string): string {
  if (text.length * MAX_UTF8_BYTES > scratch.length) return encoder.encode(text).toBase64(BASE64URL);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written).toBase64(BASE64URL);
}

/** Signs claims, printed as JSON, with HMAC-SHA-512. */
export function signToken(claims: string, key: MacKey): string {
  const signed = `${HEADER}.${base64url(claims)}`;
  return `${signed}.${key.code(signed).toBase64(BASE64URL)}`;
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
