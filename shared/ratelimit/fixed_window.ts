import type { Limiter } from "./verdict.ts";

/**
 * At most `maxRequests` calls in a window of `intervalMs`; 0 means any number. A window opens with the first call, and
 * again with the first call after the old one ran out.
 */
export function fixedWindow(maxRequests: number, intervalMs: number): Limiter {
  let openedMs = -Infinity;
  let taken = 0;
  return {
    take(nowMs) {
      if (maxRequests === 0) return 0;
      if (nowMs - openedMs >= intervalMs) {
        openedMs = nowMs;
        taken = 0;
      }
      if (taken < maxRequests) {
        taken++;
        return 0;
      }
      return {
        exceeded: "count",
        retryAfterMs: openedMs + intervalMs - nowMs,
        limit: `${maxRequests} requests in ${intervalMs / 1000} s`,
      };
    },
  };
}
