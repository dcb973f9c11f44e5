/** One key as it stood at some revision. */
export interface StoreEntry {
  key: string;
  value: Uint8Array;
  /** Revision at which the key came to be; it starts anew after a delete. */
  createRevision: number;
  /** Revision of the last put. */
  modRevision: number;
  /** Puts since the key came to be, from 1. */
  version: number;
  /** Lease with which the key vanishes, when it has one. */
  lease?: string;
}

/**
 * A condition of a transaction.
 * - on a `key`: its modRevision is exactly `value`, where 0 means that the key must not exist;
 * - on a `prefix`: every key under it was last changed before revision `value` (true when there are none). It sees new
 *   and changed keys, but not deleted ones.
 */
export type Compare =
  | { key: string; target: "modRevision"; op: "="; value: number }
  | { prefix: string; target: "modRevision"; op: "<"; value: number };

/** One write of a transaction. Deleting a key that is not there changes nothing. */
export type Op = { type: "put"; key: string; value: Uint8Array; lease?: string } | { type: "delete"; key: string };

/** A change to one key. `entry` is there for a put. */
export interface WatchEvent {
  type: "put" | "delete";
  key: string;
  entry?: StoreEntry;
  modRevision: number;
}

/** All events of one revision, or (with no events) the news that everything up to `revision` has been delivered. */
export interface WatchBatch {
  revision: number;
  events: WatchEvent[];
}

/** Time-limited hold on keys: they vanish when it expires, is revoked, or (sqlite) when the process ends. */
export interface Lease {
  readonly id: string;
  /** Time to live as granted, in milliseconds (etcd rounds up to whole seconds). */
  readonly ttlMs: number;
  /** Extends the lease by its whole time to live, once. Throws a StoreError `lease` when it is gone. */
  keepAlive(): Promise<void>;
  /** Ends the lease and deletes its keys. */
  revoke(): Promise<void>;
  /** Settles, never rejects, when the lease has expired, was revoked or its store was closed. */
  readonly lost: Promise<void>;
}

/** Options of {@linkcode Store.get}. */
export interface GetOptions {
  /** Read as of this revision. @default the newest */
  revision?: number;
}

/** Options of {@linkcode Store.scan}. */
export interface ScanOptions {
  /** Read as of this revision. @default the newest */
  revision?: number;
  /** Most entries to return, at least 1. @default all */
  limit?: number;
  /** Return only keys after this one, in byte order of UTF-8. */
  after?: string;
}

/** Options of {@linkcode Store.watch}. */
export interface WatchOptions {
  /** First revision of interest, at least 1. Usually the revision of a scan plus one. */
  fromRevision: number;
  /** Ends the watch without an error. */
  signal: AbortSignal;
}

/** What {@linkcode Store.status} tells. */
export interface StoreStatus {
  revision: number;
  healthy: boolean;
  /** For people: the driver, its version or size, and what ails it. */
  detail: string;
}

/**
 * A flat, ordered map from keys to bytes in which every committed transaction makes one new revision. Revisions start
 * at 1 (an empty store), only grow, and outlive restarts. All methods throw {@linkcode StoreError}.
 */
export interface Store {
  /** Reads one key, and the revision at which the store was read. */
  get(key: string, options?: GetOptions): Promise<{ entry?: StoreEntry; revision: number }>;
  /** Reads all keys that start with `prefix` ("" for all) at one revision, in byte order; `more` when cut by `limit`. */
  scan(prefix: string, options?: ScanOptions): Promise<{ entries: StoreEntry[]; revision: number; more: boolean }>;
  /**
   * Applies all of `ops` when all of `compares` hold, else nothing. An acknowledged commit survives kill -9 and loss of
   * power. Each key may occur once in `ops`. `revision` is that of the commit, or the present one when nothing changed.
   */
  transact(compares: readonly Compare[], ops: readonly Op[]): Promise<{ committed: boolean; revision: number }>;
  /**
   * Delivers every revision from `fromRevision` on that touches the prefix, in order, without gaps. Reading slowly
   * costs no memory. A lost connection is made again and resumes. Throws {@linkcode CompactedError} when
   * `fromRevision`, or what the reader has yet to read, is at or below the compaction revision.
   */
  watch(prefix: string, options: WatchOptions): AsyncIterable<WatchBatch>;
  /** Grants a lease; see MIN_LEASE_TTL_MS and MAX_LEASE_TTL_MS. It is not extended on its own. */
  grantLease(ttlMs: number): Promise<Lease>;
  /** Forgets history up to and including `revision`; the state at `revision` and later stays readable. */
  compact(revision: number): Promise<void>;
  /** Asks the database how it is. Does not throw when it is ill. */
  status(): Promise<StoreStatus>;
  /** Ends watches and leases and frees the database. Idempotent. */
  close(): Promise<void>;
}
