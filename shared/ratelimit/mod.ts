/**
 * Limits on how often something may be called: in all, per address, per user. The state is of the process alone.
 *
 * @module
 */
export { addressKey } from "./address_key.ts";
export {
  createRateLimiter,
  type LimitedCall,
  type RateLimiter,
  type RateLimiterOptions,
  RateLimitError,
} from "./rate_limiter.ts";
export { type Algorithm, createLimiter, GLOBAL_API, type LimitSettings, type Target } from "./settings.ts";
export type { Limiter, Refused, Verdict } from "./verdict.ts";
