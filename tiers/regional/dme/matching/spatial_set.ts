import { Buckets, NONE } from "./buckets.ts";
import type { Place } from "./geo.ts";
import type { Search } from "./search.ts";
import { Tree } from "./tree.ts";

/** Up to so many members are looked through one by one; more lie in a tree. */
export const FLAT_MEMBERS = 48;
/** Much fewer than that, so that a set that hovers around the limit is not built over and over. */
const FLAT_AGAIN = 24;

/** Members by place. */
export class SpatialSet<M> {
  readonly #buckets = new Buckets<M>();
  /** The members while there is no tree. */
  #chain = NONE;
  #tree: Tree<M> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a member that is not in. */
  add(member: M, place: Place): void {
    this.#size++;
    if (this.#tree !== undefined) return this.#tree.add(member, place);
    this.#chain = this.#buckets.push(this.#chain, member, place);
    if (this.#size > FLAT_MEMBERS) this.#tree = new Tree(this.#buckets, this.#chain);
  }

  /** Removes a member. @param place where it was added. @returns Whether it was in. */
  remove(member: M, place: Place): boolean {
    const removed = this.#tree === undefined ? this.#removeFlat(member) : this.#tree.remove(member, place);
    if (!removed) return false;
    this.#size--;
    if (this.#tree !== undefined && this.#size < FLAT_AGAIN) {
      this.#chain = this.#tree.end();
      this.#tree = undefined;
    }
    return true;
  }

  /** Has a search find what it wants: slots of this set. */
  search(search: Search): void {
    if (this.#tree === undefined) this.#buckets.search(this.#chain, search);
    else this.#tree.search(search);
  }

  /** What is in a slot that a search has found. */
  member(slot: number): M {
    return this.#buckets.member(slot);
  }

  /** Degrees of a slot that a search has found. */
  latitude(slot: number): number {
    return this.#buckets.latitude(slot);
  }

  /** Degrees of a slot that a search has found. */
  longitude(slot: number): number {
    return this.#buckets.longitude(slot);
  }

  /** The tag of the place of a slot that a search has found. */
  tag(slot: number): number {
    return this.#buckets.tag(slot);
  }

  #removeFlat(member: M): boolean {
    const slot = this.#buckets.find(this.#chain, member);
    if (slot === NONE) return false;
    this.#chain = this.#buckets.remove(this.#chain, slot);
    return true;
  }
}
