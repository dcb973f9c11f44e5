import type { StoreDeps } from "./deps.ts";
import { systemClock } from "./deps.ts";
import { CompactedError, StoreError } from "./errors.ts";
import { compareBytes, encodeKey } from "./keys.ts";
import { MAX_TRANSACTION_ATTEMPTS, MAX_TRANSACTION_OPERATIONS, WRITE_TIMEOUT_MS } from "./limits.ts";
import type { Compare, Op, Store, StoreEntry } from "./store.ts";

/** First and longest pause between two attempts of a transaction, in milliseconds; jitter takes a random part of it. */
const RETRY_MIN_MS = 2;
const RETRY_MAX_MS = 250;

/** What the body of a transaction works with. All reads see one revision, plus the body's own writes. */
export interface Tx {
  /** Reads a key. An entry that this transaction wrote carries the revisions of what it replaces (0 when new). */
  get(key: string): Promise<StoreEntry | undefined>;
  /**
   * Reads all keys under a prefix, in byte order. A commit then needs that none of them changed or went and that none
   * came. Throws a StoreError `invalid` beyond MAX_TRANSACTION_OPERATIONS keys, as each costs one compare.
   */
  scan(prefix: string): Promise<StoreEntry[]>;
  /**
   * Makes the commit need that no key under a prefix came or changed after the revision at which everything is read, and
   * returns that revision: what somebody else knows of the prefix at that revision, or later, then still holds. Keys that
   * go are not noticed. Unlike a scan it costs the same for any number of keys.
   */
  hold(prefix: string): Promise<number>;
  /**
   * The modRevision of a key (0: it is not there) by what is known without asking the store; the commit then needs that it
   * is so. Undefined where nothing is known, or this transaction has read or written the key: then `get` tells.
   */
  peek(key: string): number | undefined;
  put(key: string, value: Uint8Array, options?: { lease?: string }): void;
  delete(key: string): void;
}

/** The part of a store that transactions need. */
export type TransactionStore = Pick<Store, "get" | "scan" | "transact">;

/** What somebody knows of a store without asking it, as it was at some revision. */
export interface KnownState {
  /** Newest revision of which everything is known. */
  readonly revision: number;
  /** The key's modRevision as of `revision`, 0 when it was not there; undefined when that is not known. */
  modRevision(key: string, revision: number): number | undefined;
}

/** Options of {@linkcode transaction}. */
export interface TransactionOptions extends Pick<StoreDeps, "clock" | "random"> {
  /**
   * Lets the first run of the body read by what is known (`Tx.peek`), which costs the store nothing. It counts when it
   * commits; else the body is run again by what the store says, so that nothing is refused, and nothing left as it is, by
   * what may be old. For bodies that mostly write.
   */
  known?: KnownState;
  /** Time for all attempts together, in milliseconds. @default WRITE_TIMEOUT_MS */
  timeoutMs?: number;
  /** Most runs of the body. @default MAX_TRANSACTION_ATTEMPTS */
  maxAttempts?: number;
}

/**
 * Runs `body` as an optimistic transaction: its writes are applied together if nothing it read has changed meanwhile,
 * else it is run again from the start. So the body must do nothing outside of `tx` and must not keep state between
 * runs. An error that the body throws ends the transaction with nothing written.
 *
 * @returns the body's value, and the revision of the commit (of the reads when the body wrote nothing)
 * @throws StoreError `conflict` when attempts or time run out; `unavailable` when the database does not answer, in
 * which case the transaction may or may not have been applied
 */
export async function transaction<T>(
  store: TransactionStore,
  body: (tx: Tx) => Promise<T> | T,
  options: TransactionOptions = {},
): Promise<{ value: T; revision: number }> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const maxAttempts = options.maxAttempts ?? MAX_TRANSACTION_ATTEMPTS;
  const timeoutMs = options.timeoutMs ?? WRITE_TIMEOUT_MS;
  const deadlineMs = clock.now() + timeoutMs;
  if (options.known !== undefined) {
    const run = new Run(store, options.known);
    const guess = await Promise.resolve().then(() => body(run)).then((value) => ({ value }), () => undefined);
    if (guess !== undefined && run.writes) {
      const { committed, revision } = await run.commit();
      if (committed) return { value: guess.value, revision };
    }
  }
  for (let attempt = 1;; attempt++) {
    const run = new Run(store);
    try {
      const value = await body(run);
      const { committed, revision } = await run.commit();
      if (committed) return { value, revision };
    } catch (error) {
      // The snapshot was compacted under a slow body: that is a conflict like any other.
      if (!(error instanceof CompactedError)) throw error;
    }
    const pauseMs = random() * Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** attempt);
    if (attempt >= maxAttempts || clock.now() + pauseMs >= deadlineMs) {
      throw new StoreError(
        "conflict",
        `Store transaction met other writers in each of ${attempt} attempts within ${timeoutMs} ms`,
      );
    }
    await clock.sleep(pauseMs);
  }
}

/** One attempt. */
class Run implements Tx {
  readonly #store: TransactionStore;
  readonly #known: KnownState | undefined;
  #revision: number | undefined;
  readonly #peeked = new Map<string, number>();
  readonly #reads = new Map<string, StoreEntry | undefined>();
  /** Keys found under prefixes; made when needed, like the next, as most transactions read single keys. */
  #scans: Map<string, string[]> | undefined;
  #held: Set<string> | undefined;
  readonly #writes = new Map<string, Op>();

  constructor(store: TransactionStore, known?: KnownState) {
    this.#store = store;
    this.#known = known;
  }

  /** Whether there is anything to write. */
  get writes(): boolean {
    return this.#writes.size > 0;
  }

  peek(key: string): number | undefined {
    if (this.#known === undefined || this.#reads.has(key) || this.#writes.has(key)) return undefined;
    const revision = this.#revision ??= this.#known.revision;
    const modRevision = this.#known.modRevision(key, revision);
    if (modRevision !== undefined) this.#peeked.set(key, modRevision);
    return modRevision;
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    if (!this.#reads.has(key)) {
      const { entry, revision } = await this.#store.get(key, { revision: this.#revision });
      this.#revision ??= revision;
      this.#reads.set(key, entry);
    }
    return this.#view(key);
  }

  async scan(prefix: string): Promise<StoreEntry[]> {
    const scans = this.#scans ??= new Map();
    if (!scans.has(prefix)) {
      const { entries, revision, more } = await this.#store.scan(prefix, {
        revision: this.#revision,
        limit: MAX_TRANSACTION_OPERATIONS,
      });
      if (more) {
        throw new StoreError(
          "invalid",
          `Store transaction may scan at most ${MAX_TRANSACTION_OPERATIONS} keys, there are more under ${prefix}`,
        );
      }
      this.#revision ??= revision;
      for (const entry of entries) this.#reads.set(entry.key, entry);
      scans.set(prefix, entries.map((entry) => entry.key));
    }
    const keys = new Set<string>(scans.get(prefix));
    for (const key of this.#writes.keys()) if (key.startsWith(prefix)) keys.add(key);
    const ordered = [...keys].map((key) => ({ key, bytes: encodeKey(key) })).sort((a, b) =>
      compareBytes(a.bytes, b.bytes)
    );
    return ordered.map(({ key }) => this.#view(key)).filter((entry) => entry !== undefined);
  }

  async hold(prefix: string): Promise<number> {
    this.#revision ??= (await this.#store.get(prefix)).revision;
    (this.#held ??= new Set()).add(prefix);
    return this.#revision;
  }

  put(key: string, value: Uint8Array, options: { lease?: string } = {}): void {
    this.#writes.set(key, { type: "put", key, value, lease: options.lease });
  }

  delete(key: string): void {
    this.#writes.set(key, { type: "delete", key });
  }

  async commit(): Promise<{ committed: boolean; revision: number }> {
    // Everything was read at one revision, so without writes there is nothing to check.
    if (this.#writes.size === 0 && this.#revision !== undefined) return { committed: true, revision: this.#revision };
    const compares: Compare[] = [];
    for (const [key, value] of this.#peeked) compares.push({ key, target: "modRevision", op: "=", value });
    for (const [key, entry] of this.#reads) {
      if (this.#peeked.has(key)) continue;
      compares.push({ key, target: "modRevision", op: "=", value: entry?.modRevision ?? 0 });
    }
    for (const prefix of new Set([...this.#scans?.keys() ?? [], ...this.#held ?? []])) {
      compares.push({ prefix, target: "modRevision", op: "<", value: this.#revision! + 1 });
    }
    return await this.#store.transact(compares, [...this.#writes.values()]);
  }

  #view(key: string): StoreEntry | undefined {
    const read = this.#reads.get(key);
    const write = this.#writes.get(key);
    if (write === undefined) return read;
    if (write.type === "delete") return undefined;
    return {
      key,
      value: write.value,
      createRevision: read?.createRevision ?? 0,
      modRevision: read?.modRevision ?? 0,
      version: (read?.version ?? 0) + 1,
      lease: write.lease,
    };
  }
}
