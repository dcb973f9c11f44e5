import { Result, type StatusInfo } from "../../../../shared/schema/mod.ts";
import type { RpcError } from "../../../../shared/rpc/mod.ts";
import { MAX_PROGRESS_LINE_CHARACTERS, MAX_PROGRESS_LINES } from "../limits.ts";

/** Lines of one operation, for any number of readers, each of whom sees them all and then how it ended. */
export class Progress {
  readonly #lines: Result[] = [];
  /** Lines that the bound has pushed out. */
  #dropped = 0;
  #siteLines = 0;
  #ended: { error?: RpcError } | undefined;
  readonly #wakers = new Set<() => void>();

  /** Adds a line. `code` is 0, or 2 for the last line of work that goes on after the call. */
  line(message: string, code = 0): void {
    if (this.#ended) return;
    this.#lines.push(Result.create({ message: message.slice(0, MAX_PROGRESS_LINE_CHARACTERS), code }));
    if (this.#lines.length > MAX_PROGRESS_LINES) {
      this.#lines.shift();
      this.#dropped++;
    }
    this.#wake();
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
