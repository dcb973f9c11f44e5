import {
  FlowRateLimitAlgorithm,
  type FlowRateLimitSettings,
  type MaxReqsRateLimitSettings,
} from "../../../../shared/schema/mod.ts";
import { durationText } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";

/** Checks a limit of the rate of calls (specification 3.11). */
export function checkFlowSettings({ settings }: FlowRateLimitSettings, issues: Issues): void {
  const { flowAlgorithm, reqsPerSecond, burstSize } = settings;
  issues.check(
    reqsPerSecond > 0 && Number.isFinite(reqsPerSecond),
    "settings.reqs_per_second",
    reqsPerSecond,
    "must be above 0",
  );
  if (flowAlgorithm === FlowRateLimitAlgorithm.TOKEN_BUCKET_ALGORITHM) {
    issues.check(burstSize > 0, "settings.burst_size", burstSize, "must be above 0 for a token bucket");
  }
  if (flowAlgorithm === FlowRateLimitAlgorithm.LEAKY_BUCKET_ALGORITHM) {
    issues.check(burstSize === 0, "settings.burst_size", burstSize, "must be 0 for a leaky bucket");
  }
}

/** Checks a limit of the number of calls (specification 3.11). */
export function checkMaxReqsSettings({ settings }: MaxReqsRateLimitSettings, issues: Issues): void {
  const { maxRequests, interval } = settings;
  issues.check(maxRequests > 0, "settings.max_requests", maxRequests, "must be above 0");
  issues.check(interval > 0, "settings.interval", durationText(interval), "must be above 0");
}
