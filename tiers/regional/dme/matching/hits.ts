const INITIAL_ROOM = 64;
/** Room that an unusually long answer may leave behind. */
const KEPT_ROOM = 4096;

/** Candidates of a lookup with their distances, in room that is used again: nothing is allocated for one of them. */
export class Hits<M> {
  readonly members: M[] = [];
  /** Carrier under which each was matched. */
  readonly carriers: string[] = [];
  /** Distance of each with its padding, kilometres: a plain list of numbers may be one object for each. */
  kilometres: Float64Array = new Float64Array(INITIAL_ROOM);
  length = 0;

  clear(): void {
    this.length = 0;
    if (this.members.length <= KEPT_ROOM) return;
    this.members.length = this.carriers.length = 0;
    this.kilometres = new Float64Array(INITIAL_ROOM);
  }

  push(member: M, carrier: string, km: number): void {
    if (this.length === this.kilometres.length) {
      const wider = new Float64Array(this.length * 2);
      wider.set(this.kilometres);
      this.kilometres = wider;
    }
    this.members[this.length] = member;
    this.carriers[this.length] = carrier;
    this.kilometres[this.length++] = km;
  }

  /** The shortest distance; Infinity when there is none. */
  least(): number {
    const km = this.kilometres;
    let least = Infinity;
    for (let at = 0; at < this.length; at++) if (km[at]! < least) least = km[at]!;
    return least;
  }
}
