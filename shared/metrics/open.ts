import type { MetricsDeps, MetricsStore } from "./store.ts";
import { parseMetricsUrl } from "./url.ts";

/**
 * Opens the metrics store that `url` names: `sqlite:PATH` (one process at a time), `sqlite::memory:` (lost on close) or
 * `influxdb:http://HOST:PORT` (the HTTP API of InfluxDB 1.x).
 *
 * @throws MetricsError `url` or `open`. An InfluxDB that does not answer is no error here: points wait for it.
 */
export async function openMetricsStore(url: string, deps: MetricsDeps): Promise<MetricsStore> {
  const parsed = parseMetricsUrl(url);
  switch (parsed.driver) {
    case "sqlite":
      return (await import("./sqlite/driver.ts")).openSqliteMetrics(parsed.path, deps);
    case "influxdb":
      return (await import("./influxdb/driver.ts")).openInfluxMetrics(parsed.base, deps);
  }
}
