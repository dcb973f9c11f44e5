import { deadline, type SdkClock } from "./clock.ts";
import { type Endpoint, urlOf } from "./connect.ts";
import type { Fetch } from "./rest.ts";

/** What a latency test is asked for. */
export interface ProbeOptions {
  /** How many samples to take. */
  readonly samples: number;
  /** How long one may take, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Measures the way to an endpoint: one value a sample, ms, −1 for a sample that failed. Never throws. */
export type Probe = (endpoint: Endpoint, options: ProbeOptions) => Promise<number[]>;

/** What a failed sample is sent as. */
export const FAILED_SAMPLE = -1;

/**
 * Measures by HTTP, which is all that a page can do: requests for the headers of `/`, after one that is not counted and
 * opens the connection, so that a sample is one way there and back. Any answer counts, whatever its status. Other
 * programs may measure connections, see {@link connectProbe}.
 */
export function fetchProbe(fetch: Fetch, clock: SdkClock): Probe {
  return async (endpoint, { samples, timeoutMs, signal }) => {
    const url = urlOf(endpoint);
    const once = () =>
      sample(clock, timeoutMs, signal, async (limit) => {
        // A page may not read the answer of an app that knows nothing of it, and need not.
        const response = await fetch(url, { method: "HEAD", mode: "no-cors", cache: "no-store", signal: limit });
        await response.body?.cancel();
      });
    if (await once() === FAILED_SAMPLE) return new Array(samples).fill(FAILED_SAMPLE);
    return await series(samples, once);
  };
}

/**
 * Measures how long it takes until a connection stands, for programs that can open one.
 *
 * @param connect opens and closes one; the signal says when to give up
 */
export function connectProbe(
  connect: (endpoint: Endpoint, signal: AbortSignal) => Promise<void>,
  clock: SdkClock,
): Probe {
  return (endpoint, { samples, timeoutMs, signal }) =>
    series(samples, () => sample(clock, timeoutMs, signal, (limit) => connect(endpoint, limit)));
}

async function series(samples: number, once: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  while (values.length < samples) values.push(await once());
  return values;
}

async function sample(
  clock: SdkClock,
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const limit = deadline(clock, timeoutMs, outer);
  const startedMs = clock.monotonic();
  try {
    await work(limit.signal);
    return clock.monotonic() - startedMs;
  } catch {
    return FAILED_SAMPLE;
  } finally {
    limit.release();
  }
}

/** What a series of samples says; failed ones do not count. */
export interface LatencyStatistics {
  readonly samples: number;
  /** Milliseconds, like the others; NaN without samples. */
  readonly average: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Of the sample (n − 1), 0 for a single one. */
  readonly deviation: number;
}

/** Sums a series up. */
export function statisticsOf(values: readonly number[]): LatencyStatistics {
  const good = values.filter((value) => value >= 0);
  const samples = good.length;
  if (samples === 0) return { samples, average: NaN, minimum: NaN, maximum: NaN, deviation: NaN };
  const average = good.reduce((sum, value) => sum + value, 0) / samples;
  const squares = good.reduce((sum, value) => sum + (value - average) ** 2, 0);
  return {
    samples,
    average,
    minimum: Math.min(...good),
    maximum: Math.max(...good),
    deviation: samples === 1 ? 0 : Math.sqrt(squares / (samples - 1)),
  };
}

/** Which of two is better: by average, then by deviation; one that was never reached comes last. */
export function compareLatency(a: LatencyStatistics, b: LatencyStatistics): number {
  if (a.samples === 0 || b.samples === 0) return Math.sign(b.samples) - Math.sign(a.samples);
  return a.average - b.average || a.deviation - b.deviation;
}
