/** What kind of failure a statement met; `other` for what no caller is expected to tell apart. */
export type DatabaseErrorKind =
  | "connection"
  | "unique"
  | "foreign_key"
  | "not_null"
  | "check"
  | "serialization"
  | "credentials"
  | "missing_database"
  | "other";

/** Where in the schema a statement failed, as far as PostgreSQL says so. */
export interface DatabaseErrorPlace {
  readonly constraint?: string;
  readonly table?: string;
  readonly column?: string;
}

/**
 * A failed statement or connection. It holds no statement text and no parameters, and leaves out the server's detail
 * line, which quotes row values: those may be secrets, and errors travel far.
 */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** The kind of failure. */
  readonly kind: DatabaseErrorKind;
  /** SQLSTATE, or the driver's code for a failed connection; empty when neither gave one. */
  readonly code: string;
  /** The constraint, table and column concerned. */
  readonly place: DatabaseErrorPlace;

  constructor(kind: DatabaseErrorKind, message: string, code = "", place: DatabaseErrorPlace = {}) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.place = place;
  }
}

/** The database and the migrations of this program do not fit each other. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** The kind that a SQLSTATE (PostgreSQL documentation, appendix A) or a driver's error code stands for. */
export function kindOfCode(code: string): DatabaseErrorKind {
  switch (code) {
    case "23505":
      return "unique";
    case "23503":
      return "foreign_key";
    case "23502":
      return "not_null";
    case "23514":
      return "check";
    case "40001":
    case "40P01":
      return "serialization";
    case "28000":
    case "28P01":
      return "credentials";
    case "3D000":
      return "missing_database";
    case "57P01":
    case "57P02":
    case "57P03":
    case "53300":
      return "connection";
    default:
      return code.startsWith("08") || /^(CONNECT|E[A-Z_]+$)/.test(code) ? "connection" : "other";
  }
}
