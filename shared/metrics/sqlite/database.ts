import { DatabaseSync } from "node:sqlite";
import { MetricsError } from "../errors.ts";

/** Marks a SQLite file as a metrics store of ours ("ArMe"), so that no other program's file is ever written to. */
const APPLICATION_ID = 0x41724d65;

/** Version of the tables below. */
const SCHEMA_VERSION = 1;

/**
 * A series is a measurement of a database with its tags (JSON, sorted by name); its points lie together in the order of
 * time (microseconds), each with its fields as JSON.
 */
const SCHEMA = `
  CREATE TABLE retention (database TEXT PRIMARY KEY, ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    database TEXT NOT NULL,
    measurement TEXT NOT NULL,
    tags TEXT NOT NULL,
    UNIQUE (database, measurement, tags)
  );
  CREATE TABLE point (series INTEGER NOT NULL, time INTEGER NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (series, time))
    WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Opens the file for this process alone, and makes the tables when it is new. @throws MetricsError `open` */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path.startsWith("file:") ? `./${path}` : path);
    database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE");
    const application = number(database, "PRAGMA application_id", "application_id");
    const tables = number(database, "SELECT count(*) AS tables FROM sqlite_schema", "tables");
    const version = number(database, "PRAGMA user_version", "user_version");
    if (application !== APPLICATION_ID && (tables > 0 || application !== 0)) {
      throw new MetricsError("open", `File ${path} is a SQLite database of another program, not a metrics store`);
    }
    if (version > SCHEMA_VERSION) {
      throw new MetricsError("open", `Metrics store ${path} has schema version ${version}: use a newer release`);
    }
    // NORMAL: with the power a second of samples may go, but the file stays whole.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec("BEGIN EXCLUSIVE");
    if (application !== APPLICATION_ID) database.exec(SCHEMA);
    database.exec("COMMIT");
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof MetricsError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const reason = message.includes("locked") ? "is in use by another process" : `cannot be used: ${message}`;
    throw new MetricsError("open", `Metrics store ${path} ${reason}`, { cause: error });
  }
}

function number(database: DatabaseSync, sql: string, column: string): number {
  return Number(database.prepare(sql).get()?.[column]);
}
