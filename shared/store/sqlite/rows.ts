import type { DatabaseSync, StatementSync } from "node:sqlite";
import { decodeKey, keyRange } from "../keys.ts";
import type { StoreEntry } from "../store.ts";

/** A row of `history`; a `value` of null is a delete. */
export interface HistoryRow {
  key: Uint8Array;
  mod_revision: number;
  create_revision: number;
  version: number;
  value: Uint8Array | null;
  lease: string | null;
}

/** Above every key: keys are UTF-8, in which this byte does not occur. */
const KEY_SPACE_END = new Uint8Array([0xff]);

const COLUMNS = "h.key, h.mod_revision, h.create_revision, h.version, h.value, h.lease";

/** The reading side: prepared statements over committed state. */
export class Rows {
  readonly #current: StatementSync;
  readonly #standing: StatementSync;
  readonly #currentRange: StatementSync;
  readonly #past: StatementSync;
  readonly #pastRange: StatementSync;
  readonly #changes: StatementSync;
  readonly #changedSince: StatementSync;
  readonly #ofLease: StatementSync;
  readonly #counter: StatementSync;

  constructor(database: DatabaseSync) {
    this.#current = database.prepare(
      `SELECT ${COLUMNS} FROM current c JOIN history h ON h.row = c.row WHERE c.key = ?`,
    );
    this.#standing = database.prepare(
      "SELECT h.mod_revision, h.create_revision, h.version FROM current c JOIN history h ON h.row = c.row WHERE c.key = ?",
    );
    this.#currentRange = database.prepare(
      `SELECT ${COLUMNS} FROM current c JOIN history h ON h.row = c.row WHERE c.key >= ? AND c.key < ? ORDER BY c.key LIMIT ?`,
    );
    this.#past = database.prepare(
      `SELECT ${COLUMNS} FROM history h WHERE h.key = ? AND h.mod_revision <= ? ORDER BY h.mod_revision DESC LIMIT 1`,
    );
    this.#pastRange = database.prepare(
      `SELECT ${COLUMNS} FROM history h WHERE h.key >= ? AND h.key < ? AND h.value IS NOT NULL
       AND h.mod_revision = (SELECT max(n.mod_revision) FROM history n WHERE n.key = h.key AND n.mod_revision <= ?)
       ORDER BY h.key LIMIT ?`,
    );
    this.#changes = database.prepare(
      `SELECT ${COLUMNS} FROM history h WHERE h.mod_revision >= ? AND h.mod_revision <= ? AND h.key >= ? AND h.key < ?
       ORDER BY h.row`,
    );
    this.#changedSince = database.prepare(
      `SELECT 1 FROM history h WHERE h.mod_revision >= ? AND h.key >= ? AND h.key < ?
       AND (SELECT c.row FROM current c WHERE c.key = h.key) = h.row LIMIT 1`,
    );
    this.#ofLease = database.prepare("SELECT key FROM current WHERE lease = ? ORDER BY key");
    this.#counter = database.prepare("SELECT value FROM counter WHERE name = ?");
  }

  counter(name: "revision" | "compacted"): number {
    return Number(this.#counter.get(name)!.value);
  }

  current(key: Uint8Array): HistoryRow | undefined {
    return this.#current.get(key) as unknown as HistoryRow | undefined;
  }

  /** How the key stands, without what it holds: what transactions compare. */
  standing(key: Uint8Array): Pick<HistoryRow, "mod_revision" | "create_revision" | "version"> | undefined {
    return this.#standing.get(key) as unknown as HistoryRow | undefined;
  }

  /** The key as of a revision that is still kept. */
  past(key: Uint8Array, revision: number): HistoryRow | undefined {
    const row = this.#past.get(key, revision) as unknown as HistoryRow | undefined;
    return row?.value === null ? undefined : row;
  }

  /** Up to `limit` living keys of a prefix, after `after`, now or as of a kept revision; -1 is no limit. */
  range(prefix: Uint8Array, after: Uint8Array | undefined, revision: number | undefined, limit: number): HistoryRow[] {
    const [start, end] = bounds(prefix, after);
    const rows = revision === undefined
      ? this.#currentRange.all(start, end, limit)
      : this.#pastRange.all(start, end, revision, limit);
    return rows as unknown as HistoryRow[];
  }

  /** All changes under a prefix from revision `from` to `to`, in order. */
  changes(prefix: Uint8Array, from: number, to: number): HistoryRow[] {
    return this.#changes.all(from, to, ...bounds(prefix, undefined)) as unknown as HistoryRow[];
  }

  /** Whether any living key under the prefix was put at `revision` or later. */
  changedSince(prefix: Uint8Array, revision: number): boolean {
    return this.#changedSince.get(revision, ...bounds(prefix, undefined)) !== undefined;
  }

  keysOfLease(lease: string): Uint8Array[] {
    return this.#ofLease.all(lease).map((row) => row.key as Uint8Array);
  }
}

/** A put's row as the interface has it. */
export function toEntry(row: HistoryRow): StoreEntry {
  return {
    key: decodeKey(row.key),
    value: row.value!,
    createRevision: row.create_revision,
    modRevision: row.mod_revision,
    version: row.version,
    ...(row.lease === null ? {} : { lease: row.lease }),
  };
}

function bounds(prefix: Uint8Array, after: Uint8Array | undefined): [Uint8Array, Uint8Array] {
  const { start, end } = keyRange(prefix, after);
  return [start, end ?? KEY_SPACE_END];
}
