import { DynamicTable } from "./dynamic_table.ts";
import { huffmanEncode, huffmanLength } from "./huffman.ts";
import { fieldSize, type HeaderField, type HeaderList, STATIC_TABLE } from "./static_table.ts";
import { PreparedHeaders } from "./prepared_headers.ts";

/** How a {@linkcode HpackEncoder} works. */
export interface HpackEncoderOptions {
  /** Octets of dynamic table that we use at most, whatever the peer allows. */
  readonly tableBytes: number;
  /** Names whose values are written as "never indexed" literals (RFC 7541, 7.1.3), so that no probe of the table finds them. */
  readonly sensitive?: ReadonlySet<string>;
}

/** Names written as "never indexed" unless the options say otherwise. */
export const SENSITIVE_NAMES: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
]);

/** Names whose value is likely to be the same on a connection's next message; all others would only churn the table. */
const STABLE_NAMES: ReadonlySet<string> = new Set([
  ":authority",
  ":path",
  ":status",
  "accept",
  "accept-encoding",
  "content-encoding",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-status",
  "server",
  "te",
  "user-agent",
]);

/** Prepared lists whose encoding a connection remembers: a service has a handful. */
const MAX_CACHED_LISTS = 64;

const STATIC_FIELDS = new Map<string, Map<string, number>>();
const STATIC_NAMES = new Map<string, number>();
STATIC_TABLE.forEach(([name, value], at) => {
  if (!STATIC_NAMES.has(name)) {
    STATIC_NAMES.set(name, at + 1);
    STATIC_FIELDS.set(name, new Map());
  }
  STATIC_FIELDS.get(name)!.set(value, at + 1);
});

/** The encoder of one connection's direction (RFC 7541). */
export class HpackEncoder {
  readonly #table: DynamicTable;
  readonly #sensitive: ReadonlySet<string>;
  readonly #maxTableBytes: number;
  /** By name and value, the number of the insertion that put the field into the table. */
  readonly #fields = new Map<string, Map<string, number>>();
  readonly #cache = new Map<PreparedHeaders, { generation: number; octets: Uint8Array }>();
  readonly #evicted = (field: HeaderField, insertion: number) => this.#forget(field, insertion);
  #smallestUpdate = -1;
  #pendingUpdate = -1;
  #out: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(options: HpackEncoderOptions) {
    this.#maxTableBytes = options.tableBytes;
    this.#table = new DynamicTable(Math.min(options.tableBytes, 4096));
    this.#sensitive = options.sensitive ?? SENSITIVE_NAMES;
  }

  /** The dynamic table, for inspection. */
  get table(): DynamicTable {
    return this.#table;
  }

  /** Obeys the peer's SETTINGS_HEADER_TABLE_SIZE; the next block begins with the size update (RFC 7541, 4.2). */
  allowTableBytes(bytes: number): void {
    const size = Math.min(bytes, this.#maxTableBytes);
    if (size === this.#table.capacity && this.#pendingUpdate < 0) return;
    this.#table.resize(size, this.#evicted);
    this.#smallestUpdate = this.#smallestUpdate < 0 ? size : Math.min(this.#smallestUpdate, size);
    this.#pendingUpdate = size;
  }

  /**
   * Encodes a header list. Prepared lists are encoded again only when the dynamic table has changed since.
   *
   * @returns The block; it may be overwritten by the next call, so copy it at once.
   */
  encode(headers: HeaderList | PreparedHeaders): Uint8Array {
    if (!(headers instanceof PreparedHeaders)) return this.#encode(headers, false);
    const cached = this.#cache.get(headers);
    if (cached !== undefined && cached.generation === this.#table.generation && this.#pendingUpdate < 0) {
      return cached.octets;
    }
    const updates = this.#pendingUpdate >= 0;
    const generation = this.#table.generation;
    const octets = this.#encode(headers.list, true);
    // A block that changes the table, or announces its size, may be sent once only.
    if (updates || generation !== this.#table.generation) return octets;
    const copy = octets.slice();
    if (cached === undefined && this.#cache.size >= MAX_CACHED_LISTS) this.#cache.clear();
    this.#cache.set(headers, { generation, octets: copy });
    return copy;
  }

  #encode(headers: HeaderList, prepared: boolean): Uint8Array {
    this.#length = 0;
    if (this.#pendingUpdate >= 0) {
      this.#reserve(16);
      if (this.#smallestUpdate < this.#pendingUpdate) this.#integer(0x20, 5, this.#smallestUpdate);
      this.#integer(0x20, 5, this.#pendingUpdate);
      this.#smallestUpdate = this.#pendingUpdate = -1;
    }
    for (const field of headers) this.#field(field, prepared);
    return this.#out.subarray(0, this.#length);
  }

  #field(field: HeaderField, prepared: boolean): void {
    const name = field[0];
    const value = field[1];
    this.#reserve(name.length + value.length + 32);
    const exact = STATIC_FIELDS.get(name)?.get(value);
    if (exact !== undefined) return this.#integer(0x80, 7, exact);
    const values = this.#fields.get(name);
    const insertion = values?.get(value);
    if (insertion !== undefined) return this.#integer(0x80, 7, this.#indexOf(insertion));

    let nameIndex = STATIC_NAMES.get(name) ?? 0;
    if (nameIndex === 0 && values !== undefined) {
      for (const other of values.values()) nameIndex = this.#indexOf(other);
    }
    if (this.#sensitive.has(name)) this.#integer(0x10, 4, nameIndex);
    else if ((prepared || STABLE_NAMES.has(name)) && fieldSize(name, value) <= this.#table.capacity) {
      this.#integer(0x40, 6, nameIndex);
      if (nameIndex === 0) this.#string(name);
      this.#string(value);
      this.#remember(field);
      return;
    } else this.#integer(0, 4, nameIndex);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  #indexOf(insertion: number): number {
    return STATIC_TABLE.length + (this.#table.insertions - insertion);
  }

  #remember(field: HeaderField): void {
    const insertion = this.#table.insertions;
    if (!this.#table.insert(field, this.#evicted)) return;
    let values = this.#fields.get(field[0]);
    if (values === undefined) this.#fields.set(field[0], values = new Map());
    values.set(field[1], insertion);
  }

  #forget(field: HeaderField, insertion: number): void {
    const values = this.#fields.get(field[0]);
    if (values?.get(field[1]) !== insertion) return;
    values.delete(field[1]);
    if (values.size === 0) this.#fields.delete(field[0]);
  }

  /** Makes room for `octets` more. */
  #reserve(octets: number): void {
    if (this.#length + octets <= this.#out.length) return;
    const grown = new Uint8Array(Math.max(256, (this.#length + octets) * 2));
    grown.set(this.#out.subarray(0, this.#length));
    this.#out = grown;
  }

  #integer(pattern: number, bits: number, value: number): void {
    const mask = (1 << bits) - 1;
    if (value < mask) {
      this.#out[this.#length++] = pattern | value;
      return;
    }
    this.#out[this.#length++] = pattern | mask;
    let rest = value - mask;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#out[this.#length++] = 0x80 | (rest & 0x7f);
    this.#out[this.#length++] = rest;
  }

  #string(text: string): void {
    const length = huffmanLength(text);
    if (length < text.length) {
      this.#integer(0x80, 7, length);
      this.#length = huffmanEncode(text, this.#out, this.#length);
      return;
    }
    this.#integer(0, 7, text.length);
    for (let at = 0; at < text.length; at++) this.#out[this.#length++] = text.charCodeAt(at);
  }
}
