import type { Readable } from "node:stream";

/** Pull-based reading of one of the library's object streams. */
export class Reader {
  readonly #stream: Readable;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    const wake = (): void => this.#wake?.();
    stream.on("readable", wake);
    stream.on("end", () => this.stop());
    stream.on("close", () => this.stop());
  }

  /** No further message will come than those that are buffered. */
  stop(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** Next message, or undefined at the end. */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const message = this.#stream.read() as Uint8Array | null;
    if (message !== null) return message;
    return this.#over ? undefined : this.#wait();
  }

  async #wait(): Promise<Uint8Array | undefined> {
    for (;;) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
      const message = this.#stream.read() as Uint8Array | null;
      if (message !== null) return message;
      if (this.#over) return undefined;
    }
  }
}
