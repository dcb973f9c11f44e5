import { type Handlers, RpcError, Status } from "../../../../../shared/rpc/mod.ts";
import {
  FlowRateLimitSettingsKind,
  matches,
  MaxReqsRateLimitSettingsKind,
  RateLimitSettings,
  type RateLimitSettingsApi,
  RateLimitSettingsKey,
  toJson,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { checkFlowSettings, checkMaxReqsSettings } from "../../rules/rate_limits.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { currentSettings } from "../../state/settings.ts";
import { catalog } from "./catalog.ts";

/** Handlers of RateLimitSettingsApi. */
export function rateLimitSettingsApi(context: ApiContext): Handlers<typeof RateLimitSettingsApi> {
  const { cache } = context.region;
  const flows = catalog(context, FlowRateLimitSettingsKind, { check: checkFlowSettings });
  const counts = catalog(context, MaxReqsRateLimitSettingsKind, { check: checkMaxReqsSettings });

  /** Changes wait until limits are in force again (specification 3.11). */
  function whileEnabled<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    // deno-lint-ignore require-await -- so that a refusal is a rejection like any other
    return async (...args) => {
      if (currentSettings(cache).disableRateLimit) {
        throw new RpcError(Status.UNIMPLEMENTED, "Rate limits cannot be changed while disable_rate_limit is set");
      }
      return call(...args);
    };
  }

  return {
    showRateLimitSettings: (request) => union(cache, request),
    createFlowRateLimitSettings: whileEnabled(flows.create),
    updateFlowRateLimitSettings: whileEnabled(flows.update),
    deleteFlowRateLimitSettings: whileEnabled(flows.remove),
    showFlowRateLimitSettings: flows.show,
    createMaxReqsRateLimitSettings: whileEnabled(counts.create),
    updateMaxReqsRateLimitSettings: whileEnabled(counts.update),
    deleteMaxReqsRateLimitSettings: whileEnabled(counts.remove),
    showMaxReqsRateLimitSettings: counts.show,
  };
}

/** All limits, put together by what they limit. */
async function* union(cache: RegionCache, request: RateLimitSettings): AsyncGenerator<RateLimitSettings> {
  const found = new Map<string, RateLimitSettings>();
  const at = (key: RateLimitSettingsKey) => {
    const name = JSON.stringify(toJson(RateLimitSettingsKey, key));
    const known = found.get(name) ?? RateLimitSettings.create({ key });
    found.set(name, known);
    return known;
  };
  for (const { key, settings } of cache.table(FlowRateLimitSettingsKind).values()) {
    at(key.rateLimitKey).flowSettings[key.flowSettingsName] = settings;
  }
  for (const { key, settings } of cache.table(MaxReqsRateLimitSettingsKind).values()) {
    at(key.rateLimitKey).maxReqsSettings[key.maxReqsSettingsName] = settings;
  }
  for (const name of [...found.keys()].sort()) {
    const limits = found.get(name)!;
    if (matches(RateLimitSettings, request, limits)) yield limits;
  }
}
