import type { Clock, RandomSource } from "../../../shared/runtime/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";
import { REPORT_RETRY_MAX_MS, REPORT_RETRY_MIN_MS } from "./limits.ts";

/**
 * Stores what a site has reported, again and again until the store takes it or `signal` ends; the pauses between attempts
 * double, with jitter.
 *
 * @param what What is stored, for the log: the subject of "could not be stored yet".
 */
export async function persist(
  { clock, random, log }: { clock: Clock; random: RandomSource; log: Logger },
  what: string,
  task: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (let pauseMs = REPORT_RETRY_MIN_MS; !signal.aborted;) {
    try {
      return await task();
    } catch (error) {
      log.warn(`${what} could not be stored yet`, { error });
    }
    await clock.sleep(pauseMs * (0.5 + random.number() / 2), signal).catch(() => {});
    pauseMs = Math.min(REPORT_RETRY_MAX_MS, pauseMs * 2);
  }
}
