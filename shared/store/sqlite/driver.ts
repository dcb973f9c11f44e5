import type { DatabaseSync } from "node:sqlite";
import { type StoreDeps, systemClock } from "../deps.ts";
import { CompactedError, StoreError } from "../errors.ts";
import { encodeKey, encodePrefix } from "../keys.ts";
import { LeaseTimer } from "../lease_timer.ts";
import { HISTORY_KEEP_REVISIONS, HISTORY_SLACK_REVISIONS } from "../limits.ts";
import type { Compare, GetOptions, Lease, Op, ScanOptions, Store, StoreStatus, WatchOptions } from "../store.ts";
import { checkInteger, checkLeaseTtl, checkScanOptions, encodeTransaction } from "../validate.ts";
import { Committer } from "./committer.ts";
import { describe, openDatabase } from "./database.ts";
import { Rows, toEntry } from "./rows.ts";
import { watchHistory } from "./watch.ts";

const MEBIBYTE = 1024 * 1024;

/** Opens (and makes, if need be) the store at `path`, for this process alone. See `openStore` for the errors. */
export async function openSqliteStore(path: string, deps: StoreDeps): Promise<Store> {
  const database = openDatabase(path);
  try {
    const store = new SqliteStore(database, path, deps);
    await store.dropOrphans();
    return store;
  } catch (error) {
    database.close();
    throw describe(error, path);
  }
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #deps: StoreDeps;
  readonly #rows: Rows;
  readonly #committer: Committer;
  readonly #leases = new Map<string, LeaseTimer>();
  readonly #closing = new AbortController();
  readonly #keepRevisions: number;
  #leasesGranted = 0;

  constructor(database: DatabaseSync, path: string, deps: StoreDeps) {
    this.#database = database;
    this.#path = path;
    this.#deps = deps;
    this.#keepRevisions = deps.historyKeepRevisions ?? HISTORY_KEEP_REVISIONS;
    this.#rows = new Rows(database);
    this.#committer = new Committer(
      database,
      this.#rows,
      (id) => this.#leases.has(id),
      (error) => describe(error, path),
    );
  }

  /** Ends the leases of an earlier process: who held them was that process, and it is gone. */
  async dropOrphans(): Promise<void> {
    const leases = this.#database.prepare("SELECT DISTINCT lease FROM current WHERE lease IS NOT NULL").all();
    for (const { lease } of leases) await this.#committer.dropLease(String(lease));
  }

  // deno-lint-ignore require-await -- rejects rather than throws, as the interface has it
  async get(key: string, options: GetOptions = {}) {
    const bytes = encodeKey(key);
    const revision = this.#readRevision(options.revision);
    const row = revision === undefined ? this.#rows.current(bytes) : this.#rows.past(bytes, revision);
    return { ...(row ? { entry: toEntry(row) } : {}), revision: revision ?? this.#committer.revision };
  }

  // deno-lint-ignore require-await -- rejects rather than throws, as the interface has it
  async scan(prefix: string, options: ScanOptions = {}) {
    checkScanOptions(options);
    const start = encodePrefix(prefix);
    const after = options.after === undefined ? undefined : encodePrefix(options.after);
    const revision = this.#readRevision(options.revision);
    const limit = options.limit === undefined ? -1 : options.limit + 1;
    const rows = this.#rows.range(start, after, revision, limit);
    const more = options.limit !== undefined && rows.length > options.limit;
    if (more) rows.pop();
    return { entries: rows.map(toEntry), revision: revision ?? this.#committer.revision, more };
  }

  async transact(compares: readonly Compare[], ops: readonly Op[]) {
    this.#checkOpen();
    const encoded = encodeTransaction(compares, ops);
    const result = await this.#committer.transact(encoded.compares, encoded.ops);
    this.#compactOld();
    return result;
  }

  watch(prefix: string, options: WatchOptions) {
    return watchHistory(this.#rows, this.#committer, () => {
      checkInteger("watch revision", options.fromRevision, 1);
      this.#checkOpen();
      const signal = AbortSignal.any([options.signal, this.#closing.signal]);
      return { prefix: encodePrefix(prefix), fromRevision: options.fromRevision, signal };
    });
  }

  // deno-lint-ignore require-await -- rejects rather than throws, as the interface has it
  async grantLease(ttlMs: number): Promise<Lease> {
    checkLeaseTtl(ttlMs);
    this.#checkOpen();
    const clock = this.#deps.clock ?? systemClock;
    const id = `${this.#committer.revision}-${++this.#leasesGranted}`;
    const drop = async () => {
      this.#leases.delete(id);
      await this.#committer.dropLease(id);
    };
    // Fails only when the disk is full; the keys then go when the store is next opened.
    const timer = new LeaseTimer(clock, ttlMs, () => void drop().catch(() => {}));
    this.#leases.set(id, timer);
    return {
      id,
      ttlMs,
      lost: timer.ended,
      keepAlive: () => {
        if (timer.over) return Promise.reject(new StoreError("lease", `Lease ${id} has expired or never was`));
        timer.extendTo(clock.now() + ttlMs);
        return Promise.resolve();
      },
      revoke: async () => {
        if (timer.over) return;
        timer.end();
        await drop();
      },
    };
  }

  // deno-lint-ignore require-await -- rejects rather than throws, as the interface has it
  async compact(revision: number): Promise<void> {
    checkInteger("compaction revision", revision, 1);
    this.#checkOpen();
    this.#committer.flush();
    this.#checkNotFuture(revision);
    // Revision 1 is the empty store: there is nothing before it.
    if (revision > 1) this.#compactTo(revision);
  }

  // deno-lint-ignore require-await -- async by interface
  async status(): Promise<StoreStatus> {
    const { revision, failure } = this.#committer;
    if (this.#closing.signal.aborted) return { revision, healthy: false, detail: `sqlite ${this.#path}: closed` };
    const pages = Number(this.#database.prepare("PRAGMA page_count").get()!.page_count);
    const pageBytes = Number(this.#database.prepare("PRAGMA page_size").get()!.page_size);
    const size = `${(pages * pageBytes / MEBIBYTE).toFixed(1)} MiB`;
    const trouble = failure ? `: the last write failed: ${failure.message}` : "";
    return { revision, healthy: failure === undefined, detail: `sqlite ${this.#path}, ${size}${trouble}` };
  }

  // deno-lint-ignore require-await -- async by interface
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#committer.flush();
    this.#closing.abort();
    for (const timer of this.#leases.values()) timer.end();
    this.#leases.clear();
    this.#database.close();
  }

  /** The revision to read at, undefined for the newest; throws when it is not there. */
  #readRevision(revision: number | undefined): number | undefined {
    this.#checkOpen();
    if (revision === undefined) return undefined;
    checkInteger("revision", revision, 1);
    this.#checkNotFuture(revision);
    const { compacted } = this.#committer;
    if (revision < compacted) throw new CompactedError(revision, compacted);
    return revision === this.#committer.revision ? undefined : revision;
  }

  #checkNotFuture(revision: number): void {
    const newest = this.#committer.revision;
    if (revision > newest) {
      throw new StoreError("future", `Revision ${revision} does not exist yet: the newest is ${newest}`);
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreError("closed", `Store ${this.#path} is closed`);
  }

  #compactOld(): void {
    const { revision, compacted } = this.#committer;
    if (this.#closing.signal.aborted) return;
    if (revision - compacted < this.#keepRevisions + HISTORY_SLACK_REVISIONS) return;
    try {
      this.#compactTo(revision - this.#keepRevisions);
    } catch {
      // The commit stands; a compaction that failed (a full disk) is tried again after the next one.
    }
  }

  #compactTo(revision: number): void {
    try {
      this.#committer.compact(revision);
    } catch (error) {
      throw describe(error, this.#path);
    }
  }
}
