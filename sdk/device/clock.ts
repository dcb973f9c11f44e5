/** A pending call of a handler. */
export interface SdkTimer {
  cancel(): void;
}

/** The SDK's only source of time, so that a program can bring its own. */
export interface SdkClock {
  /** Wall-clock time, ms since the Unix epoch. */
  now(): number;
  /** Milliseconds from any origin; never goes back. */
  monotonic(): number;
  /** Calls `handler` once after `ms` milliseconds. */
  setTimer(handler: () => void, ms: number): SdkTimer;
}

/** The clock of the browser, or of whatever else runs the module. */
export const webClock: SdkClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(handler, ms) {
    const id = setTimeout(handler, ms);
    return { cancel: () => clearTimeout(id) };
  },
};

/** Waits; an abort of the signal ends the wait early, without an error. */
export function pause(clock: SdkClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimer(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** A signal that aborts after `ms` milliseconds, or with `outer`; to be released when it is no longer needed. */
export function deadline(
  clock: SdkClock,
  ms: number,
  outer?: AbortSignal,
): { readonly signal: AbortSignal; readonly expired: () => boolean; release(): void } {
  const controller = new AbortController();
  let late = false;
  const timer = clock.setTimer(() => {
    late = true;
    controller.abort(new Error(`not within ${ms} ms`));
  }, ms);
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    expired: () => late,
    release() {
      timer.cancel();
      outer?.removeEventListener("abort", abort);
    },
  };
}
