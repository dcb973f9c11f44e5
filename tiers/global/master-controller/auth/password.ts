import { timingSafeEqual } from "node:crypto";
import { badRequest } from "../http/api_error.ts";

/** Hash of a password with what is needed to check it. */
export interface PasswordHash {
  /** PBKDF2-HMAC-SHA256 output of 32 bytes, base64. */
  readonly hash: string;
  /** 16 random bytes, base64. Older rows may have 8. */
  readonly salt: string;
  readonly iterations: number;
}

/** OWASP's figure for PBKDF2-HMAC-SHA256 (2023): 70 ms on this project's reference machine. */
export const PASSWORD_ITERATIONS = 600_000;

const HASH_BYTES = 32;
const SALT_BYTES = 16;
const MIN_PASSWORD_LENGTH = 8;
const MAX_PASSWORD_LENGTH = 4095;

/** Hashes a password. The work runs outside the JavaScript thread. */
export async function hashPassword(
  password: string,
  randomBytes: (length: number) => Uint8Array<ArrayBuffer>,
  iterations = PASSWORD_ITERATIONS,
): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES);
  return { hash: (await derive(password, salt, iterations)).toBase64(), salt: salt.toBase64(), iterations };
}

/** Whether a password is the one that was hashed. */
export async function checkPassword(password: string, stored: PasswordHash): Promise<boolean> {
  const expected = Uint8Array.fromBase64(stored.hash);
  const given = await derive(password, Uint8Array.fromBase64(stored.salt), stored.iterations);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** Checks the length of a password to be set. @throws {ApiError} 400 */
export function requirePasswordLength(password: string): void {
  if (password.length < MIN_PASSWORD_LENGTH) {
    throw badRequest(`Password must be at least ${MIN_PASSWORD_LENGTH} characters`);
  }
  if (password.length > MAX_PASSWORD_LENGTH) {
    throw badRequest(`Password must be at most ${MAX_PASSWORD_LENGTH} characters`);
  }
}

async function derive(password: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, HASH_BYTES * 8));
}
