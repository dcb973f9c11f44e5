import assert from "node:assert/strict";
import { FakeClock, systemClock } from "../runtime/mod.ts";
import { memoryLogger, nullLogger } from "../telemetry/mod.ts";
import { metricsConformance } from "./conformance.ts";
import { MetricsError, openMetricsStore, type Point } from "./mod.ts";
import { openSqliteMetrics } from "./sqlite/driver.ts";

for (const { name, run } of metricsConformance) {
  Deno.test(`sqlite metrics: ${name}`, async () => {
    const store = await openMetricsStore("sqlite::memory:", { clock: systemClock(), log: nullLogger() });
    try {
      await run(store);
    } finally {
      await store.close();
    }
  });
}

const point = (timeMs: number, host = "a"): Point => ({
  measurement: "cpu",
  tags: { host },
  fields: { used: 1 },
  timeMs,
});
const all = { measurement: "cpu", select: [{ field: "used" }], fromMs: 0, toMs: 1e13 };

Deno.test("sqlite metrics: what is too old goes, of its own database only, and series without points with it", async () => {
  const clock = new FakeClock(10 * 3_600_000);
  const store = openSqliteMetrics(":memory:", { clock, log: nullLogger() }, 3);
  await store.setRetention("short", 3_600_000);
  store.write("short", [point(8 * 3_600_000, "old"), point(9.5 * 3_600_000, "new")]);
  store.write("long", [point(1)]);
  await store.flush();
  await clock.advance(60_000);
  assert.deepEqual((await store.query("short", all)).map(({ tags }) => tags["host"]), ["new"]);
  assert.equal((await store.query("long", all)).length, 1);
  store.write("short", [point(9.6 * 3_600_000, "third"), point(9.6 * 3_600_000, "too many")]);
  await store.flush();
  assert.deepEqual((await store.query("short", all)).map(({ tags }) => tags["host"]), ["new", "third"]);
  assert.equal(store.stats().dropped, 1);
  await store.close();
});

Deno.test("sqlite metrics: a file keeps its points, belongs to one process, and others' files stay as they are", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/metrics.db`;
  const deps = { clock: systemClock(), log: nullLogger() };
  try {
    const store = await openMetricsStore(`sqlite:${path}`, deps);
    store.write("metrics", [point(5)]);
    await assert.rejects(openMetricsStore(`sqlite:${path}`, deps), /in use/);
    await store.close();
    const again = await openMetricsStore(`sqlite:${path}`, deps);
    assert.equal((await again.query("metrics", all)).length, 1);
    await again.close();
    await Deno.writeTextFile(`${folder}/text`, "not a database, but long enough to be looked at as one".repeat(100));
    await assert.rejects(openMetricsStore(`sqlite:${folder}/text`, deps), MetricsError);
    await assert.rejects(openMetricsStore(`sqlite:${folder}/no/file`, deps), MetricsError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("metrics URLs: what they may be, and that passwords are not repeated", async () => {
  const deps = { clock: systemClock(), log: memoryLogger().log };
  for (const url of ["", "sqlite:", "influxdb:", "influxdb:ftp://a", "influxdb:http://h:1?x=y", "redis:x"]) {
    await assert.rejects(
      openMetricsStore(url, deps),
      (error) => error instanceof MetricsError && error.reason === "url",
    );
  }
  await assert.rejects(openMetricsStore("influxdb:http://joe:hunter2@h:1", deps), (error) => {
    assert.ok(error instanceof MetricsError);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});
