import { Arena, type ByteRange } from "../../../../shared/notify/mod.ts";
import type { MessageType } from "../../../../shared/schema/mod.ts";
import { RowOrder } from "./row_order.ts";

/** What a table knows of one object. Belongs to the table: others read it, and ask the table for the bytes. */
export interface ObjectRow<T = unknown> {
  readonly key: string;
  /** As it is now; undefined once it is gone. */
  object: T | undefined;
  /** Store revision of the last put. */
  modRevision: number;
  /** Where the encoded object is; undefined until somebody asks. */
  slab: Uint8Array | undefined;
  at: number;
  length: number;
}

/** An arena may hold this much that nobody needs, beyond as much as is needed, before it is left for another. */
const SLACK_BYTES = 256 * 1024;

/**
 * The objects of one kind by key string. Each is encoded once, when it is first asked for as bytes, which then lie in an
 * arena: whoever reads all objects walks over bytes instead of some twenty heap objects each, and children and callers get
 * the same.
 */
export class ObjectTable<T = unknown> implements ReadonlyMap<string, T> {
  readonly #message: MessageType<T>;
  readonly #rows = new Map<string, ObjectRow<T>>();
  readonly #order = new RowOrder<ObjectRow<T>>();
  #arena = new Arena();
  /** Bytes of the arena that are of objects as they are now. */
  #liveBytes = 0;

  constructor(message: MessageType<T>) {
    this.#message = message;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): T | undefined {
    return this.#rows.get(key)?.object;
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** What is known of an object. */
  row(key: string): ObjectRow<T> | undefined {
    return this.#rows.get(key);
  }

  /** All objects, ascending by the UTF-16 code units of their keys. The list stays as it is when objects come and go. */
  ordered(): readonly ObjectRow<T>[] {
    return this.#order.rows();
  }

  /** Puts an object in, and returns the one that was there. */
  put(key: string, object: T, modRevision: number): T | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) {
      const added: ObjectRow<T> = { key, object, modRevision, slab: undefined, at: 0, length: 0 };
      this.#rows.set(key, added);
      this.#order.add(added);
      return undefined;
    }
    const old = row.object;
    this.#forgetBytes(row);
    row.object = object;
    row.modRevision = modRevision;
    return old;
  }

  /** Takes an object out, and returns it. */
  delete(key: string): T | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    const old = row.object;
    this.#rows.delete(key);
    this.#forgetBytes(row);
    row.object = undefined;
    this.#order.remove();
    return old;
  }

  /**
   * Where the encoded object of a row is that is not gone: to be read before anything is waited for. The bytes themselves
   * stay as they are when the object changes.
   */
  encoded(row: ObjectRow<T>): ByteRange {
    if (row.slab === undefined) {
      const bytes = this.#message.encode(row.object!);
      if (this.#arena.allocated > 2 * this.#liveBytes + SLACK_BYTES) this.#move();
      this.#keep(row, bytes);
      this.#liveBytes += bytes.length;
    }
    // No object of its own: this is done for each object of a show.
    return row as ByteRange;
  }

  #keep(row: ObjectRow<T>, bytes: Uint8Array): void {
    const range = this.#arena.reserve(bytes.length);
    range.slab.set(bytes, range.at);
    row.slab = range.slab;
    row.at = range.at;
    row.length = range.length;
  }

  #forgetBytes(row: ObjectRow<T>): void {
    if (row.slab === undefined) return;
    this.#liveBytes -= row.length;
    row.slab = undefined;
  }

  /** Moves what is needed to an arena without gaps, in order, as it will be read. */
  #move(): void {
    this.#arena = new Arena();
    for (const row of this.#order.rows()) {
      if (row.slab !== undefined) this.#keep(row, row.slab.subarray(row.at, row.at + row.length));
    }
  }

  keys(): MapIterator<string> {
    return this.#rows.keys();
  }

  *values(): MapIterator<T> {
    for (const row of this.#rows.values()) yield row.object!;
  }

  *entries(): MapIterator<[string, T]> {
    for (const [key, row] of this.#rows) yield [key, row.object!];
  }

  [Symbol.iterator](): MapIterator<[string, T]> {
    return this.entries();
  }

  forEach(visit: (object: T, key: string, table: ReadonlyMap<string, T>) => void): void {
    for (const [key, row] of this.#rows) visit(row.object!, key, this);
  }
}
