import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import type { EncodedCompare, EncodedOp } from "../validate.ts";
import type { Rows } from "./rows.ts";

/** Outcome of one transaction. */
export interface CommitResult {
  committed: boolean;
  revision: number;
}

/** A change to make: called inside an open database transaction, with the revision that it may use. */
type Change = (revision: number) => CommitResult;

interface Pending {
  change: Change;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/**
 * The writing side. Changes asked for at the same moment share one database transaction, and so one flush to the disk,
 * but each is a revision of its own. Callers hear of a commit only after the flush.
 */
export class Committer {
  readonly #database: DatabaseSync;
  readonly #rows: Rows;
  readonly #hasLease: (id: string) => boolean;
  readonly #describe: (error: unknown) => StoreError;
  readonly #insert: StatementSync;
  readonly #setCurrent: StatementSync;
  readonly #dropCurrent: StatementSync;
  readonly #setCounter: StatementSync;
  readonly #dropSuperseded: StatementSync;
  readonly #dropTombstones: StatementSync;
  readonly #pending: Pending[] = [];
  readonly #wakers = new Set<() => void>();
  #revision: number;
  #compacted: number;
  /** The last write's failure, until a write succeeds. */
  failure: StoreError | undefined;

  constructor(
    database: DatabaseSync,
    rows: Rows,
    hasLease: (id: string) => boolean,
    describe: (error: unknown) => StoreError,
  ) {
    this.#database = database;
    this.#rows = rows;
    this.#hasLease = hasLease;
    this.#describe = describe;
    this.#revision = rows.counter("revision");
    this.#compacted = rows.counter("compacted");
    this.#insert = database.prepare(
      "INSERT INTO history (key, mod_revision, create_revision, version, value, lease) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#setCurrent = database.prepare(
      `INSERT INTO current (key, row, lease) VALUES (?, last_insert_rowid(), ?)
       ON CONFLICT (key) DO UPDATE SET row = excluded.row, lease = excluded.lease`,
    );
    this.#dropCurrent = database.prepare("DELETE FROM current WHERE key = ?");
    this.#setCounter = database.prepare("UPDATE counter SET value = ? WHERE name = ?");
    // Only keys that changed since the last compaction can have rows to drop, so the cost follows the changes.
    this.#dropSuperseded = database.prepare(
      `DELETE FROM history WHERE row IN (
         SELECT old.row FROM history AS new JOIN history AS old ON old.key = new.key
         AND old.mod_revision < new.mod_revision WHERE new.mod_revision > ? AND new.mod_revision <= ?)`,
    );
    this.#dropTombstones = database.prepare(
      "DELETE FROM history WHERE mod_revision > ? AND mod_revision <= ? AND value IS NULL",
    );
  }

  /** Newest committed revision. */
  get revision(): number {
    return this.#revision;
  }

  /** Revision up to which history is gone. */
  get compacted(): number {
    return this.#compacted;
  }

  /** Resolves at the next commit or compaction, or when `signal` is aborted. */
  async changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let wake!: () => void;
    const woken = new Promise<void>((resolve) => wake = resolve);
    this.#wakers.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    await woken;
    this.#wakers.delete(wake);
    signal.removeEventListener("abort", wake);
  }

  transact(compares: EncodedCompare[], ops: EncodedOp[]): Promise<CommitResult> {
    return this.#enqueue((revision) => {
      if (!compares.every((compare) => this.#holds(compare))) return { committed: false, revision: revision - 1 };
      for (const op of ops) {
        if (op.type === "put" && op.lease !== undefined && !this.#hasLease(op.lease)) {
          throw new StoreError("lease", `Lease ${op.lease} has expired or never was`);
        }
      }
      let changed = false;
      for (const op of ops) {
        if (op.type === "put") this.#put(op.key, op.value, op.lease, revision);
        else if (!this.#delete(op.key, revision)) continue;
        changed = true;
      }
      return { committed: true, revision: changed ? revision : revision - 1 };
    });
  }

  /** Deletes, as one revision, all keys that hang on a lease. */
  dropLease(lease: string): Promise<CommitResult> {
    return this.#enqueue((revision) => {
      const keys = this.#rows.keysOfLease(lease);
      for (const key of keys) this.#delete(key, revision);
      return { committed: true, revision: keys.length > 0 ? revision : revision - 1 };
    });
  }

  /** Drops history up to and including `revision`. */
  compact(revision: number): void {
    if (revision <= this.#compacted) return;
    this.#within(() => {
      this.#dropSuperseded.run(this.#compacted, revision);
      this.#dropTombstones.run(this.#compacted, revision);
      this.#setCounter.run(revision, "compacted");
    });
    this.#compacted = revision;
    this.#wake();
  }

  /** Commits at once what is waiting. */
  flush(): void {
    const batch = this.#pending.splice(0);
    if (batch.length === 0) return;
    const results: (CommitResult | StoreError)[] = [];
    let revision = this.#revision;
    try {
      this.#within(() => {
        for (const { change } of batch) {
          try {
            const result = change(revision + 1);
            revision = Math.max(revision, result.revision);
            results.push(result);
          } catch (error) {
            // A change checks before it writes, so a refusal of ours has left nothing behind.
            if (!(error instanceof StoreError)) throw error;
            results.push(error);
          }
        }
        this.#setCounter.run(revision, "revision");
      });
      this.failure = undefined;
    } catch (error) {
      const described = this.#describe(error);
      this.failure = described;
      for (const pending of batch) pending.reject(described);
      return;
    }
    this.#revision = revision;
    batch.forEach((pending, i) => {
      const result = results[i]!;
      if (result instanceof StoreError) pending.reject(result);
      else pending.resolve(result);
    });
    this.#wake();
  }

  #enqueue(change: Change): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) queueMicrotask(() => this.flush());
      this.#pending.push({ change, resolve, reject });
    });
  }

  #within(body: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      body();
      this.#database.exec("COMMIT");
    } catch (error) {
      // A full disk makes SQLite roll back on its own.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #holds(compare: EncodedCompare): boolean {
    if ("prefix" in compare) return !this.#rows.changedSince(compare.prefix, compare.value);
    return (this.#rows.standing(compare.key)?.mod_revision ?? 0) === compare.value;
  }

  #put(key: Uint8Array, value: Uint8Array, lease: string | undefined, revision: number): void {
    const before = this.#rows.standing(key);
    const [created, version] = before ? [before.create_revision, before.version + 1] : [revision, 1];
    this.#insert.run(key, revision, created, version, value, lease ?? null);
    this.#setCurrent.run(key, lease ?? null);
  }

  #delete(key: Uint8Array, revision: number): boolean {
    if (this.#rows.standing(key) === undefined) return false;
    this.#insert.run(key, revision, 0, 0, null, null);
    this.#dropCurrent.run(key);
    return true;
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}
