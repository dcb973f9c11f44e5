import { GLOBAL_API, type LimitSettings, type Target } from "../../../shared/ratelimit/mod.ts";

/** The limits of a region without any of its own (DME specification 7). */
export const DEFAULT_RATE_LIMITS: readonly LimitSettings[] = [
  bucket("dmeglobalallreqs1", GLOBAL_API, "all", 25_000, 250),
  bucket("dmeglobalperip1", GLOBAL_API, "address", 10_000, 100),
  bucket("verifylocallreqs1", "VerifyLocation", "all", 5000, 50),
  bucket("verifylocperip1", "VerifyLocation", "address", 1000, 25),
];

function bucket(
  name: string,
  api: string,
  target: Target,
  requestsPerSecond: number,
  burst: number,
): LimitSettings {
  return { name, api, target, algorithm: { kind: "token-bucket", requestsPerSecond, burst } };
}
