import { METRIC_MESSAGE, type MetricsStore, type Point, pointsOfBatch } from "../../../../shared/metrics/mod.ts";
import type { NotifyHub } from "../../../../shared/notify/mod.ts";
import { CloudletKind } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { MetricsDatabase } from "./databases.ts";

/** What devices tell on their event streams is kept apart (specification 8.1). */
const EDGE_EVENTS: ReadonlySet<string> = new Set(["latency-metric", "device-metric", "custom-metric"]);

/** Writes what children measure into the metrics store; a site can tell of itself only. */
export function takeMetrics(hub: NotifyHub, store: MetricsStore, log: Logger): void {
  hub.onMessage(METRIC_MESSAGE, (value, child) => {
    let points: Point[];
    try {
      points = pointsOfBatch(value);
    } catch (error) {
      return log.warn("Metrics of a child cannot be read", { child: child.name, error });
    }
    const own = points.filter((point) => child.scope === undefined || cloudletOf(point) === child.scope);
    if (own.length < points.length) {
      log.warn("Metrics about other sites dropped", { child: child.name, dropped: points.length - own.length });
    }
    const [edge, others] = [true, false].map((wanted) =>
      own.filter(({ measurement }) => EDGE_EVENTS.has(measurement) === wanted)
    );
    if (others!.length > 0) store.write(MetricsDatabase.metrics, others!);
    if (edge!.length > 0) store.write(MetricsDatabase.edgeEvents, edge!);
  });
}

function cloudletOf({ tags }: Point): string {
  const { cloudlet = "", cloudletorg = "" } = tags;
  return CloudletKind.keyString({ organization: cloudletorg, name: cloudlet, federatedOrganization: "" });
}
