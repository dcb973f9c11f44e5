import { pause as sleepFor } from "./clock.ts";
import type { DriverPool } from "./driver.ts";
import { DatabaseError } from "./errors.ts";
import { identifier, sql } from "./sql.ts";
import type { DatabaseClock, DatabaseLog, Listener, ListenHandler } from "./types.ts";

/** First and longest pause before a lost listening connection is renewed. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** How often a silent listening connection is tried, and how long it may take to answer. */
const HEARTBEAT_MS = 30_000;
const HEARTBEAT_DEADLINE_MS = 10_000;

/** What the listening connection depends on. */
export interface ListenDependencies {
  /** Makes a pool of exactly one connection. */
  open(handlers: { onClose: () => void; onNotify: (channel: string, payload: string) => void }): DriverPool;
  clock: DatabaseClock;
  log: DatabaseLog;
}

interface Subscription {
  readonly handler: ListenHandler;
  /** Resolves the caller's `listen` when the subscription first stands. */
  readonly ready: () => void;
  readonly failed: (error: Error) => void;
}

/** One connection with LISTEN on it. A renewed connection is a new object, so none can be mistaken for an old one. */
interface Session {
  readonly pool: DriverPool;
  readonly lost: AbortController;
}

/**
 * Keeps one connection on which every subscribed channel is listened to. States: idle (no subscription ever made),
 * connecting, listening, pausing before the next attempt, closed.
 */
export class ListenConnection {
  readonly #dependencies: ListenDependencies;
  readonly #channels = new Map<string, Set<Subscription>>();
  readonly #closing = new AbortController();
  /** Set while listening. */
  #session: Session | undefined;
  #loop: Promise<void> | undefined;

  constructor(dependencies: ListenDependencies) {
    this.#dependencies = dependencies;
  }

  /** Subscribes; resolves when LISTEN stands for the first time. @throws {DatabaseError} when closed before that. */
  async listen(channel: string, handler: ListenHandler): Promise<Listener> {
    if (this.#closing.signal.aborted) throw closedError();
    identifier(channel);
    const subscriptions = this.#channels.get(channel) ?? new Set<Subscription>();
    this.#channels.set(channel, subscriptions);
    let subscription: Subscription;
    const ready = new Promise<void>((resolve, reject) => {
      subscription = { handler, ready: resolve, failed: reject };
      subscriptions.add(subscription);
    });
    if (this.#loop === undefined) this.#loop = this.#run();
    else if (this.#session !== undefined) this.#listenNow(this.#session, channel, subscription!);
    await ready;
    return { stop: () => this.#stop(channel, subscription) };
  }

  /** Ends every subscription and the connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#session?.lost.abort();
    await this.#loop;
    for (const subscription of this.#all()) subscription.failed(closedError());
    this.#channels.clear();
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#dependencies;
    let pause = FIRST_PAUSE_MS;
    while (!this.#closing.signal.aborted) {
      const session = this.#openSession();
      try {
        await this.#listenAll(session);
        pause = FIRST_PAUSE_MS;
        await this.#watch(session);
        if (!this.#closing.signal.aborted) log.warn("Listening connection to the database lost");
      } catch (error) {
        if (!this.#closing.signal.aborted) {
          log.warn("Cannot listen to the database", { error: (error as Error).message, retryInMs: pause });
        }
      } finally {
        this.#session = undefined;
        await session.pool.end(0);
      }
      await sleepFor(clock, pause * (0.5 + Math.random() / 2), this.#closing.signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  #openSession(): Session {
    const lost = new AbortController();
    const pool = this.#dependencies.open({
      onClose: () => lost.abort(),
      onNotify: (channel, payload) => this.#deliver(channel, payload),
    });
    return { pool, lost };
  }

  async #listenAll(session: Session): Promise<void> {
    const covered = new Set<Subscription>();
    // Subscriptions may be added while a LISTEN is under way, so go on until none is left over.
    for (;;) {
      const open = [...this.#channels].filter(([, members]) => [...members].some((member) => !covered.has(member)));
      if (open.length === 0) break;
      for (const [channel, members] of open) {
        const now = [...members];
        await session.pool.run(sql`listen ${identifier(channel)}`);
        now.forEach((member) => covered.add(member));
      }
    }
    if (session.lost.signal.aborted) throw new DatabaseError("connection", "Connection lost while subscribing");
    this.#session = session;
    for (const subscription of covered) this.#connected(subscription);
  }

  #listenNow(session: Session, channel: string, subscription: Subscription): void {
    session.pool.run(sql`listen ${identifier(channel)}`).then(
      () => session === this.#session && this.#connected(subscription),
      // The loop sees the lost connection, renews it and subscribes everything anew.
      () => session.lost.abort(),
    );
  }

  /** Returns when the connection is lost, silent for too long, or to be closed. */
  async #watch(session: Session): Promise<void> {
    const { clock } = this.#dependencies;
    for (;;) {
      await sleepFor(clock, HEARTBEAT_MS, session.lost.signal);
      if (session.lost.signal.aborted) return;
      const answered = new AbortController();
      session.pool.run(sql`select 1`).then(() => answered.abort(), () => session.lost.abort());
      await sleepFor(clock, HEARTBEAT_DEADLINE_MS, AbortSignal.any([answered.signal, session.lost.signal]));
      if (!answered.signal.aborted) return;
    }
  }

  async #stop(channel: string, subscription: Subscription): Promise<void> {
    const subscriptions = this.#channels.get(channel);
    if (subscriptions === undefined || !subscriptions.delete(subscription) || subscriptions.size > 0) return;
    this.#channels.delete(channel);
    // On a lost connection there is nothing left to unsubscribe from.
    await this.#session?.pool.run(sql`unlisten ${identifier(channel)}`).catch(() => {});
    // Somebody subscribed in the meantime: that LISTEN may have been undone.
    if (this.#channels.has(channel)) await this.#session?.pool.run(sql`listen ${identifier(channel)}`).catch(() => {});
  }

  #deliver(channel: string, payload: string): void {
    for (const { handler } of this.#channels.get(channel) ?? []) {
      this.#guard(() => handler.notified(payload));
    }
  }

  #connected(subscription: Subscription): void {
    this.#guard(() => subscription.handler.connected());
    subscription.ready();
  }

  /** A handler that throws must not take the connection, and with it all other handlers, down. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#dependencies.log.warn("Handler of a database notification failed", { error: String(error) });
    }
  }

  *#all(): Iterable<Subscription> {
    for (const subscriptions of this.#channels.values()) yield* subscriptions;
  }
}

function closedError(): DatabaseError {
  return new DatabaseError("connection", "Database is closed");
}
