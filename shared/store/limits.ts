/** Longest key, in bytes of UTF-8. Keys are JSON of an object's key, so this is far above any real one. */
export const MAX_KEY_BYTES = 4096;

/** Largest value, in bytes. With its key it stays under the 1.5 MiB that an etcd server accepts in one request. */
export const MAX_VALUE_BYTES = 1024 * 1024;

/** Largest sum of keys and values in one transaction, in bytes: etcd's request limit of 1.5 MiB less its framing. */
export const MAX_TRANSACTION_BYTES = 1_400_000;

/** Most operations, and most compares, in one transaction: the default of etcd's `--max-txn-ops`. */
export const MAX_TRANSACTION_OPERATIONS = 128;

/** Shortest lease, in milliseconds: etcd counts leases in whole seconds. */
export const MIN_LEASE_TTL_MS = 1000;

/** Longest lease, in milliseconds. A lease is a sign of life, and a day without one is no life. */
export const MAX_LEASE_TTL_MS = 24 * 60 * 60 * 1000;

/** Time after which a read is given up, in milliseconds (controller specification 6.2). */
export const READ_TIMEOUT_MS = 2000;

/** Time after which a write, with all its retries, is given up, in milliseconds (controller specification 6.2). */
export const WRITE_TIMEOUT_MS = 10_000;

/** Most times that {@linkcode transaction} runs its body before it reports the conflict. */
export const MAX_TRANSACTION_ATTEMPTS = 64;

/** Entries fetched from etcd in one request of a longer scan; bounds the size of one answer. */
export const SCAN_PAGE_ENTRIES = 1000;

/** Revisions that the sqlite driver keeps readable and watchable; a watcher further behind reads everything anew. */
export const HISTORY_KEEP_REVISIONS = 10_000;

/** Revisions beyond {@linkcode HISTORY_KEEP_REVISIONS} that are let grow before one compaction removes them all. */
export const HISTORY_SLACK_REVISIONS = 1000;

/** Revisions that a sqlite watcher reads at a time; bounds the memory of a watcher that catches up. */
export const WATCH_WINDOW_REVISIONS = 256;

/** First and longest pause before a lost etcd watch is opened again, in milliseconds. */
export const WATCH_RETRY_MIN_MS = 100;
export const WATCH_RETRY_MAX_MS = 5000;
