import { distanceKm, type Point } from "./geo.ts";

/** Room that an unusually long answer may leave behind in a list that is used again. */
const KEPT_CAPACITY = 4096;

/** A list of found members that is emptied and filled again, so that a lookup allocates nothing for a candidate. */
export class Hits<M> {
  readonly members: M[] = [];
  length = 0;

  clear(): void {
    this.length = 0;
    if (this.members.length > KEPT_CAPACITY) this.members.length = 0;
  }

  push(member: M): void {
    this.members[this.length++] = member;
  }
}

const INITIAL_DISTANCES = 64;

/** Numbers beside {@linkcode Hits}, in room that stays: a plain list gives its own back when it is emptied. */
export class Distances {
  #kilometres = new Float64Array(INITIAL_DISTANCES);
  length = 0;

  at(index: number): number {
    return this.#kilometres[index]!;
  }

  /** Adds a great-circle distance. It gives nothing back, as a number that is given back may be an object for each. */
  push(from: Point, to: Point, padKm: number): void {
    if (this.length === this.#kilometres.length) {
      const wider = new Float64Array(this.length * 2);
      wider.set(this.#kilometres);
      this.#kilometres = wider;
    }
    this.#kilometres[this.length++] = distanceKm(from, to) + padKm;
  }

  /** The shortest. */
  least(): number {
    let least = Infinity;
    for (let at = 0; at < this.length; at++) if (this.#kilometres[at]! < least) least = this.#kilometres[at]!;
    return least;
  }
}

/** The k smallest squared chords with their members, in order; k is small, so insertion is the fastest way. */
export class Nearest<M> {
  readonly members: M[] = [];
  readonly chords: number[] = [];
  readonly capacity: number;

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Squared chord that a candidate must be below to be kept. */
  get bound(): number {
    return this.chords.length < this.capacity ? Infinity : this.chords[this.capacity - 1]!;
  }

  add(member: M, chord: number): void {
    if (chord >= this.bound) return;
    let low = 0;
    let high = this.chords.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.chords[middle]! <= chord) low = middle + 1;
      else high = middle;
    }
    this.chords.splice(low, 0, chord);
    this.members.splice(low, 0, member);
    if (this.chords.length > this.capacity) {
      this.chords.pop();
      this.members.pop();
    }
  }
}
