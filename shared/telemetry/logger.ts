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
  /** A logger of the same lines whose debug level can be switched on by itself, under the name of the topic. */
  topic(name: string): Logger;
  /** Topics of this logger and all that share its level. */
  readonly topics: LogTopics;
  /** The least grave lines that are written whatever their topic. */
  level(): LogLevel;
  /** Whether lines of this level are written, for callers whose fields are costly. */
  enabled(level: LogLevel): boolean;
  /** Changes the level of this logger and all that share it. */
  setLevel(level: LogLevel): void;
}

/** Topics whose debug lines are written although the level would leave them out. */
export interface LogTopics {
  /** Topics that there are, sorted. */
  known(): string[];
  /** Those that are switched on, sorted. */
  enabled(): string[];
  /** Switches one on or off. False when there is none of that name. */
  set(name: string, on: boolean): boolean;
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
  /** Whether a topic is switched on, by name. */
  readonly topics: Map<string, boolean>;
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
    topics: new Map(),
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
    topic: () => log,
    topics: { known: () => [], enabled: () => [], set: () => false },
    level: () => "error",
    enabled: () => false,
    setLevel: nothing,
  };
  return log;
}

type Prepared = { [name: string]: JsonValue };

class SharedLogger implements Logger {
  readonly #shared: Shared;
  readonly #fields: Prepared;
  readonly #topic: string | undefined;

  constructor(shared: Shared, fields: Prepared, topic?: string) {
    this.#shared = shared;
    this.#fields = fields;
    this.#topic = topic;
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
    return new SharedLogger(this.#shared, { ...this.#fields, ...prepared(fields) }, this.#topic);
  }

  topic(name: string): Logger {
    const { topics } = this.#shared;
    if (!topics.has(name)) topics.set(name, false);
    return new SharedLogger(this.#shared, this.#fields, name);
  }

  get topics(): LogTopics {
    const { topics } = this.#shared;
    return {
      known: () => [...topics.keys()].sort(),
      enabled: () => [...topics].filter(([, on]) => on).map(([name]) => name).sort(),
      set: (name, on) => topics.has(name) && topics.set(name, on) !== undefined,
    };
  }

  level(): LogLevel {
    return logLevels[this.#shared.rank]!;
  }

  enabled(level: LogLevel): boolean {
    const { rank, topics } = this.#shared;
    return logLevels.indexOf(level) >= rank || (this.#topic !== undefined && topics.get(this.#topic) === true);
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
