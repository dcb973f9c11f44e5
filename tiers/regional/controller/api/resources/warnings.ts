import type { Clock, Timer } from "../../../../../shared/runtime/mod.ts";
import {
  AlertKind,
  CloudletInfoKind,
  type CloudletKey,
  CloudletKind,
  CloudletRefsKind,
  dme,
} from "../../../../../shared/schema/mod.ts";
import type { AlertSink } from "../../alerts/alerts.ts";
import { cloudletLabels } from "../../alerts/labels.ts";
import { AlertName } from "../../alerts/names.ts";
import { warningsOf } from "../../rules/cloudlet_usage.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { cloudletUsage } from "./cloudlet_resources_api.ts";

/** Changes of a cloudlet that come within this time are looked at together. */
const SETTLE_MS = 100;

/** What {@linkcode watchResources} works with. */
export interface WatchResourcesOptions {
  readonly cache: RegionCache;
  readonly alerts: AlertSink;
  readonly clock: Clock;
  /** Identity of this controller. */
  readonly controller: string;
}

/**
 * Raises CloudletResourceUsage alerts for what operators should know of their cloudlets' resources, and clears those that
 * hold no longer (specification 4.6), after everything that may change it: something was taken or given back, the site
 * has reported, the cloudlet's quotas have changed. The controller to which a site is connected looks after it; sites that
 * are connected nowhere are everybody's. Returns what ends it.
 */
export function watchResources({ cache, alerts, clock, controller }: WatchResourcesOptions): () => void {
  const told = new Map<string, ReadonlySet<string>>();
  const changed = new Set<string>();
  let timer: Timer | undefined;

  function look(keyString: string): void {
    const cloudlet = cache.get(CloudletKind, keyString);
    const info = cache.get(CloudletInfoKind, keyString);
    if (cloudlet === undefined || info === undefined) return void told.delete(keyString);
    if (info.controller !== controller && cache.hasController(info.controller)) return void told.delete(keyString);
    // Nothing can be said while the site says nothing.
    if (info.state !== dme.CloudletState.CLOUDLET_STATE_READY) return;
    const warnings = new Set(warningsOf(cloudletUsage(cache, cloudlet)));
    const raised = told.get(keyString);
    // Those that another controller has raised go with it, so they are raised here, too.
    const before = raised ?? alertsOf(cache, cloudlet.key);
    for (const warning of warnings) if (!raised?.has(warning)) alerts.raise(alertOf(cloudlet.key, warning));
    for (const warning of before) if (!warnings.has(warning)) alerts.clear(alertOf(cloudlet.key, warning).labels);
    told.set(keyString, warnings);
  }

  function lookSoon(keyString: string): void {
    changed.add(keyString);
    timer ??= clock.setTimer(() => {
      timer = undefined;
      const keys = [...changed];
      changed.clear();
      for (const key of keys) look(key);
    }, SETTLE_MS);
  }

  const watched: ReadonlySet<string> = new Set([CloudletKind.kind, CloudletInfoKind.kind, CloudletRefsKind.kind]);
  const unsubscribe = cache.subscribe(({ objects }) => {
    for (const { kind, keyString } of objects) if (watched.has(kind.kind)) lookSoon(keyString);
  });
  for (const keyString of cache.table(CloudletInfoKind).keys()) lookSoon(keyString);
  return () => {
    unsubscribe();
    timer?.cancel();
  };
}

/** Warnings that are raised for a cloudlet already, by whomever. */
function alertsOf(cache: RegionCache, key: CloudletKey): Set<string> {
  const wanted = Object.entries(alertOf(key, "").labels).filter(([name]) => name !== "warning");
  const warnings = [...cache.table(AlertKind).values()]
    .filter(({ labels }) => wanted.every(([name, value]) => labels[name] === value))
    .map(({ labels }) => labels["warning"] ?? "");
  return new Set(warnings);
}

function alertOf(key: CloudletKey, warning: string) {
  return {
    labels: {
      alertname: AlertName.cloudletResourceUsage,
      scope: "Cloudlet",
      ...cloudletLabels(key),
      warning,
    },
    annotations: { title: "Resources of the cloudlet", description: warning },
  };
}
