import type { DeepPartial, JsonValue, ObjectKind, Timestamp } from "../../../../shared/schema/mod.ts";
import type { Tx } from "../../../../shared/store/mod.ts";
import { type AnyKind, beingDeleted, notFound } from "../faults.ts";
import type { RegionCache } from "./region_cache.ts";
import { decodeObject, decodeRow, encodeObject, encodeRow } from "./rows.ts";

/** A store transaction in terms of objects. All reads see one state; see `transaction` of the store. */
export class ObjectTx {
  readonly #tx: Tx;
  readonly #now: Timestamp;
  readonly #cache: Pick<RegionCache, "get"> | undefined;

  /** @param cache what the transaction's `peek` goes by, where it is made to know anything */
  constructor(tx: Tx, nowMs: number, cache?: Pick<RegionCache, "get">) {
    this.#tx = tx;
    this.#now = timestamp(nowMs);
    this.#cache = cache;
  }

  /** The moment of the transaction. */
  get now(): Timestamp {
    return { ...this.#now };
  }

  /** The object, or undefined. The caller may change what it gets. */
  async get<T, K>(kind: ObjectKind<T, K>, keyString: string): Promise<T | undefined> {
    const key = kind.storePrefix + keyString;
    switch (this.#cache && this.#tx.peek(key)) {
      case undefined: {
        const entry = await this.#tx.get(key);
        return entry && decodeObject<T>(kind, entry.value);
      }
      case 0:
        return undefined;
      default:
        return kind.message.create(this.#cache!.get(kind, keyString) as DeepPartial<T>);
    }
  }

  /** The object; throws E_NOTFOUND without it. */
  async require<T, K>(kind: ObjectKind<T, K>, keyString: string): Promise<T> {
    const object = await this.get(kind, keyString);
    if (object === undefined) throw notFound(kind, keyString);
    return object;
  }

  /** The object as the target of a new reference: throws E_NOTFOUND without it, E_DELETING when it is about to go. */
  async requireUsable<T, K>(kind: ObjectKind<T, K>, keyString: string): Promise<T> {
    const object = await this.require(kind, keyString);
    if (isDeletePrepared(object)) throw beingDeleted(kind, keyString);
    return object;
  }

  /**
   * Makes the commit need that no object of a kind whose key begins with `keyStart` came or changed after the revision at
   * which everything is read, and returns that revision. A cache that has reached it can be relied on to name all of them.
   */
  hold(kind: AnyKind, keyStart: string): Promise<number> {
    return this.#tx.hold(kind.storePrefix + keyStart);
  }

  /** Stores an object, with its time stamps where its kind has them; under a lease it goes when that ends. */
  put<T, K>(kind: ObjectKind<T, K>, object: T, { lease }: { lease?: string } = {}): void {
    const stamped = object as { createdAt?: Timestamp; updatedAt?: Timestamp; fields?: string[] };
    const { descriptor } = kind.message;
    if (descriptor.field("created_at")) stamped.createdAt ??= this.#now;
    if (descriptor.field("updated_at")) stamped.updatedAt = this.#now;
    if (descriptor.field("fields")) stamped.fields = [];
    this.#tx.put(kind.storePrefix + kind.keyString(kind.key(object)), encodeObject(kind, object), { lease });
  }

  remove(kind: AnyKind, keyString: string): void {
    this.#tx.delete(kind.storePrefix + keyString);
  }

  /** A row beside the objects. */
  async getRow(key: string): Promise<JsonValue | undefined> {
    const entry = await this.#tx.get(key);
    return entry && decodeRow(entry.value);
  }

  putRow(key: string, value: JsonValue, lease?: string): void {
    this.#tx.put(key, encodeRow(value), { lease });
  }

  removeRow(key: string): void {
    this.#tx.delete(key);
  }
}

/** Whether a deletion of the object has begun. */
export function isDeletePrepared(object: unknown): boolean {
  return (object as { deletePrepare?: boolean }).deletePrepare === true;
}

/** A moment as objects carry it. */
export function timestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1_000_000) };
}
