import { BUCKET_SLOTS, type Buckets, NONE } from "./buckets.ts";
import type { Place } from "./geo.ts";
import { Nodes } from "./nodes.ts";
import { Points } from "./points.ts";
import type { Search } from "./search.ts";

/** Leaves are filled so far when they are made: the rest is room for what comes. */
const LEAF_FILL = 16;
/** Two leaves become one when they have no more points than this. */
const MERGED_FILL = 8;
/** A node is built anew when one of its children has more than this share of its leaves, of at least so many. */
const HEAVY_SHARE = 0.75;
const HEAVY_LEAVES = 16;
/** But not before it has so many more leaves than when it was built: points in a line may leave no better way. */
const HEAVY_GROWTH = 1.5;

// What a search has still to look into: nodes, and squared chords below which there is nothing of them.
const openNodes: number[] = [];
const openChords: number[] = [0.5];

/**
 * A tree that halves space along one axis at a time, down to buckets of a few points. A change touches the bucket where it
 * happens. A full bucket is split, and a node that has become lopsided is built anew, so that the tree stays flat whatever the
 * order of changes. The higher a node, the more changes that takes: 100 000 points at once (20 ms) only when their middle
 * has moved.
 */
export class Tree {
  readonly #buckets: Buckets;
  /** Leaves have the number of their chain of buckets + 1: 0 for an empty one. */
  readonly #nodes = new Nodes();
  /** Nodes from the root to where a change is. */
  readonly #path: number[] = [0];

  /** @param chain points that are in it at first; taken over */
  constructor(buckets: Buckets, chain: number) {
    this.#buckets = buckets;
    this.#setChain(0, chain);
    this.#nodes.leaves[0] = 1;
    this.#rebuild(0, new Points());
  }

  /** Adds a point that is not in. */
  add(id: number, place: Place): void {
    const leaf = this.#descend(place);
    const chain = this.#chain(leaf);
    if (this.#hasRoom(chain, place)) {
      this.#setChain(leaf, this.#buckets.push(chain, id, place.x, place.y, place.z));
      return;
    }
    const points = new Points();
    points.add(id, place.x, place.y, place.z);
    this.#rebuild(this.#path.length - 1, points);
    const heavy = this.#path.findIndex((node) => this.#isHeavy(node));
    if (heavy >= 0) this.#rebuild(heavy, new Points());
  }

  /** Removes a point. @param place where it was added. @returns Whether it was in. */
  remove(id: number, place: Place): boolean {
    const leaf = this.#descend(place);
    const left = this.#buckets.remove(this.#chain(leaf), id);
    if (left === undefined) return false;
    this.#setChain(leaf, left);
    if (leaf !== 0) this.#merge(leaf);
    return true;
  }

  /** Shows a search what may be within its bound, near ones first. */
  search(search: Search): void {
    const { words, floats } = this.#nodes;
    const { x, y, z } = search;
    let open = 0;
    let node = 0;
    while (true) {
      let link = words[node * 2]!;
      while (link >= 0) {
        const axis = link & 3;
        const side = (axis === 0 ? x : axis === 1 ? y : z) - floats[node * 2 + 1]!;
        const second = side < 0 ? 0 : 1;
        node = (link >> 2) + second;
        openNodes[open] = node + 1 - 2 * second;
        openChords[open++] = side * side;
        link = words[node * 2]!;
      }
      this.#buckets.search(-link - 2, search);
      do {
        if (open === 0) return;
        open--;
      } while (openChords[open]! > search.bound);
      node = openNodes[open]!;
    }
  }

  /** Nodes on the longest way from the root to a leaf: for tests. */
  depth(node = 0): number {
    if (this.#nodes.leaf(node) >= 0) return 1;
    const pair = this.#nodes.pair(node);
    return 1 + Math.max(this.depth(pair), this.depth(pair + 1));
  }

  /** Ends the tree: its points are left in one chain. */
  end(): number {
    let chain = NONE;
    const points = new Points();
    this.#drain(0, points);
    points.close();
    points.forEach(0, points.length, (id, x, y, z) => chain = this.#buckets.push(chain, id, x, y, z));
    return chain;
  }

  #chain(leaf: number): number {
    return this.#nodes.leaf(leaf) - 1;
  }

  #setChain(leaf: number, chain: number): void {
    this.#nodes.setLeaf(leaf, chain + 1);
  }

  /** The leaf where a place is; {@link #path} leads to it. */
  #descend({ x, y, z }: Place): number {
    const nodes = this.#nodes;
    const path = this.#path;
    path.length = 1;
    let node = 0;
    while (nodes.leaf(node) < 0) {
      const axis = nodes.axis(node);
      const at = axis === 0 ? x : axis === 1 ? y : z;
      node = nodes.pair(node) + (at < nodes.split(node) ? 0 : 1);
      path.push(node);
    }
    return node;
  }

  #hasRoom(chain: number, place: Place): boolean {
    // Only a crowd at one place, which cannot be split, has several buckets.
    const single = this.#buckets.isSingle(chain);
    return single && this.#buckets.count(chain) < BUCKET_SLOTS || this.#buckets.isAt(chain, place);
  }

  #isHeavy(node: number): boolean {
    const { leaves, built } = this.#nodes;
    const all = leaves[node]!;
    if (all < HEAVY_LEAVES || all < built[node]! * HEAVY_GROWTH) return false;
    const first = leaves[this.#nodes.pair(node)]!;
    return Math.max(first, all - first) > all * HEAVY_SHARE;
  }

  /** Builds a node of the path anew, with points that come in. */
  #rebuild(depth: number, points: Points): void {
    const node = this.#path[depth]!;
    const before = this.#nodes.leaves[node]!;
    this.#drain(node, points);
    points.close();
    this.#build(node, points, 0, points.length);
    this.#addLeaves(depth, this.#nodes.leaves[node]! - before);
  }

  /** Counts leaves for the nodes of the path above one. */
  #addLeaves(depth: number, more: number): void {
    for (let above = 0; above < depth; above++) this.#nodes.leaves[this.#path[above]!]! += more;
  }

  #drain(node: number, points: Points): void {
    if (this.#nodes.leaf(node) >= 0) {
      return this.#buckets.drain(this.#chain(node), (id, x, y, z) => points.add(id, x, y, z));
    }
    const pair = this.#nodes.pair(node);
    this.#drain(pair, points);
    this.#drain(pair + 1, points);
    this.#nodes.free(pair);
  }

  /** Makes a node of a range of points. */
  #build(node: number, points: Points, low: number, high: number): void {
    const nodes = this.#nodes;
    const widest = high - low <= LEAF_FILL ? undefined : points.widest(low, high);
    if (widest === undefined || widest.min === widest.max) {
      let chain = NONE;
      points.forEach(low, high, (id, x, y, z) => chain = this.#buckets.push(chain, id, x, y, z));
      this.#setChain(node, chain);
      nodes.leaves[node] = nodes.built[node] = 1;
      return;
    }
    const { middle, split } = points.halve(low, high, widest);
    const pair = nodes.setSplit(node, widest.axis, split);
    this.#build(pair, points, low, middle);
    this.#build(pair + 1, points, middle, high);
    nodes.leaves[node] = nodes.built[node] = nodes.leaves[pair]! + nodes.leaves[pair + 1]!;
  }

  /** After a leaf has lost a point: few of them become one with those of the leaf beside it. */
  #merge(leaf: number): void {
    const nodes = this.#nodes;
    const depth = this.#path.length - 2;
    const parent = this.#path[depth]!;
    const pair = nodes.pair(parent);
    const other = leaf === pair ? pair + 1 : pair;
    const chain = this.#chain(leaf);
    if (chain !== NONE) {
      if (nodes.leaf(other) < 0) return;
      let beside = this.#chain(other);
      const buckets = this.#buckets;
      if (!buckets.isSingle(chain) || !buckets.isSingle(beside)) return;
      if (buckets.count(chain) + buckets.count(beside) > MERGED_FILL) return;
      buckets.drain(chain, (id, x, y, z) => beside = buckets.push(beside, id, x, y, z));
      this.#setChain(other, beside);
    }
    nodes.copy(other, parent);
    nodes.free(pair);
    this.#addLeaves(depth, -1);
  }
}
