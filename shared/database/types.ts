import type { SqlFragment, SqlValue } from "./sql.ts";

/** One row of a result: column name to value. `int8` becomes a number where it fits, otherwise a bigint. */
export type Row = Record<string, unknown>;

/** What both a database and a transaction can do. */
export interface Queryable {
  /**
   * Runs one statement and gives its rows.
   * @throws {DatabaseError}
   */
  query<T = Row>(strings: TemplateStringsArray, ...holes: readonly (SqlValue | SqlFragment)[]): Promise<T[]>;
  /**
   * Runs one statement and gives the number of rows that it changed.
   * @throws {DatabaseError}
   */
  execute(strings: TemplateStringsArray, ...holes: readonly (SqlValue | SqlFragment)[]): Promise<number>;
  /**
   * Sends a notification; inside a transaction it leaves when that commits.
   * @param payload at most 7999 bytes, PostgreSQL's limit.
   */
  notify(channel: string, payload: string): Promise<void>;
}

/** How a transaction sees what others write at the same time (PostgreSQL documentation, chapter 13). */
export type Isolation = "read committed" | "repeatable read" | "serializable";

/** Options of {@linkcode Database.transaction}. */
export interface TransactionOptions {
  /** @default {"read committed"} */
  isolation?: Isolation;
  /** How often the work is run anew after a serialization failure or deadlock. @default {8} */
  retries?: number;
}

/** What a listener is told. */
export interface ListenHandler {
  /** A notification came. */
  notified(payload: string): void;
  /**
   * The listening connection stands: called once at the start and after every reconnect. Notifications sent while it
   * was down are lost, so whatever is cached from the database must be read again here.
   */
  connected(): void;
}

/** A running subscription. */
export interface Listener {
  /** Ends the subscription. */
  stop(): Promise<void>;
}

/** A connected PostgreSQL database. */
export interface Database extends Queryable {
  /**
   * Runs `work` in one transaction: commits when it returns, rolls back when it throws. Runs it anew when PostgreSQL
   * asks for that (SQLSTATE 40001 and 40P01), so `work` must have no effects outside the transaction. A failed
   * statement fails the transaction even when `work` catches the error.
   */
  transaction<T>(work: (transaction: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Listens on a channel until stopped, over a connection of its own that is renewed when lost. */
  listen(channel: string, handler: ListenHandler): Promise<Listener>;
  /** One round trip. @throws {DatabaseError} when the database cannot be reached. */
  ping(): Promise<void>;
  /** Waits for running statements (5 s at most) and closes every connection. */
  close(): Promise<void>;
}

/** Time as the database client needs it; the clock of `shared/runtime` fits. */
export interface DatabaseClock {
  /** Milliseconds on a scale that never goes back. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects when `signal` fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Where the database client reports what it does by itself: retries, lost and renewed connections. */
export interface DatabaseLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

/** Options of {@linkcode openDatabase}. */
export interface OpenDatabaseOptions {
  /** @default nothing is logged */
  log?: DatabaseLog;
  /** @default {the system's clock} */
  clock?: DatabaseClock;
  /** Upper bound of pooled connections; the listening connection comes on top. @default {8} */
  maxConnections?: number;
  /** How long to wait for the database to become reachable at the start, in milliseconds. @default {30_000} */
  startDeadlineMs?: number;
  /** TLS with a CA of one's own (PEM), the server's name checked. Without it `?sslmode=` of the URL decides. */
  tls?: { readonly ca: string };
  /** What the connections are called in `pg_stat_activity`. @default {"archipelago"} */
  applicationName?: string;
}
