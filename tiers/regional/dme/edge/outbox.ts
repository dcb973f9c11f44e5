import type { RpcError } from "../../../../shared/rpc/mod.ts";
import type { dme } from "../../../../shared/schema/mod.ts";
import type { EdgeOutlet } from "./connection.ts";

/** What a stream's carrier does beside taking events. */
export interface OutboxOptions {
  /** Events that may wait. */
  readonly capacity: number;
  /** Ends the carrier at once, for a client that does not read. */
  readonly cut: (error: RpcError) => void;
}

/** Events on their way to a carrier that takes them one by one. */
export class Outbox implements EdgeOutlet, AsyncIterableIterator<dme.ServerEdgeEvent> {
  readonly #options: OutboxOptions;
  #waiting: dme.ServerEdgeEvent[] = [];
  #ended = false;
  #error: RpcError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  send(event: dme.ServerEdgeEvent): boolean {
    if (this.#waiting.length >= this.#options.capacity) return false;
    this.#waiting.push(event);
    this.#wake?.();
    return true;
  }

  end(error: RpcError | undefined, cut: boolean): void {
    this.#ended = true;
    this.#error = error;
    if (cut) this.#waiting = [];
    this.#wake?.();
    if (cut && error !== undefined) this.#options.cut(error);
  }

  /** The next event; done when the stream has ended well, rejects when it has not. One call at a time. */
  async next(): Promise<IteratorResult<dme.ServerEdgeEvent>> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value !== undefined) return { done: false, value };
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }

  /** Whoever took the events takes no more. */
  return(): Promise<IteratorResult<dme.ServerEdgeEvent>> {
    this.end(undefined, true);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
