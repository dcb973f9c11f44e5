import type { MetricSeries, MetricVal } from "../../../../shared/schema/mod.ts";

/** A series as the REST interface has it: columns, of which the first is the time, and rows of values. */
export interface SeriesJson {
  readonly name: string;
  readonly columns: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly values: readonly (readonly (string | number | boolean | null)[])[];
}

/** One series of a region as JSON, newest row first. @param keep whether a row is shown, by the values of its columns */
export function seriesJson(
  { measurement, tags, columns, rows }: MetricSeries,
  keep: (row: Readonly<Record<string, unknown>>) => boolean = () => true,
): SeriesJson {
  const values = rows.map(({ timeMs, vals }) => [isoTime(timeMs), ...vals.map(valueOf)] as const)
    .filter((row) => keep(Object.fromEntries(columns.map((column, at) => [column, row[at + 1]]))))
    .reverse();
  return {
    name: measurement,
    columns: ["time", ...columns],
    tags: Object.fromEntries(tags.map(({ name, val }) => [name, val])),
    values,
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function valueOf({ dval, ival, bval, sval }: MetricVal): string | number | boolean | null {
  return dval ?? ival ?? bval ?? sval ?? null;
}
