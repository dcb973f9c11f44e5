import { Result, type StatusInfo } from "../../../../shared/schema/mod.ts";
import type { RpcError } from "../../../../shared/rpc/mod.ts";
import { MAX_PROGRESS_LINE_CHARACTERS, MAX_PROGRESS_LINES, MAX_STORED_PROGRESS_CHARACTERS } from "../limits.ts";

/** Lines of an operation as they are stored: text and code, as long as all together are not too much for one row. */
export interface StoredLines {
  /** Lines before the first one. */
  readonly dropped: number;
  readonly lines: readonly (readonly [message: string, code: number])[];
}

/** Lines of one operation, for any number of readers, each of whom sees them all and then how it ended. */
export class Progress {
  readonly #lines: Result[] = [];
  /** Lines that the bound has pushed out. */
  #dropped = 0;
  #siteLines = 0;
  #ended: { error?: RpcError } | undefined;
  readonly #wakers = new Set<() => void>();

  /** Called, synchronously, after every line. */
  onLine: () => void = () => {};

  /** Puts lines before those that come, for an operation that is carried on. */
  restore({ dropped, lines }: StoredLines): void {
    this.#dropped = dropped;
    this.#lines.push(...lines.map(([message, code]) => Result.create({ message, code })));
  }

  /** The newest lines, of at most MAX_STORED_PROGRESS_CHARACTERS together. */
  stored(): StoredLines {
    let first = this.#lines.length;
    for (let characters = 0; first > 0; first--) {
      characters += this.#lines[first - 1]!.message.length;
      if (characters > MAX_STORED_PROGRESS_CHARACTERS) break;
    }
    const lines = this.#lines.slice(first).map(({ message, code }) => [message, code] as const);
    return { dropped: this.#dropped + first, lines };
  }

  /** Whether there is a line. */
  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Adds a line. `code` is 0, or 2 for the last line of work that goes on after the call. */
  line(message: string, code = 0): void {
    if (this.#ended) return;
    this.#lines.push(Result.create({ message: message.slice(0, MAX_PROGRESS_LINE_CHARACTERS), code }));
    if (this.#lines.length > MAX_PROGRESS_LINES) {
      this.#lines.shift();
      this.#dropped++;
    }
    this.#wake();
    this.onLine();
  }

  /** Adds the lines of a site's report that were not in an earlier one: reports repeat lines until they are taken. */
  report(status: StatusInfo | undefined): void {
    if (status === undefined) return;
    // A smaller count means that the site began to count anew.
    if (status.msgCount < this.#siteLines) this.#siteLines = 0;
    const fresh = Math.min(status.msgs.length, status.msgCount - this.#siteLines);
    this.#siteLines = status.msgCount;
    if (fresh > 0) { for (const message of status.msgs.slice(-fresh)) this.line(message); }
  }

  end(error?: RpcError): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.#wake();
  }

  /** All lines from the first on. Throws what the operation failed with; ends quietly when `signal` is aborted. */
  async *read(signal: AbortSignal): AsyncGenerator<Result> {
    for (let next = 0; !signal.aborted;) {
      next = Math.max(next, this.#dropped);
      const line = this.#lines[next - this.#dropped];
      if (line !== undefined) {
        next++;
        yield line;
      } else if (this.#ended) {
        if (this.#ended.error) throw this.#ended.error;
        return;
      } else await this.#changed(signal);
    }
  }

  async #changed(signal: AbortSignal): Promise<void> {
    let wake!: () => void;
    const woken = new Promise<void>((resolve) => wake = resolve);
    this.#wakers.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    await woken;
    this.#wakers.delete(wake);
    signal.removeEventListener("abort", wake);
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}
