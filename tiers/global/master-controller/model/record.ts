import {
  identifier,
  joinSql,
  type Queryable,
  sql,
  type SqlFragment,
  type SqlValue,
} from "../../../../shared/database/mod.ts";
import { badRequest } from "../http/api_error.ts";
import { type FieldType, type JsonBody, readFields } from "../http/json_body.ts";

/** One field of a record: its name in JSON, its column, and who may write it. */
export interface RecordField {
  readonly name: string;
  readonly column: string;
  readonly type: FieldType & ("string" | "boolean" | "integer" | "number" | "time");
  /** Never shown: replies hold the type's blank value, and filters on it are refused. */
  readonly secret?: boolean;
}

/** A table whose rows are shown, filtered and changed through the API by the same rules (mc spec 1.1). */
export interface RecordType {
  readonly table: string;
  /** Field that identifies a row. */
  readonly key: string;
  readonly fields: readonly RecordField[];
}

/** Values by field name; a time that was never set is null. */
export type RecordValues = { readonly [name: string]: string | boolean | number | Date | null };

/** The zero time, which stands for a time that was never set. */
const NEVER = "0001-01-01T00:00:00Z";

/** Declares a field; the column is the name in snake case unless given. */
export function field(name: string, type: RecordField["type"], more: Partial<RecordField> = {}): RecordField {
  return { name, type, column: snakeCase(name), ...more };
}

/** `EmailVerified` to `email_verified`. */
export function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

/** The fields of a body that are present. @throws {ApiError} 400 */
export function readRecord(type: RecordType, body: JsonBody): RecordValues {
  return readFields(body, declaration(type)) as RecordValues;
}

/** Equality filters: the keys that are present, with empty, false and zero values counting too. @throws {ApiError} */
export function readFilter(type: RecordType, body: JsonBody): RecordValues {
  const filter = readFields(body, declaration(type), (key) => badRequest(`Field ${key} not found in database object`));
  return Object.fromEntries(
    Object.entries(filter as RecordValues).filter(([name]) => fieldOf(type, name).secret !== true),
  );
}

/** A row as the API shows it: every field, secrets blank. */
export function toRecordJson(type: RecordType, row: RecordValues): Record<string, unknown> {
  return Object.fromEntries(type.fields.map((each) => [each.name, shown(each, row[each.name])]));
}

/** Rows that match a filter, sorted by key. */
export async function selectRecords(
  database: Queryable,
  type: RecordType,
  filter: RecordValues = {},
  further: readonly SqlFragment[] = [],
): Promise<RecordValues[]> {
  const conditions = [...further];
  for (const [name, value] of Object.entries(filter)) conditions.push(equals(type, name, value));
  const where = conditions.length === 0 ? sql`` : sql`where ${joinSql(conditions, " and ")}`;
  return await database.query<RecordValues>`select ${columnsOf(type)} from ${identifier(type.table)} ${where}
    order by ${identifier(fieldOf(type, type.key).column)}`;
}

/** The row of a key, matched without regard to case; undefined when there is none. */
export async function findRecord(
  database: Queryable,
  type: RecordType,
  key: string,
  options: { lock?: boolean } = {},
): Promise<RecordValues | undefined> {
  const column = identifier(fieldOf(type, type.key).column);
  const rows = await database.query<RecordValues>`select ${columnsOf(type)} from ${identifier(type.table)}
    where lower(${column}) = lower(${key}) ${options.lock ? sql`for update` : sql``}`;
  return rows[0];
}

/** Adds a row. @throws {DatabaseError} of kind `unique` when it is there already */
export async function insertRecord(database: Queryable, type: RecordType, values: RecordValues): Promise<void> {
  const names = Object.keys(values);
  const columns = joinSql(names.map((name) => identifier(fieldOf(type, name).column)), ", ");
  const given = joinSql(names.map((name) => sql`${values[name] as SqlValue}`), ", ");
  await database.execute`insert into ${identifier(type.table)} (${columns}) values (${given})`;
}

/** Changes fields of the row with exactly this key, and its `updated_at`. Returns whether the row is there. */
export async function updateRecord(
  database: Queryable,
  type: RecordType,
  key: string,
  changes: RecordValues,
): Promise<boolean> {
  const sets = Object.entries(changes).map(([name, value]) =>
    sql`${identifier(fieldOf(type, name).column)} = ${value as SqlValue}`
  );
  const changed = await database.execute`update ${identifier(type.table)}
    set ${joinSql([...sets, sql`updated_at = now()`], ", ")}
    where ${identifier(fieldOf(type, type.key).column)} = ${key}`;
  return changed > 0;
}

/**
 * Refuses changes of fields that the caller may not change; present fields with their present value are no change.
 * @throws {ApiError} 400 `Cannot change <field>`
 */
export function requireMutable(values: RecordValues, row: RecordValues, mutable: readonly string[]): RecordValues {
  const changes: Record<string, RecordValues[string]> = {};
  for (const [name, value] of Object.entries(values)) {
    if (mutable.includes(name)) changes[name] = value;
    else if (!same(value, row[name])) throw badRequest(`Cannot change ${name}`);
  }
  return changes;
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a === "string" && typeof b === "string") return a.toLowerCase() === b.toLowerCase();
  return a instanceof Date && b instanceof Date ? a.getTime() === b.getTime() : a === b;
}

function equals(type: RecordType, name: string, value: RecordValues[string]): SqlFragment {
  const found = fieldOf(type, name);
  const column = identifier(found.column);
  // Names and addresses are one and the same whatever their case.
  if (name === type.key || name === "Email") return sql`lower(${column}) = lower(${value as string})`;
  if (found.type === "time" && (value as Date).getTime() === Date.parse(NEVER)) return sql`${column} is null`;
  return sql`${column} = ${value as SqlValue}`;
}

function columnsOf(type: RecordType): SqlFragment {
  return joinSql(type.fields.map((each) => sql`${identifier(each.column)} as ${identifier(each.name)}`), ", ");
}

function fieldOf(type: RecordType, name: string): RecordField {
  const found = type.fields.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`Table ${type.table} has no field ${name}`);
  return found;
}

function declaration(type: RecordType): Record<string, FieldType> {
  return Object.fromEntries(type.fields.map((each) => [each.name, each.type]));
}

function shown(each: RecordField, value: unknown): unknown {
  switch (each.type) {
    case "time":
      return value instanceof Date ? value.toISOString().replace(/\.000Z$/, "Z") : NEVER;
    case "boolean":
      return each.secret ? false : value;
    case "string":
      return each.secret ? "" : value;
    case "integer":
    case "number":
      return each.secret ? 0 : value;
  }
}
