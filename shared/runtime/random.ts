/** The only source of randomness for code outside this folder. */
export interface RandomSource {
  /** `length` random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** A number in [0, 1). */
  number(): number;
  /** An integer in [0, bound). */
  integer(bound: number): number;
  /** A random (version 4) UUID. */
  uuid(): string;
}

/** Most bytes one call of the platform's generator gives (Web Cryptography, 10.1.1). */
const MAX_BYTES_PER_CALL = 65_536;

/** The machine's cryptographic generator. */
export function systemRandom(): RandomSource {
  return fromBytes((length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += MAX_BYTES_PER_CALL) {
      crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + MAX_BYTES_PER_CALL)));
    }
    return bytes;
  });
}

/** A repeatable generator for tests and simulations (mulberry32). Never use it for secrets. */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  const word = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return fromBytes((length) => Uint8Array.from({ length }, () => word() & 0xff));
}

function fromBytes(bytes: RandomSource["bytes"]): RandomSource {
  const number = () => {
    const view = new DataView(bytes(8).buffer);
    return (view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)) / 2 ** 53;
  };
  return {
    bytes,
    number,
    integer: (bound) => {
      if (!Number.isSafeInteger(bound) || bound < 1) {
        throw new RangeError(`Bound must be a positive integer, got ${bound}`);
      }
      return Math.floor(number() * bound);
    },
    uuid: () => uuidFrom(bytes(16)),
  };
}

/** Lays 16 random bytes out as a version 4 UUID (RFC 9562, 5.4). */
function uuidFrom(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
