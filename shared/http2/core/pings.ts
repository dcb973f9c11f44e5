import { FrameType } from "./constants.ts";
import { get32, put32 } from "./octets.ts";
import type { Output } from "./output.ts";

/** Pings of ours that wait for their answer. */
export class Pings {
  readonly #waiting = new Map<number, (now: number) => void>();
  #number = 0;

  /** Writes a ping; `done` gets the moment of its answer. */
  send(output: Output, done: (now: number) => void): void {
    this.#number = (this.#number + 1) >>> 0;
    this.#waiting.set(this.#number, done);
    const at = output.frame(FrameType.PING, 0, 0, 8);
    put32(output.buffer, at, 0);
    put32(output.buffer, at + 4, this.#number);
  }

  /** An answer came; one that answers nothing is ignored. */
  answered(source: Uint8Array, start: number, now: number): void {
    const number = get32(source, start + 4) >>> 0;
    const done = this.#waiting.get(number);
    if (done === undefined || get32(source, start) !== 0) return;
    this.#waiting.delete(number);
    done(now);
  }

  /** Forgets all that wait. */
  clear(): void {
    this.#waiting.clear();
  }
}
