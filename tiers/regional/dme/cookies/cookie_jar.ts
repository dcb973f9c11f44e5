import { isSignedWith, parseToken, signToken, TokenError } from "./jwt.ts";
import type { CookieKey, CookieKeys } from "./keys.ts";
import { MacKey } from "./mac.ts";

/** Verified tokens that are remembered; at about 1 KB each this bounds the memory to some 16 MB. */
export const MAX_REMEMBERED_TOKENS = 16_384;

/** How long a token is believed without another look at its key, so that a key that was withdrawn counts no longer. */
const MAX_TRUST_MS = 60_000;

/** What a jar needs. */
export interface CookieJarOptions<W, K extends W> {
  readonly keys: CookieKeys;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly lifetimeMs: number;
  /** Reads the `key` claim; throws {@link TokenError} when it does not fit. */
  readonly read: (key: Readonly<Record<string, unknown>>) => K;
  /** The members of the `key` claim in their order, `kid` excepted, as JSON without the braces around them. */
  readonly write: (key: W) => string;
}

interface Remembered<K> {
  readonly key: K;
  readonly untilMs: number;
}

/**
 * Issues and verifies one kind of cookie: a JWT by HS512 whose claims are `exp`, `iat` and `key`, with the id of the
 * signing key inside `key` (DME specification 3.2). Verified cookies are remembered for a while, at most until they
 * expire, because most calls of a device carry the cookie of the call before. What is read out of a cookie may be more than
 * what was written into it.
 */
export class CookieJar<W, K extends W = W> {
  readonly #options: CookieJarOptions<W, K>;
  readonly #remembered = new Map<string, Remembered<K>>();
  /** Prepared keys, for as long as their secrets are kept. */
  readonly #macKeys = new WeakMap<Uint8Array, MacKey>();

  constructor(options: CookieJarOptions<W, K>) {
    this.#options = options;
  }

  /** A new cookie; there is nothing to wait for while the key is at hand. @throws {Error} When there is no key to sign with. */
  issue(key: W): string | Promise<string> {
    return this.issuePrinted(this.#options.write(key));
  }

  /** The same with members of the `key` claim that were printed elsewhere. */
  issuePrinted(members: string): string | Promise<string> {
    const { keys } = this.#options;
    const key = keys.atHand();
    if (key !== undefined) return this.#sign(members, key);
    return keys.current().then((current) => this.#sign(members, current));
  }

  /** What a cookie says when it was verified a moment ago, so that the usual call waits for nothing. */
  recall(cookie: string): K | undefined {
    const held = this.#remembered.get(cookie);
    if (held === undefined) return undefined;
    if (this.#options.now() < held.untilMs) return held.key;
    this.#remembered.delete(cookie);
    return undefined;
  }

  /**
   * What a genuine cookie says.
   *
   * @throws {TokenError} When it is missing, malformed, forged, expired, not yet valid, or of an unknown key.
   */
  async verify(cookie: string): Promise<K> {
    if (cookie === "") throw new TokenError("is missing");
    const token = parseToken(cookie);
    const { key, exp, iat, nbf } = token.claims;
    if (typeof key !== "object" || key === null || Array.isArray(key)) throw new TokenError("has no key claim");
    const members = key as Record<string, unknown>;
    const kid = members.kid ?? 0;
    if (!Number.isSafeInteger(kid) || (kid as number) < 0) throw new TokenError("has no valid key id");
    const secret = await this.#options.keys.byKid(kid as number);
    if (secret === undefined) throw new TokenError(`is signed with a key that is not known: kid ${kid}`);
    if (!isSignedWith(token, this.#macKey(secret))) throw new TokenError("has a bad signature");
    const nowMs = this.#options.now();
    const expiryMs = seconds(exp, "exp") * 1000;
    if (nowMs >= expiryMs) throw new TokenError("is expired");
    if (iat !== undefined && seconds(iat, "iat") * 1000 > nowMs) throw new TokenError("was issued in the future");
    if (nbf !== undefined && seconds(nbf, "nbf") * 1000 > nowMs) throw new TokenError("is not valid yet");
    const read = this.#options.read(members);
    this.#remember(cookie, { key: read, untilMs: Math.min(expiryMs, nowMs + MAX_TRUST_MS) });
    return read;
  }

  /** Cookies remembered now. */
  get remembered(): number {
    return this.#remembered.size;
  }

  #sign(members: string, { kid, secret }: CookieKey): string {
    const { now, lifetimeMs } = this.#options;
    const iat = Math.floor(now() / 1000);
    const exp = iat + Math.floor(lifetimeMs / 1000);
    const version = kid === 0 ? "" : `${members === "" ? "" : ","}"kid":${kid}`;
    return signToken(`{"exp":${exp},"iat":${iat},"key":{${members}${version}}}`, this.#macKey(secret));
  }

  #macKey(secret: Uint8Array): MacKey {
    let key = this.#macKeys.get(secret);
    if (key === undefined) this.#macKeys.set(secret, key = new MacKey(secret));
    return key;
  }

  #remember(cookie: string, held: Remembered<K>): void {
    if (this.#remembered.size >= MAX_REMEMBERED_TOKENS) {
      const { value: oldest } = this.#remembered.keys().next();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(cookie, held);
  }
}

function seconds(value: unknown, claim: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new TokenError(`has no valid ${claim} claim`);
  return value;
}
