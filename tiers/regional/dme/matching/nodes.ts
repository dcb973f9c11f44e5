import { widened } from "./buckets.ts";

const INITIAL_NODES = 15;
/** Words of a node: its link, and what it is split at. */
const WORDS = 2;

/**
 * Nodes of a binary tree in space. A node is split along an axis and has two children side by side in memory, or it is a leaf
 * with a number of its own. The first node is the root.
 */
export class Nodes {
  /**
   * Two words for each node, in one cache line with those of the node beside it. The first is the link: of a leaf ~its number,
   * of another node its first child × 4 + the axis. The second, as a float, is the coordinate on that axis from which on
   * points lie in the second child.
   */
  words: Int32Array<ArrayBuffer> = new Int32Array(INITIAL_NODES * WORDS);
  /** The same memory as floats. */
  floats: Float32Array<ArrayBuffer> = new Float32Array(this.words.buffer);
  /** Leaves below each node now. */
  leaves: Int32Array = new Int32Array(INITIAL_NODES);
  /** And when it was built. */
  built: Int32Array = new Int32Array(INITIAL_NODES);
  #made = 1;
  readonly #free: number[] = [];

  /** The number of a leaf, below zero when the node is none. */
  leaf(node: number): number {
    return ~this.words[node * WORDS]!;
  }

  /** The first child of a node that is no leaf. */
  pair(node: number): number {
    return this.words[node * WORDS]! >> 2;
  }

  /** The axis along which a node is split that is no leaf. */
  axis(node: number): number {
    return this.words[node * WORDS]! & 3;
  }

  /** Coordinate from which on points lie in the second child. */
  split(node: number): number {
    return this.floats[node * WORDS + 1]!;
  }

  /** Makes a node a leaf. */
  setLeaf(node: number, leaf: number): void {
    this.words[node * WORDS] = ~leaf;
  }

  /** Splits a node. @returns The first of its two children, which are to be set. */
  setSplit(node: number, axis: number, split: number): number {
    const pair = this.#free.pop() ?? this.#make();
    this.words[node * WORDS] = pair << 2 | axis;
    this.floats[node * WORDS + 1] = split;
    return pair;
  }

  /** Lets two children go. */
  free(pair: number): void {
    this.#free.push(pair);
  }

  /** Makes a node what another is. */
  copy(from: number, to: number): void {
    this.words.copyWithin(to * WORDS, from * WORDS, from * WORDS + WORDS);
    this.leaves[to] = this.leaves[from]!;
    this.built[to] = this.built[from]!;
  }

  #make(): number {
    const pair = this.#made;
    this.#made += 2;
    if (this.#made > this.leaves.length) {
      const nodes = this.#made * 2 - 1;
      this.words = widened(this.words, new Int32Array(nodes * WORDS));
      this.floats = new Float32Array(this.words.buffer);
      this.leaves = widened(this.leaves, new Int32Array(nodes));
      this.built = widened(this.built, new Int32Array(nodes));
    }
    return pair;
  }
}
