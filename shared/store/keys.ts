import { StoreError } from "./errors.ts";
import { MAX_KEY_BYTES } from "./limits.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes of a key; throws a StoreError `invalid` for one that is empty, too long, or not plain Unicode text. */
export function encodeKey(key: string): Uint8Array {
  if (key.length === 0) throw new StoreError("invalid", "Store key must not be empty");
  return encodePrefix(key);
}

/** Bytes of a prefix, which other than a key may be empty. */
export function encodePrefix(prefix: string): Uint8Array {
  if (!prefix.isWellFormed() || prefix.includes("\0")) {
    throw new StoreError("invalid", `Store key must be Unicode text without NUL, given ${JSON.stringify(prefix)}`);
  }
  const bytes = encoder.encode(prefix);
  if (bytes.length > MAX_KEY_BYTES) {
    throw new StoreError("invalid", `Store key must be at most ${MAX_KEY_BYTES} bytes, given ${bytes.length}`);
  }
  return bytes;
}

/** Text of a key's bytes. */
export function decodeKey(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The first byte string after all that start with `prefix`, or undefined when there is none (the empty prefix). */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i]!;
    if (byte < 0xff) {
      const end = prefix.slice(0, i + 1);
      end[i] = byte + 1;
      return end;
    }
  }
  return undefined;
}

/** The first byte string after `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/** Orders byte strings as the store orders keys. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** The bounds [start, end) of the keys under a prefix that come after `after`; no end is the end of all keys. */
export function keyRange(prefix: Uint8Array, after: Uint8Array | undefined): { start: Uint8Array; end?: Uint8Array } {
  const end = prefixEnd(prefix);
  if (after === undefined) return { start: prefix, end };
  const next = keyAfter(after);
  return { start: compareBytes(prefix, next) > 0 ? prefix : next, end };
}
