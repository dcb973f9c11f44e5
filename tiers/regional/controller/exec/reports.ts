import { WINDOW_BYTES } from "../../../../shared/exec/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { ExecOutput, type ExecReport } from "../../../../shared/schema/mod.ts";

/** Output of one request, between the site that sends it and the caller who reads it; never more than a window. */
export class OutputQueue {
  readonly #waiting: ExecOutput[] = [];
  #received = 0;
  #read = 0;
  #granted = WINDOW_BYTES;
  #failure: RpcError | undefined;
  #complete = false;
  #wake = () => {};

  /** Bytes that the site may have sent since the beginning. */
  get granted(): number {
    return this.#granted;
  }

  /** The site has told the end, or that it cannot go on. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Whether the site may be told to go on by so much that it is worth a message. */
  get growing(): boolean {
    return this.#read + WINDOW_BYTES - this.#granted >= WINDOW_BYTES / 2;
  }

  /** The window as far as it has been read. */
  grow(): number {
    return this.#granted = this.#read + WINDOW_BYTES;
  }

  /** Takes what the site sends. */
  take({ offset, output, err }: ExecReport): void {
    if (this.#failure || this.#complete) return;
    const piece = ExecOutput.create(output);
    if (err !== "") {
      this.#complete = true;
      return this.fail(new RpcError(Status.UNKNOWN, err));
    }
    if (offset !== this.#received) {
      return this.fail(new RpcError(Status.DATA_LOSS, "Output was lost on its way from the site"));
    }
    this.#received += piece.data.length;
    if (this.#received > this.#granted) {
      return this.fail(new RpcError(Status.INTERNAL, "The site sends more output than it was asked for"));
    }
    this.#complete = piece.ended;
    this.#waiting.push(piece);
    this.#wake();
  }

  /** Ends it; what has come before is still read. */
  fail(error: RpcError): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** The next piece; undefined after the end. Throws RpcError when there is none for another reason. */
  async next(): Promise<ExecOutput | undefined> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece !== undefined) {
        this.#read += piece.data.length;
        return piece;
      }
      if (this.#failure) throw this.#failure;
      if (this.#complete) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
