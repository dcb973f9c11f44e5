/** Slots of the table, a power of two: 70 % full with the 95 000 words that there are. */
const SLOTS = 2 ** 17;

/** A word found in a text. */
export interface FoundWord {
  /** First and last index, both inclusive. */
  readonly start: number;
  readonly end: number;
  /** Place in its list, by frequency; 1 is the most frequent. */
  readonly rank: number;
}

/**
 * Words with their ranks in 1.3 MiB, where objects keyed by word take ten times that. Of a word only two hashes of 32
 * bits are kept; that a text of 72 characters contains a false word by chance happens once in 10^10 texts.
 */
export class WordRanks {
  readonly #first = new Uint32Array(SLOTS);
  readonly #second = new Uint32Array(SLOTS);
  /** 0 marks a free slot. */
  readonly #ranks = new Uint16Array(SLOTS);
  #longest = 0;
  #size = 0;

  /** Adds the words of a list, most frequent first. A word of several lists keeps its best rank. */
  add(list: readonly string[]): void {
    list.forEach((word, index) => this.#put(word, index + 1));
  }

  /** Every word in a text, which must be in small letters. */
  find(text: string): FoundWord[] {
    const found: FoundWord[] = [];
    for (let start = 0; start < text.length; start++) {
      let first = FIRST_START;
      let second = SECOND_START;
      const stop = Math.min(text.length, start + this.#longest);
      for (let end = start; end < stop; end++) {
        const code = text.charCodeAt(end);
        first = Math.imul(first ^ code, FIRST_FACTOR);
        second = Math.imul(second ^ code, SECOND_FACTOR);
        const rank = this.#ranks[this.#slotOf(first >>> 0, second >>> 0)]!;
        if (rank !== 0) found.push({ start, end, rank });
      }
    }
    return found;
  }

  // The hashes stay plain numbers: objects for them would be a million when the lists are loaded.
  #put(word: string, rank: number): void {
    let first = FIRST_START;
    let second = SECOND_START;
    for (let index = 0; index < word.length; index++) {
      const code = word.charCodeAt(index);
      first = Math.imul(first ^ code, FIRST_FACTOR);
      second = Math.imul(second ^ code, SECOND_FACTOR);
    }
    const slot = this.#slotOf(first >>> 0, second >>> 0);
    const present = this.#ranks[slot]!;
    if (present !== 0 && present <= rank) return;
    if (present === 0 && ++this.#size >= SLOTS) throw new RangeError(`More than ${SLOTS - 1} words`);
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#ranks[slot] = Math.min(rank, 0xffff);
    this.#longest = Math.max(this.#longest, word.length);
  }

  /** Slot of a word's hashes, or the free one where it would go. */
  #slotOf(first: number, second: number): number {
    let slot = (first ^ (second >>> 7)) & (SLOTS - 1);
    while (this.#ranks[slot] !== 0 && (this.#first[slot] !== first || this.#second[slot] !== second)) {
      slot = (slot + 1) & (SLOTS - 1);
    }
    return slot;
  }
}

/** Two FNV-1a hashes (32 bits) that begin and grow differently. */
const FIRST_START = 0x811c9dc5;
const FIRST_FACTOR = 0x01000193;
const SECOND_START = 0x9747b28c;
const SECOND_FACTOR = 0x5bd1e995;
