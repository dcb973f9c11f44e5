import assert from "node:assert/strict";
import { createServer } from "../../shared/rpc/mod.ts";
import { findH2spec } from "./h2spec.ts";
import { startEverywhere } from "./http2_service.ts";

const ignore = Deno.env.get("ARCHIPELAGO_REAL") !== "1";

/** Runs every case in strict mode against a port; all must pass. */
async function conforms(port: number, tls: boolean): Promise<void> {
  const { stdout } = await new Deno.Command(await findH2spec(), {
    args: ["--strict", "-h", "127.0.0.1", "-p", String(port), "-o", "5", ...(tls ? ["-t", "-k"] : [])],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const report = new TextDecoder().decode(stdout);
  const summary = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(report);
  assert.ok(summary, report);
  assert.deepEqual([summary[3], summary[4]], ["0", "0"], report);
  assert.ok(Number(summary[1]) >= 145, summary[0]);
}

Deno.test("shared/http2 passes h2spec", { ignore }, async (test) => {
  for (const { name, tls, server } of await startEverywhere()) {
    await test.step(`over ${name}`, () => conforms(server.address.port, tls));
    server.close();
  }
});

Deno.test("a gRPC port passes h2spec, which knows nothing of gRPC", { ignore }, async () => {
  const server = createServer({ onError: () => {} });
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  await conforms(port, false);
  await server.close();
});
