/** Lower bounds of the spans into which latencies are sorted, milliseconds (DME specification 6.4). */
const BOUNDS: readonly number[] = [0, 5, 10, 25, 50, 100];

/** Names of the spans, which name the fields of metrics. */
export const BUCKET_NAMES: readonly string[] = BOUNDS.map((bound) => bound === 0 ? "0s" : `${bound}ms`);

/** Index of the span that a latency falls into: that of the largest bound not above it. */
export function bucketOf(ms: number): number {
  let at = BOUNDS.length - 1;
  while (at > 0 && ms < BOUNDS[at]!) at--;
  return at;
}
