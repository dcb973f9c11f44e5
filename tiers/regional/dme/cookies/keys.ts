/** The HMAC keys of a region's cookies: version number as key id, current one first in use, one before still valid. */
export interface CookieKeys {
  /** The key to sign with. @throws {Error} When none was ever written. */
  current(): Promise<CookieKey>;
  /** The same where nothing has to be waited for; undefined: ask {@linkcode CookieKeys.current}. */
  atHand(): CookieKey | undefined;
  /** The key of an id, fetched when the id is higher than any seen; undefined when there is none. */
  byKid(kid: number): Promise<Uint8Array | undefined>;
}

/** A key and its id. */
export interface CookieKey {
  readonly kid: number;
  readonly secret: Uint8Array;
}

/** Keys that never change, for tests and tools. */
export function fixedKeys(kid: number, secret: string): CookieKeys {
  const key = { kid, secret: new TextEncoder().encode(secret) };
  return {
    current: () => Promise.resolve(key),
    atHand: () => key,
    byKid: (wanted) => Promise.resolve(wanted === kid ? key.secret : undefined),
  };
}
