import assert from "node:assert/strict";
import { dnsConformance } from "./conformance.ts";
import { DnsError, openDns } from "./mod.ts";

for (const { name, run } of dnsConformance) {
  Deno.test(`localhost: ${name}`, async () => {
    const driver = openDns("localhost:");
    await run(driver, "archipelago.localhost", "127.0.0.1");
    await driver.close();
  });
}

Deno.test("localhost: refuses names and addresses of other machines", async () => {
  const driver = openDns("localhost:");
  for (const root of ["example.org", "notlocalhost", "localhost.example.org", ""]) {
    assert.throws(() => driver.checkRoot(root), DnsError, root);
  }
  driver.checkRoot("localhost");
  const record = { name: "a.localhost", type: "A" as const, ttlSeconds: 60 };
  await assert.rejects(driver.upsert({ ...record, values: ["192.0.2.1"] }), /cannot point to 192\.0\.2\.1/);
  await driver.upsert({ ...record, values: ["127.0.0.2"] });
});

Deno.test("openDns refuses a URL that it does not know", () => {
  assert.throws(() => openDns("route53:"), DnsError);
});
