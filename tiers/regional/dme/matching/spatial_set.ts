import { Buckets, NONE } from "./buckets.ts";
import type { Place } from "./geo.ts";
import type { Search } from "./search.ts";
import { Tree } from "./tree.ts";

/** Up to so many points are looked through one by one; more lie in a tree. */
export const FLAT_POINTS = 48;
/** Much fewer than that, so that a set that hovers around the limit is not built over and over. */
const FLAT_AGAIN = 24;

/** Numbered points. What the numbers stand for is known by whoever gives them. */
export class SpatialSet {
  readonly #buckets = new Buckets();
  /** The points while there is no tree. */
  #chain = NONE;
  #tree: Tree | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a point that is not in. */
  add(id: number, place: Place): void {
    this.#size++;
    if (this.#tree !== undefined) return this.#tree.add(id, place);
    this.#chain = this.#buckets.push(this.#chain, id, place.x, place.y, place.z);
    if (this.#size > FLAT_POINTS) this.#tree = new Tree(this.#buckets, this.#chain);
  }

  /** Removes a point. @param place where it was added. @returns Whether it was in. */
  remove(id: number, place: Place): boolean {
    if (!(this.#tree === undefined ? this.#removeFlat(id) : this.#tree.remove(id, place))) return false;
    this.#size--;
    if (this.#tree !== undefined && this.#size < FLAT_AGAIN) {
      this.#chain = this.#tree.end();
      this.#tree = undefined;
    }
    return true;
  }

  /** Has a search find what it wants. */
  search(search: Search): void {
    if (this.#tree === undefined) this.#buckets.search(this.#chain, search);
    else this.#tree.search(search);
  }

  #removeFlat(id: number): boolean {
    const left = this.#buckets.remove(this.#chain, id);
    if (left === undefined) return false;
    this.#chain = left;
    return true;
  }
}
