import postgres from "postgres";
import { DatabaseError, kindOfCode } from "./errors.ts";
import { Json, renderSql, type SqlFragment, type SqlValue } from "./sql.ts";
import type { Row } from "./types.ts";

/** The one file that knows the npm library `postgres`; everything else sees the types below. */

/** A pool, or the connection of one transaction. */
export interface DriverSession {
  /** Runs one statement with its parameters. @throws {DatabaseError} */
  run(statement: SqlFragment): Promise<{ rows: Row[]; count: number }>;
}

/** A pool of connections. */
export interface DriverPool extends DriverSession {
  /** Runs `work` between BEGIN and COMMIT on one connection. `mode` is what follows BEGIN. */
  begin<T>(mode: string, work: (session: DriverSession) => Promise<T>): Promise<T>;
  /** Closes all connections after at most `graceMs` milliseconds for running statements. */
  end(graceMs: number): Promise<void>;
}

/** Options of {@linkcode openDriverPool}. */
export interface DriverOptions {
  maxConnections: number;
  applicationName: string;
  statementTimeoutMs: number;
  tls?: { readonly ca: string };
  /** A connection ended, for whatever reason. */
  onClose?: () => void;
  /** A notification came on a connection of this pool. */
  onNotify?: (channel: string, payload: string) => void;
  /** Keep connections for good instead of renewing them now and then. */
  permanent?: boolean;
}

/** Seconds until a connection attempt is given up. */
const CONNECT_TIMEOUT_SECONDS = 10;

/**
 * Pause before a pooled connection is tried again, seconds: the library's own grows to 20 s, for which a database that
 * is back would go unused.
 */
function reconnectPauseSeconds(failures: number): number {
  return (0.5 + Math.random() / 2) * Math.min(0.02 * 2 ** Math.min(failures, 10), LONGEST_RECONNECT_PAUSE_SECONDS);
}

const LONGEST_RECONNECT_PAUSE_SECONDS = 1;

/** A connection that is not needed any more costs the server some 9 MiB. */
const IDLE_TIMEOUT_SECONDS = 60;

/** Makes a pool; it connects at the first statement. @throws {DatabaseError} when the URL is not one. */
export function openDriverPool(url: string, options: DriverOptions): DriverPool {
  const settings: Record<string, unknown> = {
    max: options.maxConnections,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    backoff: reconnectPauseSeconds,
    idle_timeout: IDLE_TIMEOUT_SECONDS,
    connection: { application_name: options.applicationName, statement_timeout: options.statementTimeoutMs },
    types: { int8: { to: 20, from: [20], serialize: String, parse: parseInt8 } },
    no_subscribe: true,
    onnotice: ignore,
  };
  if (options.tls !== undefined) settings.ssl = { ca: options.tls.ca };
  if (options.onClose !== undefined) settings.onclose = options.onClose;
  if (options.onNotify !== undefined) settings.onnotify = options.onNotify;
  if (options.permanent) {
    settings.idle_timeout = null;
    settings.max_lifetime = null;
  }
  const pool = open(url, settings);
  return {
    run: (statement) => run(pool, statement),
    begin: (mode, work) => begin(pool, mode, work),
    end: (graceMs) => pool.end({ timeout: graceMs / 1000 }),
  };
}

/** A pool or a transaction of the library. */
type Session = postgres.ISql<Record<never, never>>;

function open(url: string, settings: Record<string, unknown>): postgres.Sql {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new DatabaseError("other", "Database URL must start with postgres:// or postgresql://");
  }
  try {
    return postgres(url, settings as postgres.Options<Record<string, postgres.PostgresType>>);
  } catch {
    // The library's message quotes the URL, which holds the password.
    throw new DatabaseError("other", "Database URL cannot be parsed, expected postgres://user:password@host:port/name");
  }
}

async function run(session: Session, statement: SqlFragment): Promise<{ rows: Row[]; count: number }> {
  const { text, values } = renderSql(statement);
  try {
    const result = await session.unsafe(text, values.map((value) => toParameter(session, value)), { prepare: true });
    return { rows: [...result] as Row[], count: result.count ?? 0 };
  } catch (error) {
    throw toDatabaseError(error);
  }
}

async function begin<T>(pool: postgres.Sql, mode: string, work: (session: DriverSession) => Promise<T>): Promise<T> {
  // What `work` throws must come out as it is, even when the library would put an earlier error in its place.
  let thrown: { error: unknown } | undefined;
  try {
    const result = await pool.begin(mode, async (transaction) => {
      try {
        // The box keeps the library from awaiting an array element by element.
        return { value: await work({ run: (statement) => run(transaction, statement) }) };
      } catch (error) {
        thrown = { error };
        throw error;
      }
    });
    return (result as { value: T }).value;
  } catch (error) {
    throw thrown === undefined ? toDatabaseError(error) : thrown.error;
  }
}

function toParameter(session: Session, value: SqlValue): postgres.ParameterOrJSON<never> {
  if (value === undefined) return null;
  if (value instanceof Json) return session.typed(value.value as never, JSONB_TYPE_ID) as never;
  return value as never;
}

/** Object id of `jsonb` in pg_type. */
const JSONB_TYPE_ID = 3802;

function parseInt8(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function toDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const raw = error as Partial<Record<string, unknown>> & { message?: string };
  const code = typeof raw.code === "string" ? raw.code : "";
  // An address that several tries failed on comes as an AggregateError with an empty message.
  const message = raw.message || (code === "" ? "Database failed without a message" : `Database failed with ${code}`);
  return new DatabaseError(kindOfCode(code), message, code, {
    constraint: text(raw.constraint_name),
    table: text(raw.table_name),
    column: text(raw.column_name),
  });
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function ignore(): void {}
