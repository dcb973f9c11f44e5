import { FlatSet } from "./flat_set.ts";
import type { Point, Vector } from "./geo.ts";
import type { Hits, Nearest } from "./hits.ts";
import { Tree } from "./tree.ts";

/** Above so many members a tree serves. Measured: equal cost near 50, a third of scanning at 200, a tenth at 800. */
export const TREE_THRESHOLD = 128;

/** A tree is built anew when so many members were added or removed since, or a 1/32 of its size if that is more. */
const STALE_MINIMUM = 32;
const STALE_FRACTION = 1 / 32;

/**
 * Members by place. Few lie in a flat set; many in a tree, with what came later in a flat set beside it. The tree is
 * brought up to date by the first lookup that finds it too stale, so that a burst of changes costs one rebuild.
 */
export class SpatialSet<M> {
  #tree: Tree<M> | undefined;
  readonly #flat = new FlatSet<M>();

  get size(): number {
    return this.#flat.size + (this.#tree?.size ?? 0);
  }

  has(member: M): boolean {
    return this.#flat.has(member) || (this.#tree?.has(member) ?? false);
  }

  /** Adds a member, or moves it to another place. */
  add(member: M, location: Point): void {
    this.#tree?.remove(member);
    this.#flat.add(member, location);
  }

  /** Removes a member; false when it was not in. */
  remove(member: M): boolean {
    return this.#flat.remove(member) || (this.#tree?.remove(member) ?? false);
  }

  /** Smallest squared chord of any member below `bound`, or `bound`. */
  nearestChord(from: Vector, bound: number): number {
    this.#refresh();
    if (this.#tree !== undefined) bound = this.#tree.nearestChord(from, bound);
    return this.#flat.nearestChord(from, bound);
  }

  /** Offers members to a list of the nearest. */
  collectNearest(from: Vector, into: Nearest<M>): void {
    this.#refresh();
    this.#tree?.collectNearest(from, into);
    this.#flat.collectNearest(from, into);
  }

  /** Appends every member whose squared chord is at most `bound`. */
  collectWithin(from: Vector, bound: number, into: Hits<M>): void {
    this.#refresh();
    this.#tree?.collectWithin(from, bound, into);
    this.#flat.collectWithin(from, bound, into);
  }

  #refresh(): void {
    const tree = this.#tree;
    if (tree === undefined) {
      if (this.#flat.size > TREE_THRESHOLD) this.#rebuild();
    } else {
      const stale = this.#flat.size + tree.dead;
      // Half the threshold, so that a set that hovers around it is not built over and over.
      if (this.size < TREE_THRESHOLD / 2) this.#flatten(tree);
      else if (stale > Math.max(STALE_MINIMUM, this.size * STALE_FRACTION)) this.#rebuild();
    }
  }

  #rebuild(): void {
    const members: M[] = [];
    const points = new Float64Array(this.size * 3);
    const take = (member: M, x: number, y: number, z: number) => {
      points[members.length * 3] = x;
      points[members.length * 3 + 1] = y;
      points[members.length * 3 + 2] = z;
      members.push(member);
    };
    this.#tree?.forEach(take);
    this.#flat.forEach(take);
    this.#flat.clear();
    this.#tree = new Tree(members, points);
  }

  #flatten(tree: Tree<M>): void {
    this.#tree = undefined;
    tree.forEach((member, x, y, z) => this.#flat.addVector(member, x, y, z));
  }
}
