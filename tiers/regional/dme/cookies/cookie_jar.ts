import { isSignedWith, parseToken, signToken, TokenError } from "./jwt.ts";
import type { CookieKey, CookieKeys } from "./keys.ts";
import { MacKey } from "./mac.ts";
import {
  MAX_ENCODED_MEMBERS,
  MAX_TAIL_CHARACTERS,
  type PreparedMembers,
  tokenHead,
  writeToken,
} from "./token_writer.ts";

/** Verified tokens that are remembered; at about 1 KB each this bounds the memory to some 16 MB. */
export const MAX_REMEMBERED_TOKENS = 16_384;

/** How long a token is believed without another look at its key, so that a key that was withdrawn counts no longer. */
const MAX_TRUST_MS = 60_000;

const encoder = new TextEncoder();

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
  #lastSecret: Uint8Array | undefined;
  #lastMacKey: MacKey | undefined;
  /** What tokens of this second begin with, and the key that was at hand when it began. */
  #head: Uint8Array | undefined;
  #key: CookieKey | undefined;
  #second = -1;

  constructor(options: CookieJarOptions<W, K>) {
    this.#options = options;
  }

  /** A new cookie. @throws {Error} When there is no key to sign with. */
  async issue(key: W): Promise<string> {
    const { keys, write } = this.#options;
    return this.#sign(write(key), keys.atHand() ?? await keys.current());
  }

  /**
   * The octets of a new cookie whose members are prepared; there is nothing to wait for while the key is at hand. They are
   * only lent: to be copied before anything else is done.
   *
   * @param more the members that follow, printed, ASCII
   * @throws {Error} When there is no key to sign with.
   */
  issuePrepared(members: PreparedMembers, more: string): Uint8Array | Promise<Uint8Array> {
    this.#advance();
    const key = this.#key;
    if (key !== undefined) return this.#write(members, more, key);
    return this.#options.keys.current().then((current) => {
      this.#advance();
      return this.#write(members, more, current);
    });
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
    const { iat, exp } = this.#times();
    const version = kid === 0 ? "" : `${members === "" ? "" : ","}"kid":${kid}`;
    return signToken(`{"exp":${exp},"iat":${iat},"key":{${members}${version}}}`, this.#macKey(secret));
  }

  #write(members: PreparedMembers, more: string, key: CookieKey): Uint8Array {
    const tail = key.kid === 0 ? `${more}}}` : `${more},"kid":${key.kid}}}`;
    if (this.#head === undefined || members.encoded.length > MAX_ENCODED_MEMBERS || tail.length > MAX_TAIL_CHARACTERS) {
      return encoder.encode(this.#sign(members.text + more, key));
    }
    return writeToken(this.#head, members, tail, this.#macKey(key.secret));
  }

  /** Brings what is kept for a second up to date. */
  #advance(): void {
    const { iat, exp } = this.#times();
    if (iat === this.#second) return;
    this.#second = iat;
    this.#head = tokenHead(exp, iat);
    this.#key = this.#options.keys.atHand();
  }

  #times(): { iat: number; exp: number } {
    const { now, lifetimeMs } = this.#options;
    const iat = Math.floor(now() / 1000);
    return { iat, exp: iat + Math.floor(lifetimeMs / 1000) };
  }

  #macKey(secret: Uint8Array): MacKey {
    if (secret === this.#lastSecret) return this.#lastMacKey!;
    let key = this.#macKeys.get(secret);
    if (key === undefined) this.#macKeys.set(secret, key = new MacKey(secret));
    this.#lastSecret = secret;
    this.#lastMacKey = key;
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
