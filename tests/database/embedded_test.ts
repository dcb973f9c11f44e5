import { join } from "node:path";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../tools/up/postgres/mod.ts";
import { databaseChecks } from "./suite.ts";

Deno.test("shared/database on the embedded PostgreSQL", async (test) => {
  const folder = await Deno.makeTempDir();
  const dataDir = join(folder, "postgres");
  let server: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir, port: 0 });
  const { url, port } = server;
  const handle = {
    url,
    async crashAndRestart() {
      Deno.kill(server.pid, "SIGKILL");
      await server.exited;
      server = await startEmbeddedPostgres({ dataDir, port });
    },
    async restart(whileDown: () => Promise<void>) {
      await server.stop();
      await whileDown();
      server = await startEmbeddedPostgres({ dataDir, port });
    },
  };
  try {
    for (const [name, check] of databaseChecks) await test.step(name, (context) => check(handle, context));
  } finally {
    await server.stop();
    const relocated = (await Deno.readTextFile(join(dataDir, "location")).catch(() => "")).trim();
    if (relocated !== "") await Deno.remove(relocated, { recursive: true });
    await Deno.remove(folder, { recursive: true });
  }
});
