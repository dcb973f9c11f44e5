import { MetricsError } from "./errors.ts";
import { isName } from "./point.ts";

/** @throws MetricsError `invalid` unless it is NAME or NAME/POLICY */
export function checkDatabase(database: string): void {
  const parts = database.split("/");
  if (parts.length > 2 || !parts.every(isName)) {
    throw new MetricsError("invalid", `${JSON.stringify(database)} is no name of a metrics database`);
  }
}

/** @throws MetricsError `invalid` for less than an hour, which no InfluxDB takes */
export function checkRetention(ms: number): void {
  if (ms === 0 || (Number.isInteger(ms) && ms >= 3_600_000)) return;
  throw new MetricsError("invalid", `A retention of ${ms} ms is neither 0 nor at least an hour`);
}
