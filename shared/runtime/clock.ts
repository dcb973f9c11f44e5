/** A pending call of a handler. */
export interface Timer {
  /** Forgets the handler. Does nothing once it ran or was cancelled. */
  cancel(): void;
  [Symbol.dispose](): void;
}

/** The only source of time for code outside this folder. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch; it can jump. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. Use it for durations. */
  monotonic(): number;
  /**
   * Waits.
   *
   * @param ms How long, in milliseconds; zero or less still yields once.
   * @param signal Ends the wait early.
   * @throws The signal's reason when it aborts first.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `handler` once after `ms` milliseconds. */
  setTimer(handler: () => void, ms: number): Timer;
}

/** The longest delay a platform timer takes; longer ones fire at once (signed 32-bit milliseconds). */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers keep the process alive. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: sleepOn(startTimer),
    setTimer: startTimer,
  };
}

/** Builds `sleep` out of `setTimer`, for every clock alike. */
export function sleepOn(setTimer: Clock["setTimer"]): Clock["sleep"] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = setTimer(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
}

function startTimer(handler: () => void, ms: number): Timer {
  let id: ReturnType<typeof setTimeout> | undefined;
  let left = Math.max(0, ms);
  const arm = () => {
    const step = Math.min(left, MAX_TIMER_MS);
    left -= step;
    id = setTimeout(() => left > 0 ? arm() : handler(), step);
  };
  arm();
  const cancel = () => clearTimeout(id);
  return { cancel, [Symbol.dispose]: cancel };
}
