/**
 * The region's store: revisioned keys with transactions, watches and leases, on SQLite or etcd.
 * @module
 */
export type { StoreClock, StoreDeps, StoreTls } from "./deps.ts";
export { systemClock } from "./deps.ts";
export { CompactedError, StoreError, type StoreErrorReason } from "./errors.ts";
export * from "./limits.ts";
export { openStore } from "./open.ts";
export type {
  Compare,
  GetOptions,
  Lease,
  Op,
  ScanOptions,
  Store,
  StoreEntry,
  StoreStatus,
  WatchBatch,
  WatchEvent,
  WatchOptions,
} from "./store.ts";
export {
  type KnownState,
  transaction,
  type TransactionOptions,
  type TransactionStore,
  type Tx,
} from "./transaction.ts";
export { parseStoreUrl, type StoreUrl } from "./url.ts";
