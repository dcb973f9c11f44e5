/** Time, as the store needs it. */
export interface StoreClock {
  /** Milliseconds that only grow; the origin is arbitrary. */
  now(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` is or gets aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Certificates, as PEM, for an etcd that is reached over TLS. */
export interface StoreTls {
  ca: Uint8Array;
  certificateChain?: Uint8Array;
  privateKey?: Uint8Array;
}

/** What a store takes from its surroundings. */
export interface StoreDeps {
  /** @default the system's */
  clock?: StoreClock;
  /** Uniform in [0, 1), for jitter. @default Math.random */
  random?: () => number;
  /** Certificates for `etcd:https://…`. @default the system's trust, no client certificate */
  tls?: StoreTls;
  /** Revisions of history that `sqlite:` keeps. @default HISTORY_KEEP_REVISIONS */
  historyKeepRevisions?: number;
}

/** The system's clock. */
export const systemClock: StoreClock = {
  now: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};
