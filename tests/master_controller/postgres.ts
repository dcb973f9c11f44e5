import { join } from "node:path";
import { identifier, openDatabase } from "../../shared/database/mod.ts";
import { startEmbeddedPostgres } from "../../tools/up/postgres/mod.ts";

/** A PostgreSQL for one test file. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
  /** Empties the database. */
  reset(): Promise<void>;
}

/** Starts a PostgreSQL in a temporary folder; disposing it removes all. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = await Deno.makeTempDir();
  const dataDir = join(folder, "postgres");
  const server = await startEmbeddedPostgres({ dataDir, port: 0 });
  return {
    url: server.url,
    async reset() {
      const database = await openDatabase(server.url);
      const tables = await database.query<{ name: string }>`select tablename as name from pg_tables
        where schemaname = 'public'`;
      for (const { name } of tables) await database.query`drop table ${identifier(name)} cascade`;
      await database.query`drop function if exists announce_change`;
      await database.close();
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      const relocated = (await Deno.readTextFile(join(dataDir, "location")).catch(() => "")).trim();
      if (relocated !== "") await Deno.remove(relocated, { recursive: true });
      await Deno.remove(folder, { recursive: true });
    },
  };
}
