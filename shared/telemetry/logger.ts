import type { Clock } from "../runtime/mod.ts";
import { type JsonValue, redact, redactText } from "./redact.ts";
import { currentContext } from "./spans.ts";

/** Levels from the chattiest to the gravest. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
/** How grave a line is. */
export type LogLevel = typeof logLevels[number];

/** One JSON object a line for collectors, or columns for people. */
export type LogFormat = "json" | "text";

/** Facts that go with a message. Secret-named ones are hidden; names are snake_case by custom. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Takes one finished line, newline included. */
export type LogSink = (line: string) => void;

/** Writes structured log lines. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines; it shares this one's level. */
  with(fields: LogFields): Logger;
  /** Whether lines of this level are written, for callers whose fields are costly. */
  enabled(level: LogLevel): boolean;
  /** Changes the level of this logger and all that share it. */
  setLevel(level: LogLevel): void;
}

/** How a logger is made. */
export interface LoggerOptions {
  /** The process's name in every line. */
  readonly service: string;
  readonly sink: LogSink;
  readonly clock: Pick<Clock, "now">;
  /** @default "info" */
  readonly level?: LogLevel;
  /** @default "json" */
  readonly format?: LogFormat;
  readonly fields?: LogFields;
}

interface Shared {
  rank: number;
  readonly format: LogFormat;
  readonly service: string;
  readonly sink: LogSink;
  readonly clock: Pick<Clock, "now">;
}

/** Names that the logger itself sets; a field of that name is written with an underscore after it. */
const OWN_NAMES = ["time", "level", "service", "message", "trace_id", "span_id"];

/** Makes a logger. */
export function createLogger(options: LoggerOptions): Logger {
  const shared: Shared = {
    rank: logLevels.indexOf(options.level ?? "info"),
    format: options.format ?? "json",
    service: options.service,
    sink: options.sink,
    clock: options.clock,
  };
  return new SharedLogger(shared, prepared(options.fields));
}

/** A logger that writes nothing. */
export function nullLogger(): Logger {
  const nothing = () => {};
  const log: Logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    with: () => log,
    enabled: () => false,
    setLevel: nothing,
  };
  return log;
}

type Prepared = { [name: string]: JsonValue };

class SharedLogger implements Logger {
  readonly #shared: Shared;
  readonly #fields: Prepared;

  constructor(shared: Shared, fields: Prepared) {
    this.#shared = shared;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  with(fields: LogFields): Logger {
    return new SharedLogger(this.#shared, { ...this.#fields, ...prepared(fields) });
  }

  enabled(level: LogLevel): boolean {
    return logLevels.indexOf(level) >= this.#shared.rank;
  }

  setLevel(level: LogLevel): void {
    this.#shared.rank = logLevels.indexOf(level);
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (!this.enabled(level)) return;
    const { clock, service, format, sink } = this.#shared;
    const context = currentContext();
    const all = { ...this.#fields, ...prepared(fields) };
    if (this.#shared.rank > 0) delete all.stack;
    const time = new Date(clock.now()).toISOString();
    const text = redactText(message);
    if (format === "text") return sink(textLine(time, level, service, text, all));
    const trace = context ? { trace_id: context.traceId, span_id: context.spanId } : {};
    sink(`${JSON.stringify({ time, level, service, message: text, ...trace, ...all })}\n`);
  }
}

function prepared(fields: LogFields | undefined): Prepared {
  if (fields === undefined) return {};
  const result = redact(fields) as Prepared;
  for (const name of OWN_NAMES) {
    if (!Object.hasOwn(result, name)) continue;
    result[`${name}_`] = result[name]!;
    delete result[name];
  }
  return result;
}

function textLine(time: string, level: LogLevel, service: string, message: string, fields: Prepared): string {
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${plainOrQuoted(value)}`).join("");
  return `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${service}: ${oneLine(message)}${pairs}\n`;
}

function plainOrQuoted(value: JsonValue): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** Keeps a hostile text from faking further lines or moving the terminal's cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
