import { type Status, statusName } from "../../../shared/rpc/mod.ts";
import type { Metrics } from "../../../shared/telemetry/mod.ts";
import type { EdgeObserver } from "./edge/mod.ts";
import type { CallObserver, RegionTables } from "./api/mod.ts";

/** Declares the metrics of calls and tables. @returns What counts a call. */
export function countCalls(metrics: Metrics, tables: RegionTables): CallObserver {
  const calls = metrics.counter({
    name: "dme_calls_total",
    help: "Calls of devices that ended, by method and status.",
    labels: ["method", "code"],
  });
  const times = metrics.histogram({
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
  // Looked up once, for they are counted at every call.
  const seconds = memoized((method: string) => times.of({ method }));
  const ended = memoized((method: string) => memoized((code: Status) => calls.of({ method, code: statusName(code) })));
  return (method, code, durationMs) => {
    ended(method)(code).add();
    seconds(method).observe(durationMs / 1000);
  };
}

/** Declares the metrics of event streams. @param open how many there are now. @returns What counts them. */
export function countStreams(metrics: Metrics, open: () => number): EdgeObserver {
  metrics.gauge({ name: "dme_event_streams", help: "Event streams that are open.", labels: [] })
    .collect(() => [[{}, open()]]);
  const ended = metrics.counter({
    name: "dme_event_streams_ended_total",
    help: "Event streams that ended, by status.",
    labels: ["code"],
  });
  const refused = metrics.counter({
    name: "dme_events_refused_total",
    help: "Events of devices that were answered with EVENT_ERROR.",
    labels: [],
  });
  return { ended: (code) => ended.add(1, { code }), refused: () => refused.add(1, {}) };
}

/** Makes each once; for keys of which there are few. */
function memoized<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) made.set(key, value = make(key));
    return value;
  };
}
