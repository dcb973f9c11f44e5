import { HpackError } from "./error.ts";

/**
 * Lengths in bits of the Huffman codes of the 256 octets (RFC 7541, appendix B). The code is canonical: sorted by length, then
 * by symbol, codes count upwards; so the lengths say everything.
 */
// deno-fmt-ignore
const CODE_LENGTHS = Uint8Array.of(
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
);

/** The end-of-string symbol: thirty ones. It pads the last octet and must never be decoded whole. */
const EOS = 256;
const EOS_LENGTH = 30;

const CODES = canonicalCodes();

function canonicalCodes(): Uint32Array {
  const symbols = Array.from(CODE_LENGTHS.keys()).sort((a, b) => CODE_LENGTHS[a]! - CODE_LENGTHS[b]! || a - b);
  const codes = new Uint32Array(256);
  let code = 0;
  let length = 0;
  for (const symbol of symbols) {
    code <<= CODE_LENGTHS[symbol]! - length;
    length = CODE_LENGTHS[symbol]!;
    codes[symbol] = code++;
  }
  return codes;
}

/*
 * The decoder walks four bits at a time. A state is an inner node of the code tree (256 of them). Each transition packs the next
 * state (bits 0-8), whether a symbol came out (bit 9), the symbol (bits 10-17), whether the input may end here (bit 18) and
 * whether the walk hit EOS (bit 19). No code is shorter than five bits, so four bits yield one symbol at most.
 */
const EMITS = 1 << 9;
const SYMBOL_SHIFT = 10;
const MAY_END = 1 << 18;
const FAILS = 1 << 19;

const TRANSITIONS = transitions();

function transitions(): Uint32Array {
  const children: [number, number][] = [[0, 0]]; // positive: inner node; negative: -1 - symbol; 0: unset
  const insert = (symbol: number, code: number, length: number) => {
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const side = (code >>> bit) & 1;
      if (children[node]![side] === 0) {
        children.push([0, 0]);
        children[node]![side] = children.length - 1;
      }
      node = children[node]![side]!;
    }
    children[node]![code & 1] = -1 - symbol;
  };
  for (let symbol = 0; symbol < 256; symbol++) insert(symbol, CODES[symbol]!, CODE_LENGTHS[symbol]!);
  insert(EOS, 2 ** EOS_LENGTH - 1, EOS_LENGTH);

  // Padding is the first bits of EOS, seven at most: the input may end at the root or at the nodes reached by one to seven ones.
  const mayEnd = new Set<number>([0]);
  for (let node = 0, ones = 1; ones <= 7; ones++) mayEnd.add(node = children[node]![1]!);

  const table = new Uint32Array(children.length * 16);
  for (let state = 0; state < children.length; state++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let node = state;
      let entry = 0;
      for (let bit = 3; bit >= 0; bit--) {
        const next: number = children[node]![(nibble >>> bit) & 1]!;
        if (next >= 0) node = next;
        else if (next === -1 - EOS) entry |= FAILS;
        else {
          entry |= EMITS | ((-1 - next) << SYMBOL_SHIFT);
          node = 0;
        }
        if (entry & FAILS) break;
      }
      if (mayEnd.has(node)) entry |= MAY_END;
      table[state * 16 + nibble] = entry | node;
    }
  }
  return table;
}

/**
 * Decodes a Huffman string from `source[start, end)`.
 *
 * @throws {HpackError} when EOS stands in the string, or its padding is longer than seven bits or not of ones (RFC 7541, 5.2).
 */
export function huffmanDecode(source: Uint8Array, start: number, end: number): string {
  let state = 0;
  let entry = MAY_END;
  let text = "";
  for (let at = start; at < end; at++) {
    const octet = source[at]!;
    entry = TRANSITIONS[(state << 4) | (octet >>> 4)]!;
    if (entry & FAILS) throw new HpackError("Huffman string holds the end-of-string symbol");
    if (entry & EMITS) text += LATIN1[(entry >>> SYMBOL_SHIFT) & 0xff];
    entry = TRANSITIONS[((entry & 0x1ff) << 4) | (octet & 0xf)]!;
    if (entry & FAILS) throw new HpackError("Huffman string holds the end-of-string symbol");
    if (entry & EMITS) text += LATIN1[(entry >>> SYMBOL_SHIFT) & 0xff];
    state = entry & 0x1ff;
  }
  if (!(entry & MAY_END)) throw new HpackError("Huffman string does not end in padding of at most seven ones");
  return text;
}

/** One-character strings of the 256 octets, so that decoding allocates none. */
const LATIN1: readonly string[] = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet));

/** Octets that `text` (code points below 256) takes in Huffman code, padding included. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += CODE_LENGTHS[text.charCodeAt(at) & 0xff]!;
  return (bits + 7) >>> 3;
}

/** Writes `text` in Huffman code to `target` from `offset` on, where room must be; returns the offset behind it. */
export function huffmanEncode(text: string, target: Uint8Array, offset: number): number {
  let pending = 0; // up to 7 bits left over, right-aligned
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const octet = text.charCodeAt(at) & 0xff;
    let length = CODE_LENGTHS[octet]!;
    const code = CODES[octet]!;
    // A code of up to 30 bits goes out in octets from its top, so that nothing exceeds 32 bits.
    while (length > 0) {
      const take = Math.min(8 - count, length);
      pending = (pending << take) | ((code >>> (length - take)) & ((1 << take) - 1));
      count += take;
      length -= take;
      if (count === 8) {
        target[offset++] = pending;
        pending = 0;
        count = 0;
      }
    }
  }
  if (count > 0) target[offset++] = (pending << (8 - count)) | (0xff >>> count);
  return offset;
}
