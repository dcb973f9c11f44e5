import type { ByteRange } from "../../../../shared/notify/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { type Controller, ControllerKind, type JsonValue, type ObjectKind } from "../../../../shared/schema/mod.ts";
import {
  CompactedError,
  type KnownState,
  type Store,
  type StoreEntry,
  type WatchBatch,
} from "../../../../shared/store/mod.ts";
import type { AnyKind } from "../faults.ts";
import { type ObjectRow, ObjectTable } from "./object_table.ts";
import { ReferenceIndex } from "./reference_index.ts";
import type { Reference } from "./references.ts";
import { type OperationRow, readOperationRow } from "./operation_row.ts";
import { RowSet, RowWatchers } from "./row_set.ts";
import { decodeObject, OPERATION_PREFIX, STORE_PREFIX } from "./rows.ts";
import { Waiters } from "./waiters.ts";

/** One object came, changed or went. */
export interface ObjectChange {
  readonly kind: AnyKind;
  readonly keyString: string;
  /** As it is now; undefined when it went. */
  readonly object: unknown;
  /** As it was; undefined when it came. */
  readonly old: unknown;
}

/** Changes of one store revision (of several after a relist), referenced kinds first. */
export interface RegionChange {
  readonly revision: number;
  readonly objects: readonly ObjectChange[];
  /** Operations that ended, as `Kind/keyString`. */
  readonly endedOperations: readonly string[];
  /** Lives of controllers that are over (`Controller.run`). */
  readonly endedControllers: readonly string[];
}

/**
 * All objects of the region in memory, kept true by one watch on the store. Objects are shared: nobody may change one.
 * Readers see whole revisions only.
 */
export class RegionCache implements KnownState {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #kinds: readonly AnyKind[];
  readonly #kindOfName: ReadonlyMap<string, AnyKind>;
  readonly #tables = new Map<string, ObjectTable>();
  readonly #references: ReferenceIndex;
  readonly #operations = new RowSet(OPERATION_PREFIX);
  readonly #rowWatchers = new RowWatchers();
  readonly #listeners = new Set<(change: RegionChange) => void>();
  readonly #stop = new AbortController();
  readonly #waiters = new Waiters(() => this.#revision, this.#stop.signal);
  #revision = 0;
  #watching: Promise<void> | undefined;

  constructor(store: Store, kinds: readonly AnyKind[], log: Logger) {
    this.#store = store;
    this.#log = log;
    this.#kinds = kinds.filter((kind) => kind.stored);
    this.#kindOfName = new Map(this.#kinds.map((kind) => [kind.kind, kind]));
    for (const kind of this.#kinds) this.#tables.set(kind.kind, new ObjectTable(kind.message));
    this.#references = new ReferenceIndex(this.#kinds, (kind) => this.table(kind));
  }

  /** Loads everything, then follows the store until {@linkcode close}. */
  async start(): Promise<void> {
    let revision = 0;
    for await (const page of this.#pages()) {
      // Nobody listens or reads yet, so what has come need not be remembered, nor hidden until all of it has.
      for (const entry of page.entries) this.#put(entry, []);
      revision = page.revision;
    }
    this.#publish(revision, [], []);
    this.#watching = this.#follow();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    this.#waiters.wake();
  }

  /** Store revision that the cache shows. */
  get revision(): number {
    return this.#revision;
  }

  /** All objects of a kind by key string. */
  table<T, K>(kind: ObjectKind<T, K>): ReadonlyMap<string, T> {
    return this.#tableOf(kind);
  }

  get<T, K>(kind: ObjectKind<T, K>, keyString: string): T | undefined {
    return this.table(kind).get(keyString);
  }

  /** A kind's objects, ascending by key. The list stays as it is when objects come and go. */
  ordered<T, K>(kind: ObjectKind<T, K>): readonly ObjectRow<T>[] {
    return this.#tableOf(kind).ordered();
  }

  /** What is known of an object. */
  row<T, K>(kind: ObjectKind<T, K>, keyString: string): ObjectRow<T> | undefined {
    return this.#tableOf(kind).row(keyString);
  }

  /** The keys of a kind's objects, ascending. */
  sortedKeys(kind: AnyKind): string[] {
    return this.ordered(kind).map(({ key }) => key);
  }

  /** An object as it travels, encoded once for all who ask (see `ObjectTable`); nobody may change the bytes. */
  encoded<T, K>(kind: ObjectKind<T, K>, row: ObjectRow<T>): ByteRange {
    return this.#tableOf(kind).encoded(row);
  }

  /** Objects that refer to this one by the schema's `needs`, in dependency order; reports of sites do not count. */
  referrers(kind: AnyKind, keyString: string): Reference[] {
    return this.#references.referrers(kind, keyString);
  }

  /** Keys of the objects of one kind that refer to this one; to be copied before anything is waited for. */
  referrersOfKind(kind: AnyKind, keyString: string, referrer: AnyKind): ReadonlySet<string> {
    return this.#references.referrersOf(kind, keyString, referrer);
  }

  modRevision(key: string, revision: number): number | undefined {
    const found = revision > this.#revision ? undefined : this.#find(key);
    const row = found?.table.row(found.keyString);
    if (row !== undefined) return row.modRevision <= revision ? row.modRevision : undefined;
    // What is not there any more may have been.
    return found !== undefined && revision === this.#revision ? 0 : undefined;
  }

  /** Number of objects of each kind. */
  sizes(): [kind: string, size: number][] {
    return this.#kinds.map((kind) => [kind.kind, this.#tables.get(kind.kind)!.size]);
  }

  /** The running operation on an object. */
  operation(kind: AnyKind, keyString: string): OperationRow | undefined {
    return readOperationRow(this.#operations.get(`${kind.kind}/${keyString}`));
  }

  /** Objects, as `Kind/keyString`, on which operations are running, or were when their controller died. */
  operationNames(): string[] {
    return this.#operations.names();
  }

  /** Trace to which the running operation on the object belongs. */
  traceparentOf(kind: AnyKind, keyString: string): string | undefined {
    return this.operation(kind, keyString)?.traceparent;
  }

  /** Whether a controller of this identity is alive. */
  hasController(id: string): boolean {
    return this.table(ControllerKind).has(ControllerKind.keyString({ addr: id }));
  }

  /** Whether a controller is alive in this life. */
  hasRun(run: string): boolean {
    return [...this.table(ControllerKind).values()].some((controller) => controller.run === run);
  }

  /** Calls `listener` after each change of a row that is no object; undefined: it went. Returns what ends that. */
  watchRow(key: string, listener: (value: JsonValue | undefined) => void): () => void {
    return this.#rowWatchers.watch(key, listener);
  }

  /** Calls `listener`, synchronously and in order, with everything that changes from now on. */
  subscribe(listener: (change: RegionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the cache shows `revision` or a later one, so that a caller reads its own write. */
  reached(revision: number): Promise<void> {
    return this.#waiters.reached(revision);
  }

  /**
   * Resolves with the first value other than undefined that `probe` gives, tried now and after each change; with
   * undefined when `signal` is aborted or the cache closed first.
   */
  until<V>(probe: () => V | undefined, signal?: AbortSignal): Promise<V | undefined> {
    return this.#waiters.until(probe, signal);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const batch of this.#store.watch(STORE_PREFIX, { fromRevision: this.#revision + 1, signal })) {
          this.#apply(batch);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof CompactedError)) {
          this.#log.error("Watch of the region store failed, listing it anew", { error });
        }
        await this.#relistUntilDone();
      }
    }
  }

  async #relistUntilDone(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        return await this.#relist();
      } catch (error) {
        this.#log.warn("Region store cannot be listed", { error });
        await pause(RELIST_RETRY_MS, this.#stop.signal);
      }
    }
  }

  /** Reads the whole store and turns the difference to what is known into changes. */
  async #relist(): Promise<void> {
    const entries: StoreEntry[] = [];
    let revision = 0;
    for await (const page of this.#pages()) {
      for (const entry of page.entries) entries.push(entry);
      revision = page.revision;
    }
    const changes: ObjectChange[] = [];
    const seen = new Set<string>();
    for (const entry of entries) {
      seen.add(entry.key);
      this.#put(entry, changes);
    }
    for (const kind of this.#kinds) {
      for (const keyString of [...this.table(kind).keys()]) {
        if (!seen.has(kind.storePrefix + keyString)) this.#delete(kind.storePrefix + keyString, changes);
      }
    }
    this.#rowWatchers.listed(seen);
    this.#publish(revision, changes, this.#operations.keepOnly(seen));
  }

  /** All rows as of one revision, some at a time: whole regions at once stay as holes in the process's memory. */
  async *#pages(): AsyncGenerator<{ entries: StoreEntry[]; revision: number }> {
    let page = await this.#store.scan(STORE_PREFIX, { limit: PAGE_ROWS });
    yield page;
    while (page.more) {
      const { revision, entries } = page;
      page = await this.#store.scan(STORE_PREFIX, { limit: PAGE_ROWS, revision, after: entries.at(-1)!.key });
      yield page;
    }
  }

  #apply(batch: WatchBatch): void {
    const changes: ObjectChange[] = [];
    const endedOperations: string[] = [];
    for (const event of batch.events) {
      if (event.type === "put") {
        this.#put(event.entry!, changes);
        continue;
      }
      this.#delete(event.key, changes);
      endedOperations.push(...this.#operations.delete(event.key));
    }
    this.#publish(batch.revision, changes, endedOperations);
  }

  #put(entry: StoreEntry, changes: ObjectChange[]): void {
    this.#rowWatchers.changed(entry.key, entry.value);
    if (this.#operations.add(entry)) return;
    const found = this.#find(entry.key);
    if (found === undefined) return;
    const { kind, keyString, table } = found;
    if (table.row(keyString)?.modRevision === entry.modRevision) return;
    try {
      const object = decodeObject<unknown>(kind, entry.value);
      changes.push({ kind, keyString, object, old: table.put(keyString, object, entry.modRevision) });
    } catch (error) {
      // One damaged row must not take the region down; what was known of the object stays.
      this.#log.error("Row of the region store cannot be read", { key: entry.key, error });
    }
  }

  #delete(key: string, changes: ObjectChange[]): void {
    this.#rowWatchers.changed(key, undefined);
    const found = this.#find(key);
    if (found === undefined) return;
    const { kind, keyString, table } = found;
    const old = table.delete(keyString);
    if (old !== undefined) changes.push({ kind, keyString, object: undefined, old });
  }

  #tableOf<T, K>(kind: ObjectKind<T, K>): ObjectTable<T> {
    return this.#tables.get(kind.kind) as unknown as ObjectTable<T>;
  }

  #find(key: string): { kind: AnyKind; keyString: string; table: ObjectTable } | undefined {
    const end = key.indexOf("/", STORE_PREFIX.length);
    const kind = this.#kindOfName.get(key.slice(STORE_PREFIX.length, end));
    return kind && { kind, keyString: key.slice(kind.storePrefix.length), table: this.#tables.get(kind.kind)! };
  }

  #publish(
    revision: number,
    changes: ObjectChange[],
    endedOperations: readonly string[],
  ): void {
    this.#revision = revision;
    for (const change of changes) this.#references.apply(change);
    const objects = changes.length > 1 ? changes.toSorted((a, b) => a.kind.order - b.kind.order) : changes;
    const endedControllers = changes.flatMap(endedRun);
    if (objects.length + endedOperations.length > 0) {
      for (const listener of this.#listeners) listener({ revision, objects, endedOperations, endedControllers });
    }
    this.#waiters.wake();
  }
}

/** The life of a controller that a change ended: its row went, or an heir of the same name took it. */
function endedRun({ kind, object, old }: ObjectChange): string[] {
  if (kind.kind !== ControllerKind.kind || old === undefined) return [];
  const { run } = old as Controller;
  return run === (object as Controller | undefined)?.run ? [] : [run];
}

/** Waits, or until the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const end = () => over.resolve();
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end, { once: true });
  await over.promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}

/** Rows that are listed at once. */
const PAGE_ROWS = 1_000;
/** Pause before a failed listing is tried again, in milliseconds. */
const RELIST_RETRY_MS = 1000;
