/** PostgreSQL: statements, transactions, notifications and schema migrations. */
export { DatabaseError, type DatabaseErrorKind, type DatabaseErrorPlace, MigrationError } from "./errors.ts";
export { migrate, type Migration } from "./migrate.ts";
export { openDatabase } from "./open.ts";
export { identifier, joinSql, Json, sql, SqlFragment, type SqlValue } from "./sql.ts";
export type {
  Database,
  DatabaseClock,
  DatabaseLog,
  Isolation,
  Listener,
  ListenHandler,
  OpenDatabaseOptions,
  Queryable,
  Row,
  TransactionOptions,
} from "./types.ts";
