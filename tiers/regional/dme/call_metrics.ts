import { statusName } from "../../../shared/rpc/mod.ts";
import type { Metrics } from "../../../shared/telemetry/mod.ts";
import type { CallObserver, RegionTables } from "./api/mod.ts";

/** Declares the metrics of calls and tables. @returns What counts a call. */
export function countCalls(metrics: Metrics, tables: RegionTables): CallObserver {
  const calls = metrics.counter({
    name: "dme_calls_total",
    help: "Calls of devices that ended, by method and status.",
    labels: ["method", "code"],
  });
  const seconds = metrics.histogram({
    name: "dme_call_seconds",
    help: "Time to answer a call, by method.",
    labels: ["method"],
  });
  metrics.gauge({
    name: "dme_instances",
    help: "Known app instances, by whether they may be offered.",
    labels: ["usable"],
  }).collect(() => {
    const { instances, usable } = tables.count();
    return [[{ usable: "true" }, usable], [{ usable: "false" }, instances - usable]];
  });
  return (method, code, durationMs) => {
    calls.add(1, { method, code: statusName(code) });
    seconds.observe(durationMs / 1000, { method });
  };
}
