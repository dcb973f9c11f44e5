import { type StoreDeps, systemClock } from "../deps.ts";
import { CompactedError, StoreError } from "../errors.ts";
import { compareBytes, encodeKey, encodePrefix, keyAfter, keyRange, prefixEnd } from "../keys.ts";
import type { LeaseTimer } from "../lease_timer.ts";
import { SCAN_PAGE_ENTRIES } from "../limits.ts";
import type {
  Compare,
  GetOptions,
  Lease,
  Op,
  ScanOptions,
  Store,
  StoreEntry,
  StoreStatus,
  WatchOptions,
} from "../store.ts";
import {
  checkInteger,
  checkLeaseTtl,
  checkScanOptions,
  type EncodedCompare,
  type EncodedOp,
  encodeTransaction,
} from "../validate.ts";
import { buffer, call, connectEtcd, type EtcdClient } from "./client.ts";
import { toEntry } from "./entry.ts";
import { grantEtcdLease } from "./lease.ts";
import { watchEtcd } from "./watch.ts";

/** As a start the first key of all, as an end no end. */
const FROM_KEY_ON = new Uint8Array([0]);
/** A read of whatever key tells the revision. */
const ANY_KEY = "any";
const MEBIBYTE = 1024 * 1024;

/** Makes a store on an etcd cluster (3.4 or later). History is compacted by etcd's own `--auto-compaction-*`. */
export function openEtcdStore(endpoints: string[], deps: StoreDeps): Store {
  return new EtcdStore(connectEtcd(endpoints, deps.tls), endpoints, deps);
}

class EtcdStore implements Store {
  readonly #client: EtcdClient;
  readonly #endpoints: string[];
  readonly #deps: StoreDeps;
  readonly #timers = new Set<LeaseTimer>();
  readonly #closing = new AbortController();
  #lastRevision = 0;

  constructor(client: EtcdClient, endpoints: string[], deps: StoreDeps) {
    this.#client = client;
    this.#endpoints = endpoints;
    this.#deps = deps;
  }

  async get(key: string, options: GetOptions = {}) {
    checkScanOptions(options);
    const bytes = encodeKey(key);
    const answer = await this.#call(
      () => this.#client.kv.range({ key: buffer(bytes), revision: options.revision ?? 0 }),
      true,
      options.revision,
    );
    const kv = answer.kvs[0];
    return {
      ...(kv ? { entry: toEntry(kv) } : {}),
      revision: options.revision ?? Number(answer.header.revision),
    };
  }

  async scan(prefix: string, options: ScanOptions = {}) {
    checkScanOptions(options);
    const after = options.after === undefined ? undefined : encodePrefix(options.after);
    const { start, end } = keyRange(encodePrefix(prefix), after);
    // etcd takes a range that ends before it starts for a mistake; here it is only empty.
    if (end !== undefined && compareBytes(start, end) >= 0) {
      const { revision } = await this.get(ANY_KEY, { revision: options.revision });
      return { entries: [], revision, more: false };
    }
    const entries: StoreEntry[] = [];
    let revision = options.revision;
    for (let from = start.length === 0 ? FROM_KEY_ON : start;;) {
      const limit = Math.min(SCAN_PAGE_ENTRIES, (options.limit ?? Infinity) - entries.length);
      const request = { key: buffer(from), range_end: buffer(end ?? FROM_KEY_ON), revision: revision ?? 0, limit };
      const answer = await this.#call(() => this.#client.kv.range(request), true, revision);
      // The pages after the first are read at its revision, so that all show one state.
      revision ??= Number(answer.header.revision);
      for (const kv of answer.kvs) entries.push(toEntry(kv));
      if (!answer.more) return { entries, revision, more: false };
      if (entries.length === options.limit) return { entries, revision, more: true };
      from = keyAfter(answer.kvs.at(-1)!.key);
    }
  }

  async transact(compares: readonly Compare[], ops: readonly Op[]) {
    const encoded = encodeTransaction(compares, ops);
    const request = { compare: encoded.compares.map(toCompare), success: encoded.ops.map(toRequest) };
    const answer = await this.#call(() => this.#client.kv.txn(request), false);
    return { committed: answer.succeeded, revision: Number(answer.header.revision) };
  }

  async *watch(prefix: string, options: WatchOptions) {
    checkInteger("watch revision", options.fromRevision, 1);
    this.#checkOpen();
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const clock = this.#deps.clock ?? systemClock;
    const random = this.#deps.random ?? Math.random;
    yield* watchEtcd(this.#client, encodePrefix(prefix), { ...options, signal }, clock, random);
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    checkLeaseTtl(ttlMs);
    this.#checkOpen();
    const clock = this.#deps.clock ?? systemClock;
    const { lease, timer } = await grantEtcdLease(this.#client, this.#endpoints.length, clock, ttlMs);
    this.#timers.add(timer);
    timer.ended.then(() => this.#timers.delete(timer));
    return lease;
  }

  async compact(revision: number): Promise<void> {
    checkInteger("compaction revision", revision, 1);
    if (revision === 1) return;
    try {
      await this.#call(() => this.#client.kv.compact({ revision, physical: false }), false, revision);
    } catch (error) {
      // Compacted that far already: what was asked for is so.
      if (!(error instanceof CompactedError)) throw error;
    }
  }

  async status(): Promise<StoreStatus> {
    try {
      const answer = await this.#call(() => this.#client.maintenance.status(), true);
      this.#lastRevision = Number(answer.header.revision);
      const size = `${(Number(answer.dbSize) / MEBIBYTE).toFixed(1)} MiB`;
      const trouble = answer.errors ?? [];
      const leaderless = answer.leader === "0" ? ["no leader"] : [];
      const ails = [...trouble, ...leaderless];
      const detail = [`etcd ${answer.version}, ${size}`, ...ails].join(": ");
      return { revision: this.#lastRevision, healthy: ails.length === 0, detail };
    } catch (error) {
      return { revision: this.#lastRevision, healthy: false, detail: (error as Error).message };
    }
  }

  // deno-lint-ignore require-await -- async by interface
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    for (const timer of this.#timers) timer.end();
    this.#client.close();
  }

  #call<T>(make: () => Promise<T>, read: boolean, revision?: number): Promise<T> {
    return call(() => {
      this.#checkOpen();
      return make();
    }, { endpoints: this.#endpoints.length, read, revision });
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreError("closed", "Store is closed");
  }
}

function toCompare(compare: EncodedCompare) {
  if ("key" in compare) {
    return {
      key: buffer(compare.key),
      target: "Mod" as const,
      result: "Equal" as const,
      mod_revision: compare.value,
    };
  }
  return {
    key: buffer(compare.prefix.length === 0 ? FROM_KEY_ON : compare.prefix),
    range_end: buffer(prefixEnd(compare.prefix) ?? FROM_KEY_ON),
    target: "Mod" as const,
    result: "Less" as const,
    mod_revision: compare.value,
  };
}

function toRequest(op: EncodedOp) {
  return op.type === "put"
    ? { request_put: { key: buffer(op.key), value: buffer(op.value), lease: op.lease ?? 0 } }
    : { request_delete_range: { key: buffer(op.key) } };
}
