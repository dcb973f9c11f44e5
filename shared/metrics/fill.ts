import type { Series, Value } from "./query.ts";

/** Most rows that filling makes of one series. */
const MAX_ROWS = 20_000;

/** Gives every window between the first and the end of the range a row; those without values repeat the one before. */
export function fillPrevious(series: Series, windowMs: number, toMs: number): Series {
  const filled: [number, ...Value[]][] = [];
  let previous: Value[] | undefined;
  let next = 0;
  const { values } = series;
  if (values.length === 0) return series;
  for (let time = values[0]![0]; time < toMs && filled.length < MAX_ROWS; time += windowMs) {
    while (next < values.length && values[next]![0] <= time) {
      const [, ...row] = values[next++]!;
      previous = row.map((value, at) => value ?? previous?.[at] ?? null);
    }
    filled.push([time, ...previous!]);
  }
  return { ...series, values: filled };
}
