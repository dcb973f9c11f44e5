import { pause as sleepFor, systemDatabaseClock } from "./clock.ts";
import { type DriverPool, type DriverSession, openDriverPool } from "./driver.ts";
import { DatabaseError } from "./errors.ts";
import { ListenConnection } from "./listen.ts";
import { sql, type SqlFragment, type SqlValue } from "./sql.ts";
import type {
  Database,
  DatabaseClock,
  DatabaseLog,
  Listener,
  ListenHandler,
  OpenDatabaseOptions,
  Queryable,
  Row,
  TransactionOptions,
} from "./types.ts";

/** A statement of a service that runs longer than this is a mistake; migrations lift the limit for themselves. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** First and longest pause between two attempts to reach the database at the start. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** How long running statements may take to end when the database is closed. */
const CLOSE_GRACE_MS = 5_000;
/** A ping that takes longer counts as failed. */
const PING_DEADLINE_MS = 5_000;

/**
 * Connects to a PostgreSQL database, retrying until it is reachable or the deadline has passed.
 * Wrong credentials and a database that does not exist are reported at once.
 * @param url `postgres://user:password@host:port/name`, several hosts divided by commas for a replicated database.
 * @throws {DatabaseError}
 */
export async function openDatabase(url: string, options: OpenDatabaseOptions = {}): Promise<Database> {
  const clock = options.clock ?? systemDatabaseClock();
  const log = options.log ?? { info() {}, warn() {} };
  const settings = {
    maxConnections: options.maxConnections ?? 8,
    applicationName: options.applicationName ?? "archipelago",
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    tls: options.tls,
  };
  const pool = openDriverPool(url, settings);
  try {
    await reach(pool, clock, log, options.startDeadlineMs ?? 30_000);
  } catch (error) {
    await pool.end(0);
    throw error;
  }
  const listening = new ListenConnection({
    open: (handlers) => openDriverPool(url, { ...settings, ...handlers, maxConnections: 1, permanent: true }),
    clock,
    log,
  });
  return new PooledDatabase(pool, listening, clock);
}

async function reach(pool: DriverPool, clock: DatabaseClock, log: DatabaseLog, deadlineMs: number): Promise<void> {
  const deadline = clock.monotonic() + deadlineMs;
  for (let pause = FIRST_PAUSE_MS;; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      await pool.run(sql`select 1`);
      return;
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind !== "connection") throw error;
      if (clock.monotonic() + pause > deadline) {
        throw new DatabaseError(
          "connection",
          `Database not reachable within ${deadlineMs} ms: ${error.message}`,
          error.code,
        );
      }
      log.warn("Database not reachable yet", { error: error.message, retryInMs: pause });
      await sleepFor(clock, pause);
    }
  }
}

class PooledDatabase implements Database {
  readonly #pool: DriverPool;
  readonly #listening: ListenConnection;
  readonly #clock: DatabaseClock;
  readonly #statements: Queryable;

  constructor(pool: DriverPool, listening: ListenConnection, clock: DatabaseClock) {
    this.#pool = pool;
    this.#listening = listening;
    this.#clock = clock;
    this.#statements = queryable(pool);
  }

  query<T = Row>(strings: TemplateStringsArray, ...holes: readonly (SqlValue | SqlFragment)[]): Promise<T[]> {
    return this.#statements.query<T>(strings, ...holes);
  }

  execute(strings: TemplateStringsArray, ...holes: readonly (SqlValue | SqlFragment)[]): Promise<number> {
    return this.#statements.execute(strings, ...holes);
  }

  notify(channel: string, payload: string): Promise<void> {
    return this.#statements.notify(channel, payload);
  }

  async transaction<T>(work: (transaction: Queryable) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const mode = `isolation level ${options.isolation ?? "read committed"}`;
    const retries = options.retries ?? 8;
    for (let attempt = 0;; attempt++) {
      try {
        return await this.#pool.begin(mode, (session) => work(queryable(session)));
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.kind !== "serialization" || attempt >= retries) throw error;
        // Random pauses keep two transactions that met once from meeting again.
        await sleepFor(this.#clock, Math.random() * Math.min(2 ** attempt * 2, 200));
      }
    }
  }

  listen(channel: string, handler: ListenHandler): Promise<Listener> {
    return this.#listening.listen(channel, handler);
  }

  async ping(): Promise<void> {
    const timeout = new AbortController();
    try {
      await Promise.race([
        this.#pool.run(sql`select 1`),
        sleepFor(this.#clock, PING_DEADLINE_MS, timeout.signal).then(() => {
          if (!timeout.signal.aborted) {
            throw new DatabaseError("connection", `Database did not answer within ${PING_DEADLINE_MS} ms`);
          }
        }),
      ]);
    } finally {
      timeout.abort();
    }
  }

  async close(): Promise<void> {
    await this.#listening.close();
    await this.#pool.end(CLOSE_GRACE_MS);
  }
}

function queryable(session: DriverSession): Queryable {
  return {
    async query<T>(strings: TemplateStringsArray, ...holes: readonly (SqlValue | SqlFragment)[]) {
      return (await session.run(sql(strings, ...holes))).rows as T[];
    },
    async execute(strings, ...holes) {
      return (await session.run(sql(strings, ...holes))).count;
    },
    async notify(channel, payload) {
      await session.run(sql`select pg_notify(${channel}, ${payload})`);
    },
  };
}
