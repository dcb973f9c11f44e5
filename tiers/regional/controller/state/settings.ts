import { equal, FlowRateLimitSettingsKind, Settings, SettingsKind } from "../../../../shared/schema/mod.ts";
import type { Timeouts } from "../context.ts";
import { DEFAULT_RATE_LIMITS } from "../rules/default_rate_limits.ts";
import { withDefaults } from "../rules/settings.ts";
import type { Region } from "./region.ts";
import type { RegionCache } from "./region_cache.ts";

/** Key string of the settings, of which there is one object only. */
export const SETTINGS_KEY = SettingsKind.keyString(SettingsKind.keyMessage.create());

/** Longest time that a timer can wait, in milliseconds; longer ones would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const NS_PER_MS = 1e6;

const filled = new WeakMap<Settings, Settings>();
const none = withDefaults(undefined);

/** The region's settings as they are now, with the defaults of what nobody has set. Not to be changed. */
export function currentSettings(cache: RegionCache): Settings {
  const row = cache.get(SettingsKind, SETTINGS_KEY);
  if (row === undefined) return none;
  let settings = filled.get(row);
  if (settings === undefined) filled.set(row, settings = withDefaults(row));
  return settings;
}

/**
 * Writes the settings and the limits of calls when the store has no settings, so at the first start only: a limit that
 * somebody deleted stays away. Fills in defaults of settings that have come since (specification 1.5 and 6.6).
 */
export async function ensureSettings(region: Region): Promise<void> {
  await region.change(async (tx) => {
    const row = await tx.get(SettingsKind, SETTINGS_KEY);
    const wanted = withDefaults(row);
    if (row === undefined) { for (const limit of DEFAULT_RATE_LIMITS) tx.put(FlowRateLimitSettingsKind, limit); }
    if (row === undefined || !equal(Settings, row, wanted)) tx.put(SettingsKind, wanted);
  });
}

/** The longest waits for sites: those of the settings, read anew at each use, except where something else is given. */
export function timeoutsOf(cache: RegionCache, given: Partial<Timeouts> = {}): Timeouts {
  const set = (name: keyof Timeouts, field: (settings: Settings) => number) =>
    given[name] ?? Math.min(field(currentSettings(cache)) / NS_PER_MS, MAX_TIMER_MS);
  return {
    get createCloudletMs() {
      return set("createCloudletMs", (settings) => settings.createCloudletTimeout);
    },
    get updateCloudletMs() {
      return set("updateCloudletMs", (settings) => settings.updateCloudletTimeout);
    },
    get createClusterInstMs() {
      return set("createClusterInstMs", (settings) => settings.createClusterInstTimeout);
    },
    get updateClusterInstMs() {
      return set("updateClusterInstMs", (settings) => settings.updateClusterInstTimeout);
    },
    get deleteClusterInstMs() {
      return set("deleteClusterInstMs", (settings) => settings.deleteClusterInstTimeout);
    },
    get createAppInstMs() {
      return set("createAppInstMs", (settings) => settings.createAppInstTimeout);
    },
    get updateAppInstMs() {
      return set("updateAppInstMs", (settings) => settings.updateAppInstTimeout);
    },
    get deleteAppInstMs() {
      return set("deleteAppInstMs", (settings) => settings.deleteAppInstTimeout);
    },
    get cloudletMaintenanceMs() {
      return set("cloudletMaintenanceMs", (settings) => settings.cloudletMaintenanceTimeout);
    },
    get updateTrustPolicyMs() {
      return set("updateTrustPolicyMs", (settings) => settings.updateTrustPolicyTimeout);
    },
    get updateVmPoolMs() {
      return set("updateVmPoolMs", (settings) => settings.updateVmPoolTimeout);
    },
  };
}
