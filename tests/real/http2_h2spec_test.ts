import assert from "node:assert/strict";
import { findH2spec } from "./h2spec.ts";
import { startEverywhere } from "./http2_service.ts";

/** The public conformance tool, every case in strict mode. */
Deno.test("shared/http2 passes h2spec", { ignore: Deno.env.get("ARCHIPELAGO_REAL") !== "1" }, async (test) => {
  const h2spec = await findH2spec();
  for (const { name, tls, server } of await startEverywhere()) {
    await test.step(`over ${name}`, async () => {
      const { stdout } = await new Deno.Command(h2spec, {
        args: [
          "--strict",
          "-h",
          "127.0.0.1",
          "-p",
          String(server.address.port),
          "-o",
          "5",
          ...(tls ? ["-t", "-k"] : []),
        ],
        stdout: "piped",
        stderr: "inherit",
      }).output();
      const report = new TextDecoder().decode(stdout);
      const summary = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(report);
      assert.ok(summary, report);
      assert.deepEqual([summary[3], summary[4]], ["0", "0"], report);
      assert.ok(Number(summary[1]) >= 145, summary[0]);
    });
    server.close();
  }
});
