import { hash } from "node:crypto";
import { createSHA512 } from "hash-wasm";

/** Octets of a block of SHA-512 (FIPS 180-4), to which a key is filled up. */
const BLOCK_BYTES = 128;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Holds nothing from one code to the next: each begins by loading the state of a key. */
const hasher = await createSHA512();

const encoder = new TextEncoder();

/**
 * HMAC-SHA-512 by a key that is used again and again (RFC 2104): what hashing makes of the key alone stands ready. Twice as
 * fast as the runtime's own, a call into which costs more than the hash (docs/decisions/hash-wasm.md).
 */
export class MacKey {
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;

  constructor(secret: Uint8Array) {
    const key = secret.length > BLOCK_BYTES ? hash("sha512", secret, "buffer") : secret;
    this.#inner = keyState(key, INNER_PAD);
    this.#outer = keyState(key, OUTER_PAD);
  }

  /** The code of a text. */
  code(text: string): Uint8Array {
    return this.codeOf(encoder.encode(text));
  }

  /** The code of octets. */
  codeOf(bytes: Uint8Array): Uint8Array {
    const inner = hasher.load(this.#inner).update(bytes).digest("binary");
    return hasher.load(this.#outer).update(inner).digest("binary");
  }
}

/** The state of a hash that has taken the key's block, combined with one of the pads. */
function keyState(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at++) block[at] = (key[at] ?? 0) ^ pad;
  return hasher.init().update(block).save();
}
