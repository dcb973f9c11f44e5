/** Those who wait for something to come true of what changes by revisions. */
export class Waiters {
  readonly #revision: () => number;
  readonly #stop: AbortSignal;
  readonly #probing = new Set<() => void>();
  /** Who waits for a revision: apart, as each of many changes at once has somebody who waits for it alone. */
  #arrivals: { readonly revision: number; readonly resolve: () => void }[] = [];

  /**
   * @param revision the present one
   * @param stop aborted when nothing will change any more
   */
  constructor(revision: () => number, stop: AbortSignal) {
    this.#revision = revision;
    this.#stop = stop;
  }

  /** Resolves when `revision` or a later one is there, or when it stops. */
  reached(revision: number): Promise<void> {
    if (this.#revision() >= revision || this.#stop.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#arrivals.push({ revision, resolve }));
  }

  /**
   * Resolves with the first value other than undefined that `probe` gives, tried now and after each change; with
   * undefined when `signal` is aborted, or when it stops.
   */
  async until<V>(probe: () => V | undefined, signal?: AbortSignal): Promise<V | undefined> {
    for (;;) {
      const value = probe();
      if (value !== undefined) return value;
      if (signal?.aborted || this.#stop.aborted) return undefined;
      let wake!: () => void;
      const woken = new Promise<void>((resolve) => wake = resolve);
      this.#probing.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
      await woken;
      this.#probing.delete(wake);
      signal?.removeEventListener("abort", wake);
    }
  }

  /** Something has changed, or it has stopped. */
  wake(): void {
    const arrivals = this.#arrivals;
    const revision = this.#stop.aborted ? Infinity : this.#revision();
    const isDue = (arrival: { readonly revision: number }) => arrival.revision <= revision;
    if (arrivals.some(isDue)) {
      this.#arrivals = arrivals.filter((arrival) => !isDue(arrival));
      for (const arrival of arrivals) if (isDue(arrival)) arrival.resolve();
    }
    for (const wake of [...this.#probing]) wake();
  }
}
