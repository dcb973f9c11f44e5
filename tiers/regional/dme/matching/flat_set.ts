import { type Point, unitVector, type Vector } from "./geo.ts";
import type { Hits, Nearest } from "./hits.ts";

const INITIAL_CAPACITY = 8;

/** Members with their unit vectors in flat arrays: insert and remove in constant time, lookups by scanning all. */
export class FlatSet<M> {
  #coordinates = new Float64Array(INITIAL_CAPACITY * 3);
  #members: M[] = [];
  #slots = new Map<M, number>();

  get size(): number {
    return this.#members.length;
  }

  has(member: M): boolean {
    return this.#slots.has(member);
  }

  /** Adds a member; one that is there already moves to the given place. */
  add(member: M, location: Point): void {
    const { x, y, z } = unitVector(location);
    this.addVector(member, x, y, z);
  }

  /** As {@link add}, with the unit vector already known. */
  addVector(member: M, x: number, y: number, z: number): void {
    let slot = this.#slots.get(member);
    if (slot === undefined) {
      slot = this.#members.length;
      this.#members.push(member);
      this.#slots.set(member, slot);
      if (slot * 3 === this.#coordinates.length) {
        const grown = new Float64Array(this.#coordinates.length * 2);
        grown.set(this.#coordinates);
        this.#coordinates = grown;
      }
    }
    this.#coordinates[slot * 3] = x;
    this.#coordinates[slot * 3 + 1] = y;
    this.#coordinates[slot * 3 + 2] = z;
  }

  /** Removes a member by moving the last one into its place; false when it was not there. */
  remove(member: M): boolean {
    const slot = this.#slots.get(member);
    if (slot === undefined) return false;
    this.#slots.delete(member);
    const moved = this.#members.pop()!;
    if (moved !== member) {
      this.#members[slot] = moved;
      this.#slots.set(moved, slot);
      const last = this.#members.length * 3;
      this.#coordinates.copyWithin(slot * 3, last, last + 3);
    }
    return true;
  }

  clear(): void {
    this.#coordinates = new Float64Array(INITIAL_CAPACITY * 3);
    this.#members = [];
    this.#slots = new Map();
  }

  /** Calls back with every member and its unit vector. */
  forEach(visit: (member: M, x: number, y: number, z: number) => void): void {
    const c = this.#coordinates;
    for (let slot = 0, at = 0; slot < this.#members.length; slot++, at += 3) {
      visit(this.#members[slot]!, c[at]!, c[at + 1]!, c[at + 2]!);
    }
  }

  /** Smallest squared chord below `bound`, or `bound`. */
  nearestChord(from: Vector, bound: number): number {
    const c = this.#coordinates;
    const end = this.#members.length * 3;
    const { x, y, z } = from;
    for (let at = 0; at < end; at += 3) {
      const dx = c[at]! - x;
      const dy = c[at + 1]! - y;
      const dz = c[at + 2]! - z;
      const chord = dx * dx + dy * dy + dz * dz;
      if (chord < bound) bound = chord;
    }
    return bound;
  }

  /** Offers every member to a list of the nearest. */
  collectNearest(from: Vector, into: Nearest<M>): void {
    const c = this.#coordinates;
    const { x, y, z } = from;
    for (let slot = 0, at = 0; slot < this.#members.length; slot++, at += 3) {
      const dx = c[at]! - x;
      const dy = c[at + 1]! - y;
      const dz = c[at + 2]! - z;
      into.add(this.#members[slot]!, dx * dx + dy * dy + dz * dz);
    }
  }

  /** Appends every member whose squared chord is at most `bound`. */
  collectWithin(from: Vector, bound: number, into: Hits<M>): void {
    const c = this.#coordinates;
    const { x, y, z } = from;
    for (let slot = 0, at = 0; slot < this.#members.length; slot++, at += 3) {
      const dx = c[at]! - x;
      const dy = c[at + 1]! - y;
      const dz = c[at + 2]! - z;
      if (dx * dx + dy * dy + dz * dz <= bound) into.push(this.#members[slot]!);
    }
  }
}
