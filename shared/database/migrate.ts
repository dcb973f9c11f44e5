import { MigrationError } from "./errors.ts";
import { SqlFragment } from "./sql.ts";
import type { Database, Queryable } from "./types.ts";

/** One step of the schema. Once released it never changes; a correction is a further step. */
export interface Migration {
  /** Unique name, for example `0001_accounts`. */
  readonly name: string;
  /** The statements, run one after another in one transaction. */
  readonly statements: readonly string[];
}

/**
 * Key of the advisory lock that makes processes take turns: "arch" and "migr" in ASCII, so that nobody else's is the
 * same by accident.
 */
const LOCK_KEY = [0x61726368, 0x6d696772] as const;

interface Applied {
  position: number;
  name: string;
  checksum: string;
}

/**
 * Brings the database up to the last of `migrations`, each in a transaction of its own and recorded with a checksum.
 * Processes that start at the same time take turns, so that each step runs once.
 * @returns names of the steps that this call ran
 * @throws {MigrationError} when the database knows a step that this program does not (it belongs to a newer one), or
 * an applied step is no longer what it was; nothing is changed then
 * @throws {DatabaseError} when a step fails; that step is rolled back, those before it stay
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  const checksums = await Promise.all(migrations.map(checksum));
  requireUniqueNames(migrations);
  const ran: string[] = [];
  for (;;) {
    const name = await database.transaction((transaction) => step(transaction, migrations, checksums));
    if (name === undefined) return ran;
    ran.push(name);
  }
}

async function step(
  transaction: Queryable,
  migrations: readonly Migration[],
  checksums: readonly string[],
): Promise<string | undefined> {
  await transaction.query`set local statement_timeout = 0`;
  await transaction.query`select pg_advisory_xact_lock(${LOCK_KEY[0]}::int, ${LOCK_KEY[1]}::int)`;
  await transaction.query`create table if not exists schema_migrations (
    position int primary key, name text not null unique, checksum text not null,
    applied_at timestamptz not null default now())`;
  const applied = await transaction.query<Applied>`
    select position, name, checksum from schema_migrations order by position`;
  requireFit(applied, migrations, checksums);
  const next = migrations[applied.length];
  if (next === undefined) return undefined;
  for (const statement of next.statements) await transaction.query`${new SqlFragment([statement], [])}`;
  await transaction.query`insert into schema_migrations (position, name, checksum)
    values (${applied.length + 1}, ${next.name}, ${checksums[applied.length]})`;
  return next.name;
}

function requireFit(applied: readonly Applied[], migrations: readonly Migration[], checksums: readonly string[]): void {
  applied.forEach((row, index) => {
    const own = migrations[index];
    if (own === undefined) {
      throw new MigrationError(
        `Database is newer than this program: it has schema step ${row.position} "${row.name}", this program knows ` +
          `${migrations.length}. Run the newer program, or restore a backup taken before it.`,
      );
    }
    if (own.name !== row.name) {
      throw new MigrationError(
        `Schema step ${row.position} of the database is "${row.name}", this program's is "${own.name}"`,
      );
    }
    if (checksums[index] !== row.checksum) {
      throw new MigrationError(
        `Schema step "${row.name}" was changed after it was applied; released steps must stay as they are`,
      );
    }
  });
}

function requireUniqueNames(migrations: readonly Migration[]): void {
  const names = new Set<string>();
  for (const { name } of migrations) {
    if (names.has(name)) throw new MigrationError(`Two schema steps are called "${name}"`);
    names.add(name);
  }
}

async function checksum(migration: Migration): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(migration.statements));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
