/** How a stream that is no more came to its end; decides what frames that still arrive for it mean. */
export const Ended = { UNKNOWN: 0, DONE: 1, RESET_BY_US: 2, RESET_BY_PEER: 3 } as const;

/** Streams remembered; frames for older ones take the strict answer. */
const REMEMBERED = 128;

/** The most recent streams of a connection that have ended. */
export class ClosedStreams {
  #ids: Int32Array | null = null;
  #how: Uint8Array | null = null;
  #next = 0;

  /** Remembers a stream; see {@linkcode Ended}. */
  add(id: number, how: number): void {
    this.#ids ??= new Int32Array(REMEMBERED);
    this.#how ??= new Uint8Array(REMEMBERED);
    this.#ids[this.#next] = id;
    this.#how[this.#next] = how;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** How a stream ended, as far as that is remembered. */
  get(id: number): number {
    const at = this.#ids?.lastIndexOf(id) ?? -1;
    return at < 0 ? Ended.UNKNOWN : this.#how![at]!;
  }
}
