/** Beyond the diameter of the unit sphere, squared: whatever is on it is nearer. */
const EVERYWHERE = 5;

const INITIAL_HITS = 64;
/** Room that an unusually long answer may leave behind. */
const KEPT_HITS = 4096;

/**
 * A search for the `limit` nearest of a set and for what lies in a band behind the last of them, with what it has found. It is
 * used again and again, and allocates nothing for a candidate.
 */
export class Search {
  /** Unit vector of the place from which is looked. */
  x = 0;
  y = 0;
  z = 0;
  /** Squared chord up to which something is of interest; it becomes smaller as the search goes on. */
  bound = EVERYWHERE;
  /** Numbers of the points that were within the bound when they were seen, and their squared chords. */
  ids: Int32Array = new Int32Array(INITIAL_HITS);
  chords: Float64Array = new Float64Array(INITIAL_HITS);
  length = 0;
  /** The smallest squared chords, in order. */
  #nearest = new Float64Array(1);
  #found = 0;
  #limit = 1;
  #band = 0;

  /**
   * Begins anew.
   * @param limit how many are wanted, at least 1
   * @param band chord behind the last of them up to which others are wanted as well
   * @param reach chord beyond which nothing is wanted
   */
  begin(limit: number, band: number, reach: number): void {
    if (limit > this.#nearest.length) this.#nearest = new Float64Array(limit);
    if (this.ids.length > KEPT_HITS) this.#resize(INITIAL_HITS);
    this.#limit = limit;
    this.#band = band;
    this.bound = Math.min(reach * reach, EVERYWHERE);
    this.#found = 0;
    this.length = 0;
  }

  /** Chord of the last one wanted; Infinity when there are not so many within reach. */
  get last(): number {
    return this.#found < this.#limit ? Infinity : Math.sqrt(this.#nearest[this.#limit - 1]!);
  }

  /** Takes what lies within the bound. */
  take(id: number, chord: number): void {
    if (this.length === this.ids.length) this.#resize(this.length * 2);
    this.ids[this.length] = id;
    this.chords[this.length++] = chord;
    const nearest = this.#nearest;
    const limit = this.#limit;
    if (this.#found === limit && chord >= nearest[limit - 1]!) return;
    let at = this.#found < limit ? this.#found++ : limit - 1;
    for (; at > 0 && nearest[at - 1]! > chord; at--) nearest[at] = nearest[at - 1]!;
    nearest[at] = chord;
    if (this.#found < limit) return;
    const reach = Math.sqrt(nearest[limit - 1]!) + this.#band;
    if (reach * reach < this.bound) this.bound = reach * reach;
  }

  #resize(room: number): void {
    const [ids, chords] = [new Int32Array(room), new Float64Array(room)];
    ids.set(this.ids.subarray(0, Math.min(this.length, room)));
    chords.set(this.chords.subarray(0, Math.min(this.length, room)));
    this.ids = ids;
    this.chords = chords;
  }
}
