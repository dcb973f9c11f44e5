import type { Vector } from "./geo.ts";
import type { Hits, Nearest } from "./hits.ts";

/** Ranges of at most this many points are scanned, not split: measured best between 8 and 32. */
const LEAF_SIZE = 16;

/**
 * A 3-D tree over unit vectors, built once; members can be taken out, not put in. The points lie in one array in tree
 * order: the middle of a range is its root, the halves its subtrees, so a node costs no more than its coordinates.
 */
export class Tree<M> {
  readonly #coordinates: Float64Array;
  readonly #axes: Uint8Array;
  readonly #alive: Uint8Array;
  readonly #members: (M | undefined)[];
  readonly #slots = new Map<M, number>();
  #dead = 0;
  // The lookup under way: fields, not arguments, so that the recursion carries only a range.
  #x = 0;
  #y = 0;
  #z = 0;
  #bound = 0;

  /** @param points x, y, z of each member in turn; taken over and reordered */
  constructor(members: M[], points: Float64Array) {
    this.#members = members;
    this.#coordinates = points;
    this.#axes = new Uint8Array(members.length);
    this.#alive = new Uint8Array(members.length).fill(1);
    this.#build(0, members.length);
    for (let slot = 0; slot < members.length; slot++) this.#slots.set(members[slot]!, slot);
  }

  /** Members that are still in. */
  get size(): number {
    return this.#members.length - this.#dead;
  }

  /** Members that were taken out and still take room. */
  get dead(): number {
    return this.#dead;
  }

  has(member: M): boolean {
    return this.#slots.has(member);
  }

  /** Takes a member out; false when it was not in. */
  remove(member: M): boolean {
    const slot = this.#slots.get(member);
    if (slot === undefined) return false;
    this.#slots.delete(member);
    this.#alive[slot] = 0;
    this.#members[slot] = undefined;
    this.#dead++;
    return true;
  }

  /** Calls back with every member that is still in and its unit vector. */
  forEach(visit: (member: M, x: number, y: number, z: number) => void): void {
    const c = this.#coordinates;
    for (let slot = 0; slot < this.#members.length; slot++) {
      if (this.#alive[slot] === 1) visit(this.#members[slot]!, c[slot * 3]!, c[slot * 3 + 1]!, c[slot * 3 + 2]!);
    }
  }

  /** Smallest squared chord below `bound`, or `bound`. */
  nearestChord(from: Vector, bound: number): number {
    this.#start(from, bound);
    this.#nearest(0, this.#members.length);
    return this.#bound;
  }

  /** Offers to a list of the nearest every member that can still get in. */
  collectNearest(from: Vector, into: Nearest<M>): void {
    this.#start(from, into.bound);
    this.#kNearest(0, this.#members.length, into);
  }

  /** Appends every member whose squared chord is at most `bound`. */
  collectWithin(from: Vector, bound: number, into: Hits<M>): void {
    this.#start(from, bound);
    this.#within(0, this.#members.length, into);
  }

  #start(from: Vector, bound: number): void {
    this.#x = from.x;
    this.#y = from.y;
    this.#z = from.z;
    this.#bound = bound;
  }

  #chord(slot: number): number {
    const c = this.#coordinates;
    const at = slot * 3;
    const dx = c[at]! - this.#x;
    const dy = c[at + 1]! - this.#y;
    const dz = c[at + 2]! - this.#z;
    return dx * dx + dy * dy + dz * dz;
  }

  /** Signed distance of the sought point from the plane that splits at a slot. */
  #fromPlane(slot: number): number {
    const axis = this.#axes[slot]!;
    const at = axis === 0 ? this.#x : axis === 1 ? this.#y : this.#z;
    return at - this.#coordinates[slot * 3 + axis]!;
  }

  #nearest(low: number, high: number): void {
    if (high - low <= LEAF_SIZE) {
      for (let slot = low; slot < high; slot++) {
        if (this.#alive[slot] === 0) continue;
        const chord = this.#chord(slot);
        if (chord < this.#bound) this.#bound = chord;
      }
      return;
    }
    const middle = (low + high) >>> 1;
    const side = this.#fromPlane(middle);
    if (side < 0) this.#nearest(low, middle);
    else this.#nearest(middle + 1, high);
    if (this.#alive[middle] === 1) {
      const chord = this.#chord(middle);
      if (chord < this.#bound) this.#bound = chord;
    }
    if (side * side >= this.#bound) return;
    if (side < 0) this.#nearest(middle + 1, high);
    else this.#nearest(low, middle);
  }

  #kNearest(low: number, high: number, into: Nearest<M>): void {
    if (high - low <= LEAF_SIZE) {
      for (let slot = low; slot < high; slot++) {
        if (this.#alive[slot] === 1) into.add(this.#members[slot]!, this.#chord(slot));
      }
      return;
    }
    const middle = (low + high) >>> 1;
    const side = this.#fromPlane(middle);
    if (side < 0) this.#kNearest(low, middle, into);
    else this.#kNearest(middle + 1, high, into);
    if (this.#alive[middle] === 1) into.add(this.#members[middle]!, this.#chord(middle));
    if (side * side >= into.bound) return;
    if (side < 0) this.#kNearest(middle + 1, high, into);
    else this.#kNearest(low, middle, into);
  }

  #within(low: number, high: number, into: Hits<M>): void {
    if (high - low <= LEAF_SIZE) {
      for (let slot = low; slot < high; slot++) {
        if (this.#alive[slot] === 1 && this.#chord(slot) <= this.#bound) into.push(this.#members[slot]!);
      }
      return;
    }
    const middle = (low + high) >>> 1;
    const side = this.#fromPlane(middle);
    const near = side * side <= this.#bound;
    if (side < 0 || near) this.#within(low, middle, into);
    if (this.#alive[middle] === 1 && this.#chord(middle) <= this.#bound) into.push(this.#members[middle]!);
    if (side >= 0 || near) this.#within(middle + 1, high, into);
  }

  #build(low: number, high: number): void {
    if (high - low <= LEAF_SIZE) return;
    const middle = (low + high) >>> 1;
    const axis = this.#widestAxis(low, high);
    this.#select(low, high - 1, middle, axis);
    this.#axes[middle] = axis;
    this.#build(low, middle);
    this.#build(middle + 1, high);
  }

  #widestAxis(low: number, high: number): number {
    const c = this.#coordinates;
    let best = 0;
    let widest = -1;
    for (let axis = 0; axis < 3; axis++) {
      let min = Infinity;
      let max = -Infinity;
      for (let slot = low; slot < high; slot++) {
        const value = c[slot * 3 + axis]!;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      if (max - min > widest) {
        widest = max - min;
        best = axis;
      }
    }
    return best;
  }

  /** Hoare's quickselect: afterwards the slot `wanted` holds what sorting would put there, smaller before, greater after. */
  #select(low: number, high: number, wanted: number, axis: number): void {
    const c = this.#coordinates;
    while (low < high) {
      const pivot = c[((low + high) >>> 1) * 3 + axis]!;
      let i = low - 1;
      let j = high + 1;
      while (true) {
        do i++; while (c[i * 3 + axis]! < pivot);
        do j--; while (c[j * 3 + axis]! > pivot);
        if (i >= j) break;
        this.#swap(i, j);
      }
      if (wanted <= j) high = j;
      else low = j + 1;
    }
  }

  #swap(a: number, b: number): void {
    const c = this.#coordinates;
    for (let axis = 0; axis < 3; axis++) {
      const held = c[a * 3 + axis]!;
      c[a * 3 + axis] = c[b * 3 + axis]!;
      c[b * 3 + axis] = held;
    }
    const member = this.#members[a];
    this.#members[a] = this.#members[b];
    this.#members[b] = member;
  }
}
