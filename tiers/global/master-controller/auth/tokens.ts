import { createHmac, timingSafeEqual } from "node:crypto";
import { ApiError } from "../http/api_error.ts";

/** Versioned signing secrets; the version is the key id. */
export interface SigningKeys {
  /** The key that signs now. */
  current(): Promise<{ kid: number; secret: Uint8Array }>;
  /** A key that signed before; undefined when it is not known any more. */
  byKid(kid: number): Promise<Uint8Array | undefined>;
}

/** What a token is for. A token of one use is refused for every other. */
export type TokenUse = "session" | "websocket";

/** Claims of a token. */
export interface Claims {
  readonly use: TokenUse;
  readonly username: string;
  readonly email: string;
  /** Seconds since the Unix epoch. */
  readonly iat: number;
  readonly exp: number;
  /** When the first token of the session was issued; refreshing keeps it. */
  readonly firstiat: number;
  readonly authtype: "passwordauth";
  /** The account's epoch at the time of issue; raising the account's makes its tokens void. */
  readonly epoch: number;
  readonly kid: number;
}

/** Tokens longer than this are not even looked at. */
const MAX_TOKEN_LENGTH = 4096;

/** Signs claims as a compact JWS with HS512; the key id is in the header (RFC 7515) and, for older readers, the body. */
export async function signToken(keys: SigningKeys, claims: Omit<Claims, "kid">): Promise<string> {
  const { kid, secret } = await keys.current();
  const content = `${encode({ alg: "HS512", typ: "JWT", kid: String(kid) })}.${encode({ ...claims, kid })}`;
  return `${content}.${sign(content, secret).toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

/**
 * Checks a token's form, algorithm, signature, use and life.
 * @param uses what the token may be for
 * @param nowMs milliseconds since the Unix epoch
 * @throws {ApiError} 401 `Invalid or expired jwt`; 400 `Token is expired by …` for a genuine one that has run out
 */
export async function verifyToken(
  keys: SigningKeys,
  token: string,
  uses: readonly TokenUse[],
  nowMs: number,
): Promise<Claims> {
  const [header, body, signature, ...rest] = token.length <= MAX_TOKEN_LENGTH ? token.split(".") : [];
  if (header === undefined || body === undefined || signature === undefined || rest.length > 0) throw invalidToken();
  const { alg } = decodePart(header);
  const claims = decodePart(body);
  if (alg !== "HS512" || !isClaims(claims)) throw invalidToken();
  const secret = await keys.byKid(claims.kid);
  if (secret === undefined || !matches(sign(`${header}.${body}`, secret), signature)) throw invalidToken();
  if (!uses.includes(claims.use)) throw invalidToken();
  const nowSec = Math.floor(nowMs / 1000);
  if (nowSec >= claims.exp) throw new ApiError(400, `Token is expired by ${secondsText(nowSec - claims.exp)}`);
  return claims;
}

/** The refusal of a token that is not ours, or void. */
export function invalidToken(): ApiError {
  return new ApiError(401, "Invalid or expired jwt");
}

function sign(content: string, secret: Uint8Array): Uint8Array {
  return createHmac("sha512", secret).update(content).digest();
}

function matches(expected: Uint8Array, signature: string): boolean {
  try {
    const given = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
    return given.length === expected.length && timingSafeEqual(given, expected);
  } catch {
    return false;
  }
}

function encode(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decodePart(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder().decode(Uint8Array.fromBase64(part, { alphabet: "base64url" })),
    );
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

function isClaims(value: unknown): value is Claims {
  const claims = value as Partial<Claims>;
  const numbers = [claims.iat, claims.exp, claims.firstiat, claims.epoch, claims.kid];
  return typeof claims.use === "string" && typeof claims.username === "string" && typeof claims.email === "string" &&
    numbers.every((number) => Number.isSafeInteger(number));
}

function secondsText(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds % 60}s`;
}
