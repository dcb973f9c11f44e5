import { durationText, type FieldDescriptor, Settings } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";

const MS = 1e6;
const SECOND = 1e9;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What is set where nobody has set anything (specification 6.6). Durations are in nanoseconds. */
export const DEFAULT_SETTINGS: Readonly<Settings> = Object.freeze(Settings.create({
  shepherdMetricsCollectionInterval: 5 * SECOND,
  shepherdMetricsScrapeInterval: 15 * SECOND,
  shepherdAlertEvaluationInterval: 15 * SECOND,
  shepherdHealthCheckRetries: 3,
  shepherdHealthCheckInterval: 5 * SECOND,
  autoDeployIntervalSec: 300,
  autoDeployOffsetSec: 20,
  autoDeployMaxIntervals: 10,
  createAppInstTimeout: 30 * MINUTE,
  updateAppInstTimeout: 30 * MINUTE,
  deleteAppInstTimeout: 20 * MINUTE,
  createClusterInstTimeout: 30 * MINUTE,
  updateClusterInstTimeout: 20 * MINUTE,
  deleteClusterInstTimeout: 20 * MINUTE,
  maxTrackedDmeClients: 100,
  chefClientInterval: 10 * MINUTE,
  influxDbMetricsRetention: 672 * HOUR,
  influxDbCloudletUsageMetricsRetention: 8760 * HOUR,
  influxDbDownsampledMetricsRetention: 8760 * HOUR,
  influxDbEdgeEventsMetricsRetention: 672 * HOUR,
  cloudletMaintenanceTimeout: 5 * MINUTE,
  updateVmPoolTimeout: 20 * MINUTE,
  updateTrustPolicyTimeout: 10 * MINUTE,
  dmeApiMetricsCollectionInterval: 30 * SECOND,
  edgeEventsMetricsCollectionInterval: HOUR,
  cleanupReservableAutoClusterIdletime: 30 * MINUTE,
  createCloudletTimeout: 30 * MINUTE,
  updateCloudletTimeout: 20 * MINUTE,
  locationTileSideLengthKm: 2,
  edgeEventsMetricsContinuousQueriesCollectionIntervals: [
    { interval: 24 * HOUR, retention: 168 * HOUR },
    { interval: 168 * HOUR, retention: 672 * HOUR },
    { interval: 672 * HOUR, retention: 8064 * HOUR },
  ],
  appinstClientCleanupInterval: 24 * HOUR,
  clusterAutoScaleAveragingDurationSec: 60,
  clusterAutoScaleRetryDelay: MINUTE,
  alertPolicyMinTriggerTime: 30 * SECOND,
  rateLimitMaxTrackedIps: 10_000,
  resourceSnapshotThreadInterval: 10 * MINUTE,
  platformHaInstancePollInterval: 300 * MS,
  platformHaInstanceActiveExpireTime: SECOND,
}));

/** Settings whose least value is not just above 0: name, least value in nanoseconds, whether it may be reached, its text. */
const LEAST: readonly [name: string, least: number, reached: boolean, text: string][] = [
  ["cleanup_reservable_auto_cluster_idletime", 30 * SECOND, false, "30s"],
  ["appinst_client_cleanup_interval", 2 * SECOND, false, "2s"],
  ["resource_snapshot_thread_interval", 30 * SECOND, false, "30s"],
  ["platform_ha_instance_poll_interval", 10 * MS, false, "10ms"],
  ["platform_ha_instance_active_expire_time", 500 * MS, true, "500ms"],
];

/** A copy in which every field that says nothing has its default. */
export function withDefaults(settings: Settings | undefined): Settings {
  const filled = Settings.create(settings);
  for (const field of Settings.descriptor.fields) {
    if (isUnset(field, valueOf(filled, field))) {
      (filled as unknown as Record<string, unknown>)[field.property] = structuredClone(
        valueOf(DEFAULT_SETTINGS, field),
      );
    }
  }
  return filled;
}

/** Checks settings in which every field is set (specification 6.6). */
export function checkSettings(settings: Settings, issues: Issues): void {
  for (const field of Settings.descriptor.fields) {
    const value = valueOf(settings, field);
    if (typeof value !== "number") continue;
    // Those that may be unset give 0 a meaning of its own.
    const [least, rule] = field.oneof === undefined ? [Number.MIN_VALUE, "must be above 0"] : [0, "must be at least 0"];
    issues.check(value >= least && Number.isFinite(value), field.name, shown(field, value), rule);
  }
  for (const [name, least, reached, text] of LEAST) {
    const field = Settings.descriptor.field(name)!;
    const value = valueOf(settings, field) as number;
    const sound = value <= 0 || (reached ? value >= least : value > least);
    issues.check(sound, name, shown(field, value), `must be ${reached ? "at least" : "above"} ${text}`);
  }
  issues.check(
    settings.shepherdAlertEvaluationInterval >= settings.shepherdMetricsScrapeInterval,
    "shepherd_alert_evaluation_interval",
    undefined,
    "must be at least shepherd_metrics_scrape_interval",
  );
  issues.check(
    settings.platformHaInstanceActiveExpireTime > settings.platformHaInstancePollInterval,
    "platform_ha_instance_active_expire_time",
    undefined,
    "must be above platform_ha_instance_poll_interval",
  );
  settings.edgeEventsMetricsContinuousQueriesCollectionIntervals.forEach(({ interval, retention }, i) => {
    const path = `edge_events_metrics_continuous_queries_collection_intervals[${i}]`;
    issues.check(
      interval > settings.edgeEventsMetricsCollectionInterval,
      `${path}.interval`,
      durationText(interval),
      "must be above edge_events_metrics_collection_interval",
    );
    issues.check(retention >= 0, `${path}.retention`, durationText(retention), "must be at least 0");
  });
}

function isUnset(field: FieldDescriptor, value: unknown): boolean {
  if (value === undefined) return true;
  if (field.oneof !== undefined) return false;
  return value === 0 || (Array.isArray(value) && value.length === 0);
}

function valueOf(settings: Readonly<Settings>, field: FieldDescriptor): unknown {
  return (settings as unknown as Record<string, unknown>)[field.property];
}

function shown(field: FieldDescriptor, value: number): unknown {
  return field.rules.meaning === "DURATION" ? durationText(value) : value;
}
