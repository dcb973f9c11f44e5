import { parseDuration } from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";

/** Most rows, and most samples, that one question may ask for. */
export const MAX_DATA_POINTS = 10_000;

/** Time that is looked at when the question does not say. */
const DEFAULT_SPAN_MS = 12 * 3_600_000;

const NS_PER_MS = 1e6;

/** What all metrics routes take beside what they ask for (mc spec 1.9). */
export interface CommonFields {
  readonly starttime?: Date;
  readonly endtime?: Date;
  readonly startage?: string | number;
  readonly endage?: string | number;
  readonly numsamples?: number;
  readonly limit?: number;
}

/** Which rows are asked for. */
export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  /** Newest rows of each series. */
  readonly limit?: number;
  /** Length of the spans of which each gives one row. */
  readonly windowMs?: number;
}

/**
 * Reads the time and the number of rows.
 * @param floorMs shortest span that a row may stand for: how often the measurement comes
 * @throws {ApiError} 400
 */
export function readRange(fields: CommonFields, nowMs: number, floorMs: number): Range {
  const { starttime, endtime, startage, endage, numsamples, limit } = fields;
  if (numsamples !== undefined && limit !== undefined) throw badRequest("Only one of Limit or NumSamples may be given");
  for (const [name, value] of [["NumSamples", numsamples], ["Limit", limit]] as const) {
    if (value !== undefined && (value < 1 || value > MAX_DATA_POINTS)) {
      throw badRequest(`${name} must be from 1 to ${MAX_DATA_POINTS}: ${value}`);
    }
  }
  if (starttime !== undefined && startage !== undefined) {
    throw badRequest("Only one of StartTime or StartAge may be given");
  }
  if (endtime !== undefined && endage !== undefined) throw badRequest("Only one of EndTime or EndAge may be given");
  const toMs = endtime?.getTime() ?? (endage === undefined ? nowMs : nowMs - ageMs("EndAge", endage));
  const start = starttime?.getTime() ?? (startage === undefined ? undefined : nowMs - ageMs("StartAge", startage));
  // The newest rows are wanted, however old they are, unless the question says otherwise.
  const fromMs = start ?? (numsamples === undefined ? 0 : toMs - DEFAULT_SPAN_MS);
  if (fromMs >= toMs) throw badRequest("Failed to parse time: Start time must be before (older than) end time");
  if (numsamples === undefined) {
    return { fromMs: Math.max(0, fromMs), toMs, limit: limit ?? MAX_DATA_POINTS };
  }
  const wanted = Math.floor((toMs - fromMs) / numsamples / 1000) * 1000;
  return { fromMs: Math.max(0, fromMs), toMs, windowMs: Math.max(wanted, floorMs) };
}

function ageMs(name: string, age: string | number): number {
  const ns = typeof age === "number" ? age : parseDuration(age);
  if (ns === undefined || !(ns >= 0)) throw badRequest(`${name} must be a duration, as 1h30m: ${JSON.stringify(age)}`);
  return ns / NS_PER_MS;
}
