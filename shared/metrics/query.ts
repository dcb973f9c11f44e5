import { MetricsError } from "./errors.ts";
import { isName } from "./point.ts";

/** What becomes of a field's values in one window of time. */
export type Aggregate = "last" | "max" | "min" | "mean" | "sum" | "count";

/** A column of the answer. */
export interface Selected {
  readonly field: string;
  /** Name of the column. @default the field's */
  readonly as?: string;
  /** Required with a window, not allowed without. */
  readonly aggregate?: Aggregate;
}

/** What to read. */
export interface MetricsQuery {
  readonly measurement: string;
  readonly select: readonly Selected[];
  /** Only series whose tag has this value, or one of these; "" stands for a tag that is absent. */
  readonly tags?: Readonly<Record<string, string | readonly string[]>>;
  /** From this time on, milliseconds since 1970. */
  readonly fromMs: number;
  /** Before this time. */
  readonly toMs: number;
  /** Tags by which series are told apart; their other tags do not matter. @default all there are */
  readonly groupBy?: readonly string[];
  /** Only the newest rows of each series, at least 1. */
  readonly limit?: number;
  /** One row for each span of this many milliseconds that has values, named by its begin; spans begin at 0 UTC of 1970. */
  readonly windowMs?: number;
}

/** A value of an answer; null where a row has none. */
export type Value = number | string | boolean | null;

/** Rows of one group of series. */
export interface Series {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  /** `time`, then what was selected. */
  readonly columns: readonly string[];
  /** Oldest first; times in milliseconds since 1970. */
  readonly values: readonly (readonly [timeMs: number, ...Value[]])[];
}

/** Most values that one filter may list. */
const MAX_FILTER_VALUES = 1000;

/** @throws MetricsError `invalid` for what no database is to be asked. */
export function checkQuery(query: MetricsQuery): void {
  const { measurement, select, tags = {}, groupBy = [], fromMs, toMs, limit, windowMs } = query;
  const names = [measurement, ...select.flatMap(({ field, as }) => as === undefined ? [field] : [field, as])];
  const bad = [...names, ...Object.keys(tags), ...groupBy].find((name) => !isName(name));
  if (bad !== undefined) throw invalid(`${JSON.stringify(bad)} is no name`);
  if (select.length === 0) throw invalid("nothing is selected");
  for (const [name, value] of Object.entries(tags)) {
    if (typeof value !== "string" && (value.length === 0 || value.length > MAX_FILTER_VALUES)) {
      throw invalid(`tag ${name} must have from 1 to ${MAX_FILTER_VALUES} values`);
    }
  }
  if (select.some(({ aggregate }) => (aggregate === undefined) !== (windowMs === undefined))) {
    throw invalid("fields are aggregated exactly where there are windows");
  }
  if (!(fromMs >= 0 && toMs >= fromMs)) throw invalid(`the range ${fromMs} to ${toMs} is none`);
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) throw invalid(`limit ${limit} is below 1`);
  if (windowMs !== undefined && !(Number.isInteger(windowMs) && windowMs >= 1)) {
    throw invalid(`a window of ${windowMs} ms is none`);
  }
}

function invalid(message: string): MetricsError {
  return new MetricsError("invalid", `Metrics query: ${message}`);
}
