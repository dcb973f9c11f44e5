import type { Clock } from "../runtime/mod.ts";
import { createLogger, type Logger, type LogLevel } from "./logger.ts";

/** A log line as it would have been written. */
export interface LogRecord {
  readonly time: string;
  readonly level: LogLevel;
  readonly service: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A logger for tests and what it was told. */
export interface MemoryLogger {
  readonly log: Logger;
  readonly records: LogRecord[];
}

/** Keeps all lines, debug level included, in memory. */
export function memoryLogger(clock: Pick<Clock, "now"> = { now: () => 0 }): MemoryLogger {
  const records: LogRecord[] = [];
  const log = createLogger({
    service: "test",
    level: "debug",
    clock,
    sink: (line) => void records.push(JSON.parse(line)),
  });
  return { log, records };
}
