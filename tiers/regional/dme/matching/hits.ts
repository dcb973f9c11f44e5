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
