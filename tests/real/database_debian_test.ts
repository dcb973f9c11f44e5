import { databaseChecks } from "../database/suite.ts";
import { DebianCluster } from "./postgres.ts";

/** Debian's PostgreSQL (`apt-get install postgresql`), on a cluster of the test's own. */
Deno.test("shared/database on Debian's PostgreSQL", {
  ignore: Deno.env.get("ARCHIPELAGO_REAL") !== "1",
}, async (test) => {
  const cluster = await DebianCluster.create();
  try {
    for (const [name, check] of databaseChecks) await test.step(name, (context) => check(cluster, context));
  } finally {
    await cluster.remove();
  }
});
