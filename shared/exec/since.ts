import { parseDuration, parseMoment } from "../schema/mod.ts";

const NS_PER_MS = 1_000_000;

/**
 * The moment from which on logs are wanted, epoch milliseconds: of a moment (RFC 3339), or of a duration before now, such
 * as `10m` (controller specification 2.5). Undefined when the text is neither, or a duration below 0.
 */
export function parseSince(text: string, nowMs: number): number | undefined {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration >= 0 ? nowMs - duration / NS_PER_MS : undefined;
  const moment = text === "" ? undefined : parseMoment(text);
  return moment && moment.seconds * 1000 + moment.nanos / NS_PER_MS;
}
