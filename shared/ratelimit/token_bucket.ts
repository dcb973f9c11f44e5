import type { Limiter } from "./verdict.ts";

/** Sums of fractions come out a little short of the whole token that they make. */
const ROUNDING = 1e-9;

/** A bucket that holds up to `burst` tokens and gains `perSecond`; a call takes one or is refused. It starts full. */
export function tokenBucket(perSecond: number, burst: number): Limiter {
  let tokens = burst;
  let filledMs: number | undefined;
  return {
    take(nowMs) {
      tokens = Math.min(burst, tokens + Math.max(0, nowMs - (filledMs ?? nowMs)) / 1000 * perSecond);
      filledMs = nowMs;
      if (tokens >= 1 - ROUNDING) {
        tokens = Math.max(0, tokens - 1);
        return 0;
      }
      return {
        exceeded: "rate",
        retryAfterMs: (1 - tokens) / perSecond * 1000,
        limit: `${perSecond} requests per second`,
      };
    },
  };
}
