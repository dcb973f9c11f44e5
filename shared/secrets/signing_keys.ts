import type { Clock, RandomSource } from "../runtime/mod.ts";
import { SecretConflictError, SecretsError, type SecretStore } from "./secret_store.ts";

/** A key for signing tokens. */
export interface SigningKey {
  /** The secret's version; travels in the token. */
  readonly kid: number;
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** The signing keys of one path, kept in memory and refreshed. */
export interface SigningKeys {
  /** The key to sign with. @throws {SecretsError} When there is none. */
  current(): Promise<SigningKey>;
  /** The same when it is at hand and need not be looked up again; undefined when it must be asked for. */
  atHand(): SigningKey | undefined;
  /**
   * The key that a token names; undefined when it is not (or no longer) one of the two kept. A number not seen yet is
   * looked up once, and at most once in five seconds, however many tokens name it.
   */
  byKid(kid: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  close(): void;
}

/** How signing keys are refreshed. */
export interface SigningKeysOptions {
  /** @default 5 minutes */
  readonly refreshMs?: number;
  /** Whether those who ask get the keys at hand while newer ones are looked for, as where that may take long. */
  readonly inBackground?: boolean;
}

/** Where signing keys come from: of a secret store, what reads. */
export type SigningKeySource = Pick<SecretStore, "get" | "versions">;

/** Bytes of a new secret: the block that HMAC-SHA-512 takes without hashing it down is 128, its strength ends at 64. */
const SECRET_BYTES = 64;
const DEFAULT_REFRESH_MS = 300_000;
/** Bounds the look-ups that forged key numbers can cause. */
const UNSEEN_INTERVAL_MS = 5_000;

/** Makes the first signing key when there is none. Safe when several do it at once. */
export async function ensureSigningKey(store: SecretStore, path: string, random: RandomSource): Promise<void> {
  if (await store.get(path)) return;
  try {
    await store.put(path, newKey(random), { cas: 0 });
  } catch (error) {
    if (!(error instanceof SecretConflictError)) throw error;
  }
}

/**
 * Makes a new key the current one. The one before stays valid until the next rotation, so rotate no more often than
 * the longest life of a token.
 *
 * @returns The new key's number.
 */
export function rotateSigningKey(store: SecretStore, path: string, random: RandomSource): Promise<number> {
  return store.put(path, newKey(random));
}

function newKey(random: RandomSource) {
  return { secret: random.bytes(SECRET_BYTES).toBase64({ alphabet: "base64url", omitPadding: true }), refresh: "5m" };
}

/** Reads the signing keys of a path when they are needed. */
export function signingKeys(
  store: SigningKeySource,
  path: string,
  clock: Clock,
  options: SigningKeysOptions = {},
): SigningKeys {
  return new CachedKeys(store, path, clock, { refreshMs: DEFAULT_REFRESH_MS, inBackground: false, ...options });
}

class CachedKeys implements SigningKeys {
  readonly #store: SigningKeySource;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #refreshMs: number;
  readonly #inBackground: boolean;
  #keys: readonly SigningKey[] = [];
  #loading: Promise<void> | undefined;
  #loadedAt = -Infinity;

  constructor(store: SigningKeySource, path: string, clock: Clock, options: Required<SigningKeysOptions>) {
    this.#store = store;
    this.#path = path;
    this.#clock = clock;
    this.#refreshMs = options.refreshMs;
    this.#inBackground = options.inBackground;
  }

  async current(): Promise<SigningKey> {
    await this.#refreshWhenOld(this.#keys.length === 0 ? 0 : this.#refreshMs);
    const newest = this.#keys[0];
    if (!newest) throw new SecretsError(`There is no signing key at ${this.#path}`);
    return newest;
  }

  atHand(): SigningKey | undefined {
    return this.#clock.monotonic() - this.#loadedAt < this.#refreshMs ? this.#keys[0] : undefined;
  }

  async byKid(kid: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await this.#refreshWhenOld(this.#refreshMs);
    if (kid > (this.#keys[0]?.kid ?? 0)) await this.#refreshWhenOld(UNSEEN_INTERVAL_MS);
    return this.#keys.find((key) => key.kid === kid)?.secret;
  }

  close(): void {
    this.#keys = [];
  }

  async #refreshWhenOld(ageMs: number): Promise<void> {
    if (this.#clock.monotonic() - this.#loadedAt < ageMs && this.#loading === undefined) return;
    this.#loading ??= this.#load().finally(() => this.#loading = undefined);
    try {
      if (this.#inBackground && ageMs === this.#refreshMs && this.#keys.length > 0) {
        return void this.#loading.catch(() => {});
      }
      await this.#loading;
    } catch (error) {
      // Keys that were good stay good while the store cannot be reached.
      if (this.#keys.length === 0) throw error;
    }
  }

  async #load(): Promise<void> {
    this.#loadedAt = this.#clock.monotonic();
    const versions = await this.#store.versions(this.#path);
    const secrets = await Promise.all(versions.map(({ version }) => this.#store.get(this.#path, { version })));
    this.#keys = secrets.flatMap((secret) => {
      if (secret === undefined) return [];
      const text = secret.data.secret;
      if (typeof text !== "string") {
        throw new SecretsError(`Signing key ${this.#path} version ${secret.version} has no secret`);
      }
      // The text itself is the key, undecoded, as tokens of other implementations have it (DME specification 3.2).
      return [{ kid: secret.version, secret: new TextEncoder().encode(text) }];
    });
  }
}
