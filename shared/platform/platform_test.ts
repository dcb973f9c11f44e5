import assert from "node:assert/strict";
import { createServer } from "node:net";
import fc from "fast-check";
import {
  type AppStatus,
  infrastructureName,
  PlatformError,
  type PlatformMeta,
  probe,
  propertyValue,
  waitUntilUp,
} from "./mod.ts";
import { FakeClock } from "../runtime/mod.ts";
import { operation } from "./testing/mod.ts";

Deno.test("property: infrastructure names are safe everywhere, stable, and distinct for distinct keys", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }), { maxLength: 4 }),
      fc.string(),
      fc.string(),
      (words, a, b) => {
        const name = infrastructureName(words, a);
        assert.match(name, /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
        assert.equal(infrastructureName(words, a), name);
        if (a !== b) assert.notEqual(infrastructureName(words, b), name);
      },
    ),
  );
  assert.match(infrastructureName(["ACME Inc.", "geo_tiles", "1.0"], "k"), /^acme-inc-geo-tiles-1-0-[0-9a-f]{10}$/);
});

const META: PlatformMeta = {
  type: "test",
  description: "for tests",
  deployments: [],
  cloudletServicesLocal: true,
  properties: [
    { name: "SIZE", description: "a number", default: "7", pattern: /^[0-9]+$/ },
    { name: "PLACE", description: "where it is", mandatory: true },
    { name: "TOKEN", description: "a secret", secret: true, pattern: /^[a-z]+$/ },
  ],
  accessVariables: [],
  quotaResources: [],
};

Deno.test("propertyValue gives the variable or the default, and refuses what is missing or has a wrong form", () => {
  assert.equal(propertyValue(META, {}, "SIZE"), "7");
  assert.equal(propertyValue(META, { SIZE: "8" }, "SIZE"), "8");
  assert.equal(propertyValue(META, {}, "TOKEN"), undefined);
  assert.throws(() => propertyValue(META, { SIZE: "x" }, "SIZE"), /SIZE of the cloudlet: "x" has the wrong form/);
  assert.throws(() => propertyValue(META, {}, "PLACE"), /PLACE of the cloudlet is not set/);
  assert.throws(
    () => propertyValue(META, { TOKEN: "S3CRET" }, "TOKEN"),
    (error: Error) => !error.message.includes("S3CRET"),
  );
});

Deno.test("PlatformError.from keeps its own kind and turns everything else into Inconsistent", () => {
  const own = new PlatformError("Quota", "full");
  assert.equal(PlatformError.from(own), own);
  assert.deepEqual([PlatformError.from(new Error("x")).fault, PlatformError.from("text").message], [
    "Inconsistent",
    "text",
  ]);
});

async function serving(
  onConnection: Parameters<typeof createServer>[1],
  body: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer(onConnection as () => void);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body((server.address() as { port: number }).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("probe: open is enough without a proxy; behind one the connection has to stay open or bring data", async () => {
  const target = (port: number, proxied: boolean) => ({
    protocol: "tcp" as const,
    hostname: "127.0.0.1",
    port,
    proxied,
  });
  await serving((socket: { end(): void }) => void socket.end(), async (port) => {
    assert.equal(await probe(target(port, false), 5000), undefined);
    assert.match(await probe(target(port, true), 5000) ?? "", /closes connections at once/);
  });
  await serving((socket: { end(text: string): void }) => void socket.end("hello"), async (port) => {
    assert.equal(await probe(target(port, true), 5000), undefined);
  });
  await serving((socket: { resume(): void }) => void socket.resume(), async (port) => {
    assert.equal(await probe(target(port, true), 5000), undefined);
  });
  const closed = await new Promise<number>((resolve) => serving(() => {}, (port) => Promise.resolve(resolve(port))));
  assert.match(await probe(target(closed, false), 5000) ?? "", /No connection to 127\.0\.0\.1/);
});

Deno.test("waitUntilUp waits for running, fails on death where asked, and ends with its time", async () => {
  const clock = new FakeClock(Date.now());
  let status: AppStatus = { state: "restarting", runtimeIds: [], probes: [], reason: "it died" };
  const settle = async (wait: Promise<void>) => {
    let ended: string | undefined;
    wait.then(() => ended = "up", (error) => ended = error.message);
    while (ended === undefined) await clock.advance(100);
    return ended;
  };
  const options = { clock, timeoutMs: 5000 };
  assert.match(
    await settle(waitUntilUp(() => status, { ...options, failOnDeath: true }, operation())),
    /does not start. it died/,
  );
  assert.match(
    await settle(waitUntilUp(() => status, { ...options, failOnDeath: false }, operation())),
    /within 5 s: it died/,
  );
  status = { state: "running", runtimeIds: ["1"], probes: [] };
  assert.equal(await settle(waitUntilUp(() => status, { ...options, failOnDeath: true }, operation())), "up");
});
