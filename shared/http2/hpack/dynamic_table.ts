import { FIELD_OVERHEAD_BYTES, type HeaderField } from "./static_table.ts";

/** The dynamic table of one direction (RFC 7541, 2.3.2): a ring, newest entry first. */
export class DynamicTable {
  #ring: (HeaderField | undefined)[] = [];
  #newest = -1;
  #count = 0;
  #size = 0;
  #capacity: number;
  /** Grows with every insertion, eviction and resize: while it stands still, indices keep their meaning. */
  generation = 0;
  /** Entries ever inserted. */
  insertions = 0;

  /** @param capacity The most that the entries may take, in octets as of RFC 7541, 4.1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Entries held. */
  get count(): number {
    return this.#count;
  }

  /** Octets that the entries take (RFC 7541, 4.1). */
  get size(): number {
    return this.#size;
  }

  /** The most that the entries may take, in octets. */
  get capacity(): number {
    return this.#capacity;
  }

  /** The entry inserted `age` entries ago (0: the newest), or undefined when there is none. */
  at(age: number): HeaderField | undefined {
    if (age < 0 || age >= this.#count) return undefined;
    const length = this.#ring.length;
    return this.#ring[(this.#newest - age + length) % length];
  }

  /**
   * Inserts a field and evicts from the old end what no longer fits; a field larger than the table empties it (RFC 7541, 4.4).
   *
   * @param evicted Told of every entry that leaves.
   * @returns Whether the field stands in the table now.
   */
  insert(field: HeaderField, evicted?: (field: HeaderField, insertion: number) => void): boolean {
    const size = field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
    this.generation++;
    this.#shrink(this.#capacity - size, evicted);
    if (size > this.#capacity) return false;
    if (this.#count === this.#ring.length) this.#grow();
    this.#newest = (this.#newest + 1) % this.#ring.length;
    this.#ring[this.#newest] = field;
    this.#count++;
    this.#size += size;
    this.insertions++;
    return true;
  }

  /** Changes the capacity and evicts what no longer fits (RFC 7541, 4.3). */
  resize(capacity: number, evicted?: (field: HeaderField, insertion: number) => void): void {
    this.generation++;
    this.#capacity = capacity;
    this.#shrink(capacity, evicted);
    if (this.#count === 0) {
      this.#ring = [];
      this.#newest = -1;
    }
  }

  #shrink(target: number, evicted?: (field: HeaderField, insertion: number) => void): void {
    while (this.#count > 0 && this.#size > target) {
      const length = this.#ring.length;
      const oldest = (this.#newest - this.#count + 1 + length) % length;
      const field = this.#ring[oldest]!;
      this.#ring[oldest] = undefined;
      this.#size -= field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
      evicted?.(field, this.insertions - this.#count);
      this.#count--;
    }
  }

  #grow(): void {
    const ring = new Array<HeaderField | undefined>(Math.max(8, this.#ring.length * 2));
    for (let age = 0; age < this.#count; age++) ring[this.#count - 1 - age] = this.at(age);
    this.#ring = ring;
    this.#newest = this.#count - 1;
  }
}
