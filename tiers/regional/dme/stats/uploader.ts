import { type MetricSender, type Point, sendPoints } from "../../../../shared/metrics/mod.ts";
import type { Clock, Timer } from "../../../../shared/runtime/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";

/** A source of points and how often it is asked. */
export interface Upload {
  collect(nowMs: number): readonly Point[];
  /** Read anew each time, milliseconds. */
  intervalMs(): number;
}

/** Longest time until a new interval is followed, in milliseconds. */
const LOOK_MS = 5000;

/** Points that may wait for a controller; of more, the oldest go. */
const MAX_WAITING = 20_000;

/**
 * Sends points of several sources to the controller, at multiples of their intervals on the wall clock, so that all
 * processes report on the same periods. What a lost controller could not take waits for the next time.
 *
 * @returns what ends that, after one last sending
 */
export function uploadPoints(
  sources: readonly Upload[],
  { clock, log, sender }: { clock: Clock; log: Logger; sender: MetricSender },
): () => void {
  const timers = new Map<Upload, Timer>();
  let waiting: Point[] = [];
  let dropped = 0;

  function send(source: Upload): void {
    waiting.push(...source.collect(clock.now()));
    if (waiting.length > MAX_WAITING) {
      const excess = waiting.length - MAX_WAITING;
      waiting = waiting.slice(excess);
      dropped += excess;
      log.warn("Statistics dropped, as no controller takes them", { dropped });
    }
    const lost = sendPoints(sender, waiting);
    // Those that did not fit are the last ones.
    waiting = lost === 0 ? [] : waiting.slice(-lost);
  }

  function later(source: Upload, before: number): void {
    const intervalMs = source.intervalMs();
    // Looked at again before long, as the interval may be set anew, and the clock, too.
    const waitMs = Math.min(intervalMs - clock.now() % intervalMs, LOOK_MS);
    timers.set(
      source,
      clock.setTimer(() => {
        const period = periodOf(source);
        later(source, period);
        if (period !== before) send(source);
      }, waitMs),
    );
  }

  function periodOf(source: Upload): number {
    return Math.floor(clock.now() / source.intervalMs());
  }

  for (const source of sources) later(source, periodOf(source));
  return () => {
    for (const timer of timers.values()) timer.cancel();
    for (const source of sources) send(source);
  };
}
