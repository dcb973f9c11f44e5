import type { Writable } from "node:stream";

/**
 * Writing with the stream's own back-pressure. On this runtime node:http2 takes whatever it is given, so the promise
 * bounds what waits here but not what the runtime queues below.
 */
export class Writer {
  readonly #stream: Writable;
  #over = false;
  #pending = 0;
  #onFlushed: (() => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("drain", () => this.#wake?.());
  }

  /** Nothing can be written any more; who waits for room is let go. */
  stop(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** Runs `task` once everything written so far has been taken by the stream below. */
  flushed(task: () => void): void {
    if (this.#pending === 0) task();
    else this.#onFlushed = task;
  }

  readonly #written = (): void => {
    this.#pending--;
    if (this.#pending === 0) this.#onFlushed?.();
  };

  /** Whether {@linkcode stop} was called. */
  get over(): boolean {
    return this.#over;
  }

  /** Writes a message; a promise means: wait before the next one. */
  write(message: Uint8Array): void | Promise<void> {
    if (this.#over) return;
    this.#pending++;
    if (this.#stream.write(message, this.#written)) return;
    return new Promise((resolve) =>
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      }
    );
  }
}
