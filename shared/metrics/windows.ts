import type { Aggregate, Value } from "./query.ts";

/** Collects the values of one column in one window. */
export interface Collector {
  /** Values must come in the order of their times. */
  add(value: Exclude<Value, null>): void;
  /** Null without a value that counts. */
  result(): Value;
}

/** Makes a collector; all but `last` and `count` take numbers only. */
export function collect(aggregate: Aggregate): Collector {
  let count = 0;
  let value: Value = null;
  const numeric = (combine: (before: number, next: number) => number, finish = (sum: number) => sum): Collector => ({
    add(next) {
      if (typeof next !== "number") return;
      value = count++ === 0 ? next : combine(value as number, next);
    },
    result: () => count === 0 ? null : finish(value as number),
  });
  switch (aggregate) {
    case "last":
      return { add: (next) => value = next, result: () => value };
    case "count":
      return { add: () => count++, result: () => count === 0 ? null : count };
    case "max":
      return numeric(Math.max);
    case "min":
      return numeric(Math.min);
    case "sum":
      return numeric((before, next) => before + next);
    case "mean":
      return numeric((before, next) => before + next, (sum) => sum / count);
  }
}
