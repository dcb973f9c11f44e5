import { badRequest } from "../http/api_error.ts";
import { MAX_BODY_BYTES } from "../http/json_body.ts";

/** Frames that a client may send before they are read; two are expected. */
const MAX_WAITING_FRAMES = 2;

/** The text frames of a socket, one after another, and its end. */
export class Inbox {
  readonly #frames: string[] = [];
  readonly #closed = new AbortController();
  #fault: Error | undefined;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    socket.onmessage = ({ data }) => this.#take(data);
    // A client that does not answer pings shows as an error, then as a close.
    socket.onerror = () => this.#end();
    socket.onclose = () => this.#end();
  }

  /** Fires when the socket is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The next frame. @throws {ApiError} 400 for a frame that cannot be taken, or when none comes in time */
  async next(deadline: AbortSignal): Promise<string> {
    const woken = AbortSignal.any([deadline, this.closed]);
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      this.closed.throwIfAborted();
      if (deadline.aborted) throw badRequest("No request came in time");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        woken.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #take(data: unknown): void {
    if (typeof data !== "string") this.#fault ??= badRequest("Text frames expected");
    else if (data.length > MAX_BODY_BYTES) {
      this.#fault ??= badRequest(`A frame must not exceed ${MAX_BODY_BYTES} bytes`);
    } else if (this.#frames.length < MAX_WAITING_FRAMES) this.#frames.push(data);
    this.#wake();
  }

  #end(): void {
    this.#closed.abort(new Error("The client closed the socket"));
    this.#wake();
  }
}
