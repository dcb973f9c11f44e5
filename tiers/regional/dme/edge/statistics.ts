/** Summary of some numbers; all zero for none. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  /** Unbiased (divided by n-1); 0 for one number. */
  readonly variance: number;
  readonly stdDev: number;
}

/** Summarizes numbers; negative ones are failed measurements and left out (DME specification 5.1). */
export function summarize(samples: Iterable<number>): Summary {
  let count = 0, min = 0, max = 0, avg = 0, squares = 0;
  for (const value of samples) {
    if (!(value >= 0) || value === Infinity) continue;
    count++;
    min = count === 1 ? value : Math.min(min, value);
    max = count === 1 ? value : Math.max(max, value);
    // Welford's way, which loses nothing for large numbers that lie close together.
    const before = value - avg;
    avg += before / count;
    squares += before * (value - avg);
  }
  const variance = count > 1 ? squares / (count - 1) : 0;
  return { count, min, max, avg, variance, stdDev: Math.sqrt(variance) };
}
