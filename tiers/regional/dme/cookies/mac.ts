import { hash } from "node:crypto";
import { createSHA512 } from "hash-wasm";

/** Octets of a block of SHA-512 (FIPS 180-4), to which a key is filled up, and of a hash. */
const BLOCK_BYTES = 128;
const HASH_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Octets before a text in which {@linkcode MacKey.codeBehind} puts what comes of the key. */
export const KEY_ROOM_BYTES = BLOCK_BYTES;

/** Holds nothing from one hash to the next. */
const hasher = await createSHA512();

const encoder = new TextEncoder();

/**
 * HMAC-SHA-512 by a key that is used again and again (RFC 2104). Three times as fast as the runtime's own, calls into which cost
 * more than the hash (docs/decisions/hash-wasm.md). The library could keep the state that the key's block leaves; but to put
 * it back costs it more than to hash the block again.
 */
export class MacKey {
  readonly #inner: Uint8Array;
  /** The outer block, with room for the inner hash behind it. */
  readonly #outer: Uint8Array;

  constructor(secret: Uint8Array) {
    const key = secret.length > BLOCK_BYTES ? hash("sha512", secret, "buffer") : secret;
    this.#inner = new Uint8Array(BLOCK_BYTES);
    this.#outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES);
    for (let at = 0; at < BLOCK_BYTES; at++) {
      this.#inner[at] = (key[at] ?? 0) ^ INNER_PAD;
      this.#outer[at] = (key[at] ?? 0) ^ OUTER_PAD;
    }
  }

  /** The code of a text. */
  code(text: string): Uint8Array {
    const bytes = encoder.encode(text);
    const room = new Uint8Array(KEY_ROOM_BYTES + bytes.length);
    room.set(bytes, KEY_ROOM_BYTES);
    return this.codeBehind(room);
  }

  /** The code of what is behind the first {@linkcode KEY_ROOM_BYTES}, which are written over. */
  codeBehind(room: Uint8Array): Uint8Array {
    room.set(this.#inner);
    this.#outer.set(hasher.init().update(room).digest("binary"), BLOCK_BYTES);
    return hasher.init().update(this.#outer).digest("binary");
  }
}
