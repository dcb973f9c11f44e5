import type { TypedReplica } from "../../../../shared/notify/mod.ts";
import type { Settings } from "../../../../shared/schema/mod.ts";

/** The region's settings that matter here (DME specification 6.2). */
export interface DmeSettings {
  readonly apiMetricsMs: number;
  readonly edgeMetricsMs: number;
  readonly demandMs: number;
  readonly tileSideKm: number;
  readonly maxClients: number;
  readonly keepClientsMs: number;
}

const NS_PER_MS = 1e6;

/** Reads the settings as they are now, with the defaults of what nobody has set or has not arrived. */
export function dmeSettings(replica: Pick<TypedReplica<Settings, unknown>, "values">): DmeSettings {
  const [settings] = replica.values();
  const ms = (ns: number | undefined, otherwise: number) => ns === undefined || ns <= 0 ? otherwise : ns / NS_PER_MS;
  const positive = (value: number | undefined, otherwise: number) =>
    value === undefined || value <= 0 ? otherwise : value;
  return {
    apiMetricsMs: ms(settings?.dmeApiMetricsCollectionInterval, 30_000),
    edgeMetricsMs: ms(settings?.edgeEventsMetricsCollectionInterval, 3_600_000),
    demandMs: positive(settings?.autoDeployIntervalSec, 300) * 1000,
    tileSideKm: Math.max(1, Math.floor(positive(settings?.locationTileSideLengthKm, 2))),
    maxClients: positive(settings?.maxTrackedDmeClients, 100),
    keepClientsMs: ms(settings?.appinstClientCleanupInterval, 24 * 3_600_000),
  };
}
