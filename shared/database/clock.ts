import type { DatabaseClock } from "./types.ts";

/** The system's clock, for callers that pass none. */
export function systemDatabaseClock(): DatabaseClock {
  return { monotonic: () => performance.now(), sleep };
}

/** Waits `ms` milliseconds, or less when `signal` fires; never rejects. */
export async function pause(clock: DatabaseClock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cancel);
      resolve();
    }, ms);
    function cancel(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", cancel, { once: true });
  });
}
