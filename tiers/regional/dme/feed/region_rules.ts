import { createLimiter, type LimitSettings, type RateLimiter, type Target } from "../../../../shared/ratelimit/mod.ts";
import {
  ApiEndpointType,
  FlowRateLimitAlgorithm,
  type FlowRateLimitSettings,
  type FlowRateLimitSettingsKey,
  FlowRateLimitSettingsKind,
  type MaxReqsRateLimitSettings,
  type MaxReqsRateLimitSettingsKey,
  MaxReqsRateLimitSettingsKind,
  type OperatorCode,
  RateLimitTarget,
  Settings,
} from "../../../../shared/schema/mod.ts";

/** What is so where the region's settings do not say otherwise (DME specification 6.2). */
export const DEFAULT_TILE_SIDE_KM = 2;
const DEFAULT_MAX_TRACKED = 10_000;

const NANOSECONDS_PER_MS = 1e6;

const TARGETS: Readonly<Record<number, Target>> = {
  [RateLimitTarget.ALL_REQUESTS]: "all",
  [RateLimitTarget.PER_IP]: "address",
  [RateLimitTarget.PER_USER]: "user",
};

/**
 * What the region sets for its matching engines, beside the tables: settings, limits of calls, codes of operators. All of
 * it may change at any time.
 */
export class RegionRules {
  readonly #limiter: RateLimiter;
  readonly #limited: boolean;
  readonly #limits = new Map<string, LimitSettings>();
  readonly #codes = new Map<string, string>();
  #settings: Settings = Settings.create();

  /**
   * @param limiter is brought in line with the region's limits
   * @param limited whether calls are limited at all, whatever the region says
   */
  constructor(limiter: RateLimiter, limited = true) {
    this.#limiter = limiter;
    this.#limited = limited;
  }

  /** The region's settings; fields that are 0 have their defaults. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Side of a location tile, whole kilometres. */
  get tileSideKm(): number {
    return this.#settings.locationTileSideLengthKm || DEFAULT_TILE_SIDE_KM;
  }

  /** Organization of an operator code; undefined when the text is none. */
  carrierOf(code: string): string | undefined {
    return this.#codes.get(code);
  }

  setSettings(settings: Settings): void {
    this.#settings = settings;
    this.#apply();
  }

  setCode({ code, organization }: OperatorCode): void {
    this.#codes.set(code, organization);
  }

  removeCode({ code }: { code: string }): void {
    this.#codes.delete(code);
  }

  /** @throws {RangeError} When the limit makes no sense; then there is none of its key. */
  setFlow({ key, settings }: FlowRateLimitSettings): void {
    const { flowAlgorithm, reqsPerSecond: requestsPerSecond, burstSize: burst } = settings;
    this.#setLimit(FlowRateLimitSettingsKind.keyString(key), key.rateLimitKey, {
      name: key.flowSettingsName,
      algorithm: flowAlgorithm === FlowRateLimitAlgorithm.LEAKY_BUCKET_ALGORITHM
        ? { kind: "leaky-bucket", requestsPerSecond }
        : { kind: "token-bucket", requestsPerSecond, burst },
    });
  }

  removeFlow(key: FlowRateLimitSettingsKey): void {
    if (this.#limits.delete(FlowRateLimitSettingsKind.keyString(key))) this.#apply();
  }

  /** @throws {RangeError} When the limit makes no sense; then there is none of its key. */
  setMaxReqs({ key, settings }: MaxReqsRateLimitSettings): void {
    const { maxRequests, interval } = settings;
    this.#setLimit(MaxReqsRateLimitSettingsKind.keyString(key), key.rateLimitKey, {
      name: key.maxReqsSettingsName,
      algorithm: { kind: "fixed-window", maxRequests, intervalMs: interval / NANOSECONDS_PER_MS },
    });
  }

  removeMaxReqs(key: MaxReqsRateLimitSettingsKey): void {
    if (this.#limits.delete(MaxReqsRateLimitSettingsKind.keyString(key))) this.#apply();
  }

  #setLimit(
    id: string,
    { apiName: api, apiEndpointType, rateLimitTarget }: FlowRateLimitSettingsKey["rateLimitKey"],
    limit: Pick<LimitSettings, "name" | "algorithm">,
  ): void {
    this.#limits.delete(id);
    const target = TARGETS[rateLimitTarget];
    try {
      if (apiEndpointType !== ApiEndpointType.DME || target === undefined) return;
      const settings = { ...limit, api, target };
      createLimiter(settings);
      this.#limits.set(id, settings);
    } finally {
      this.#apply();
    }
  }

  #apply(): void {
    const { disableRateLimit, rateLimitMaxTrackedIps } = this.#settings;
    const settings = this.#limited && !disableRateLimit ? [...this.#limits.values()] : [];
    this.#limiter.update(settings, rateLimitMaxTrackedIps || DEFAULT_MAX_TRACKED);
  }
}
