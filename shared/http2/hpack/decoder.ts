import { DynamicTable } from "./dynamic_table.ts";
import { HpackError } from "./error.ts";
import { huffmanDecode } from "./huffman.ts";
import { FIELD_OVERHEAD_BYTES, type HeaderField, type HeaderList, STATIC_TABLE } from "./static_table.ts";

/** How a {@linkcode HpackDecoder} is bounded. */
export interface HpackDecoderOptions {
  /** Our SETTINGS_HEADER_TABLE_SIZE: octets of dynamic table that the peer may use. */
  readonly tableBytes: number;
  /** Octets of a decoded list (names, values and 32 a field) past which fields are counted and dropped. */
  readonly maxListBytes: number;
  /** Fields of a decoded list past which further ones are counted and dropped. */
  readonly maxFields: number;
}

/** What a header block decoded to. */
export interface DecodedBlock {
  /** The fields. A block that repeats octet for octet yields the same frozen list object, for callers that cache by identity. */
  readonly headers: HeaderList;
  /** The list was larger than its limits; `headers` holds only its beginning. */
  readonly tooLarge: boolean;
  /** Size of the whole list in octets, as of RFC 7541, 4.1. */
  readonly listBytes: number;
}

/** Header blocks remembered by their octets, and the longest one worth it: a call of gRPC takes 20 to 200 octets. */
const CACHED_BLOCKS = 8;
const CACHED_BLOCK_MAX_BYTES = 512;

/** How often over `maxListBytes` a list may decode to before the block counts as a decompression bomb. */
const BOMB_FACTOR = 8;

interface CachedBlock {
  readonly octets: Uint8Array;
  readonly generation: number;
  readonly decoded: DecodedBlock;
}

/** The decoder of one connection's direction (RFC 7541). */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #options: HpackDecoderOptions;
  #allowedTableBytes: number;
  #cache: CachedBlock[] = [];
  #cacheNext = 0;
  #at = 0;

  constructor(options: HpackDecoderOptions) {
    this.#options = options;
    this.#allowedTableBytes = options.tableBytes;
    this.#table = new DynamicTable(options.tableBytes);
  }

  /** The dynamic table, for inspection. */
  get table(): DynamicTable {
    return this.#table;
  }

  /** Sets the table size that the peer may use from now on: our SETTINGS_HEADER_TABLE_SIZE once acknowledged. */
  allowTableBytes(bytes: number): void {
    this.#allowedTableBytes = bytes;
    if (this.#table.capacity > bytes) this.#table.resize(bytes);
  }

  /**
   * Decodes the block in `source[start, end)`.
   *
   * @throws {HpackError} when the block is malformed or a decompression bomb: the connection must end.
   */
  decode(source: Uint8Array, start: number, end: number): DecodedBlock {
    const length = end - start;
    const table = this.#table;
    if (length <= CACHED_BLOCK_MAX_BYTES) {
      for (const cached of this.#cache) {
        if (cached.generation === table.generation && sameOctets(cached.octets, source, start, length)) {
          return cached.decoded;
        }
      }
    }
    const generation = table.generation;
    const decoded = this.#decode(source, start, end);
    if (generation === table.generation && length <= CACHED_BLOCK_MAX_BYTES && !decoded.tooLarge) {
      this.#cache[this.#cacheNext] = { octets: source.slice(start, end), generation, decoded };
      this.#cacheNext = (this.#cacheNext + 1) % CACHED_BLOCKS;
    }
    return decoded;
  }

  #decode(source: Uint8Array, start: number, end: number): DecodedBlock {
    const { maxListBytes, maxFields } = this.#options;
    const headers: HeaderField[] = [];
    let listBytes = 0;
    let fields = 0;
    this.#at = start;
    while (this.#at < end) {
      const first = source[this.#at]!;
      let field: HeaderField;
      if (first & 0x80) {
        field = this.#lookUp(this.#integer(source, end, 7));
      } else if ((first & 0xe0) === 0x20) {
        // Only at the start of a block (RFC 7541, 4.2).
        if (fields > 0) throw new HpackError("Dynamic table size update stands behind a header field");
        const size = this.#integer(source, end, 5);
        if (size > this.#allowedTableBytes) {
          throw new HpackError(`Dynamic table size update to ${size} is above the ${this.#allowedTableBytes} allowed`);
        }
        this.#table.resize(size);
        continue;
      } else {
        const indexed = (first & 0xc0) === 0x40;
        const nameIndex = this.#integer(source, end, indexed ? 6 : 4);
        const name = nameIndex === 0 ? this.#string(source, end) : this.#lookUp(nameIndex)[0];
        field = [name, this.#string(source, end)];
        if (indexed) {
          Object.freeze(field);
          this.#table.insert(field);
        }
      }
      fields++;
      listBytes += field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
      if (listBytes <= maxListBytes && fields <= maxFields) headers.push(field);
      else if (listBytes > maxListBytes * BOMB_FACTOR) {
        throw new HpackError(`Header list grows past ${maxListBytes * BOMB_FACTOR} octets`);
      }
    }
    return {
      headers: Object.freeze(headers),
      tooLarge: listBytes > maxListBytes || fields > maxFields,
      listBytes,
    };
  }

  #lookUp(index: number): HeaderField {
    const field = index <= STATIC_TABLE.length
      ? STATIC_TABLE[index - 1]
      : this.#table.at(index - STATIC_TABLE.length - 1);
    if (field === undefined) throw new HpackError(`Header field index ${index} is in no table`);
    return field;
  }

  /** An integer with a prefix of `bits` bits (RFC 7541, 5.1). */
  #integer(source: Uint8Array, end: number, bits: number): number {
    const mask = (1 << bits) - 1;
    let value = source[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0;; shift += 7) {
      // Nothing in HTTP/2 needs more than 28 bits behind the prefix; it also stops strings of 0x80.
      if (shift > 21) throw new HpackError("Integer is longer than any use of it");
      if (this.#at >= end) throw new HpackError("Header block ends within an integer");
      const octet = source[this.#at++]!;
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
  }

  #string(source: Uint8Array, end: number): string {
    if (this.#at >= end) throw new HpackError("Header block ends before a string");
    const huffman = source[this.#at]! >= 0x80;
    const length = this.#integer(source, end, 7);
    const start = this.#at;
    if (length > end - start) throw new HpackError("Header block ends within a string");
    this.#at = start + length;
    return huffman ? huffmanDecode(source, start, this.#at) : latin1(source, start, this.#at);
  }
}

function latin1(source: Uint8Array, start: number, end: number): string {
  // One call up to a length that the stack surely holds.
  if (end - start <= 1024) return String.fromCharCode.apply(null, source.subarray(start, end) as unknown as number[]);
  return latin1(source, start, start + 1024) + latin1(source, start + 1024, end);
}

function sameOctets(octets: Uint8Array, source: Uint8Array, start: number, length: number): boolean {
  if (octets.length !== length) return false;
  for (let at = length - 1; at >= 0; at--) if (octets[at] !== source[start + at]) return false;
  return true;
}
