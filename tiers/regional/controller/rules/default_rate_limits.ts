import {
  ApiEndpointType,
  FlowRateLimitAlgorithm,
  FlowRateLimitSettings,
  RateLimitTarget,
} from "../../../../shared/schema/mod.ts";

/** Name that stands for all calls. */
const ALL_CALLS = "Global";

/** The limits that a region has from its first start (specification 1.5). */
export const DEFAULT_RATE_LIMITS: readonly FlowRateLimitSettings[] = [
  bucket("dmeglobalallreqs1", ALL_CALLS, RateLimitTarget.ALL_REQUESTS, 25_000, 250),
  bucket("verifylocallreqs1", "VerifyLocation", RateLimitTarget.ALL_REQUESTS, 5000, 50),
  bucket("persistentconnectionallreqs1", "PersistentConnection", RateLimitTarget.ALL_REQUESTS, 100, 10),
  bucket("dmeglobalperip1", ALL_CALLS, RateLimitTarget.PER_IP, 10_000, 100),
  bucket("verifylocperip1", "VerifyLocation", RateLimitTarget.PER_IP, 1000, 25),
];

function bucket(
  flowSettingsName: string,
  apiName: string,
  rateLimitTarget: RateLimitTarget,
  reqsPerSecond: number,
  burstSize: number,
): FlowRateLimitSettings {
  return FlowRateLimitSettings.create({
    key: { flowSettingsName, rateLimitKey: { apiName, apiEndpointType: ApiEndpointType.DME, rateLimitTarget } },
    settings: { flowAlgorithm: FlowRateLimitAlgorithm.TOKEN_BUCKET_ALGORITHM, reqsPerSecond, burstSize },
  });
}
