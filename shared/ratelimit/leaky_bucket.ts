import type { Limiter } from "./verdict.ts";

/**
 * A line from which one call goes on every 1/`perSecond`; a call is told how long to stand in it, and is refused only
 * when it would not wait that long. A refused call takes no place. The line is one number: nobody holds anything.
 */
export function leakyBucket(perSecond: number): Limiter {
  const intervalMs = 1000 / perSecond;
  let nextMs = -Infinity;
  return {
    take(nowMs, patienceMs) {
      const turnMs = Math.max(nowMs, nextMs);
      const waitMs = turnMs - nowMs;
      if (waitMs > patienceMs) {
        return { exceeded: "rate", retryAfterMs: waitMs, limit: `${perSecond} requests per second` };
      }
      nextMs = turnMs + intervalMs;
      return waitMs;
    },
  };
}
