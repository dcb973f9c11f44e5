import { fixedWindow } from "./fixed_window.ts";
import { leakyBucket } from "./leaky_bucket.ts";
import { tokenBucket } from "./token_bucket.ts";
import type { Limiter } from "./verdict.ts";

/** Whose calls a limit counts together. */
export type Target = "all" | "address" | "user";

/** How a limit counts. */
export type Algorithm =
  | { readonly kind: "token-bucket"; readonly requestsPerSecond: number; readonly burst: number }
  | { readonly kind: "leaky-bucket"; readonly requestsPerSecond: number }
  | { readonly kind: "fixed-window"; readonly maxRequests: number; readonly intervalMs: number };

/** One limit of one API for one target. */
export interface LimitSettings {
  /** Distinguishes it from others of the same API and target. */
  readonly name: string;
  /** Name of a method, or {@link GLOBAL_API}. */
  readonly api: string;
  readonly target: Target;
  readonly algorithm: Algorithm;
}

/** Stands for every API that has no limits of its own. */
export const GLOBAL_API = "Global";

/** A fresh limiter. @throws {RangeError} When a number is out of its range. */
export function createLimiter({ name, algorithm }: LimitSettings): Limiter {
  function check(field: string, value: number, ok: boolean, rule: string): void {
    if (!ok) throw new RangeError(`Rate limit ${name}: ${field} is ${value}, it must be ${rule}`);
  }
  switch (algorithm.kind) {
    case "token-bucket": {
      const { requestsPerSecond, burst } = algorithm;
      check("requestsPerSecond", requestsPerSecond, requestsPerSecond > 0 && requestsPerSecond < Infinity, "above 0");
      check("burst", burst, Number.isSafeInteger(burst) && burst > 0, "a whole number above 0");
      return tokenBucket(requestsPerSecond, burst);
    }
    case "leaky-bucket": {
      const { requestsPerSecond } = algorithm;
      check("requestsPerSecond", requestsPerSecond, requestsPerSecond > 0 && requestsPerSecond < Infinity, "above 0");
      return leakyBucket(requestsPerSecond);
    }
    case "fixed-window": {
      const { maxRequests, intervalMs } = algorithm;
      check("maxRequests", maxRequests, Number.isSafeInteger(maxRequests) && maxRequests >= 0, "a whole number");
      check("intervalMs", intervalMs, intervalMs > 0 && intervalMs < Infinity, "above 0");
      return fixedWindow(maxRequests, intervalMs);
    }
  }
}
