import assert from "node:assert/strict";
import { metricsConformance } from "../../shared/metrics/conformance.ts";
import { MetricsError, openMetricsStore, type Point } from "../../shared/metrics/mod.ts";
import { systemClock } from "../../shared/runtime/mod.ts";
import { memoryLogger, nullLogger } from "../../shared/telemetry/mod.ts";
import { startInflux } from "./influxdb.ts";

const ignore = Deno.env.get("ARCHIPELAGO_REAL") !== "1";
const clock = systemClock();
const point = (used: number): Point => ({ measurement: "cpu", tags: {}, fields: { used }, timeMs: Date.now() });
const all = { measurement: "cpu", select: [{ field: "used" }], fromMs: 0, toMs: Date.now() + 3_600_000 };

for (const { name, run } of metricsConformance) {
  Deno.test({
    name: `influxdb metrics: ${name}`,
    ignore,
    async fn() {
      await using influx = await startInflux();
      const store = await openMetricsStore(`influxdb:${influx.url}`, { clock, log: nullLogger() });
      try {
        await run(store);
      } finally {
        await store.close();
      }
    },
  });
}

Deno.test({
  name: "influxdb metrics: points wait while the database is away, and are there once it is back",
  ignore,
  async fn() {
    await using influx = await startInflux();
    const { log } = memoryLogger();
    const store = await openMetricsStore(`influxdb:${influx.url}`, { clock, log });
    store.write("metrics", [point(1)]);
    await store.flush();
    await influx.stop();
    store.write("metrics", [{ ...point(2), timeMs: Date.now() + 1 }]);
    await store.flush();
    assert.equal(store.stats().queued, 1);
    assert.match(store.stats().trouble ?? "", /does not answer/);
    await assert.rejects(
      store.query("metrics", all),
      (error) => error instanceof MetricsError && error.reason === "unavailable",
    );
    await influx.start();
    await store.flush();
    assert.deepEqual((await store.query("metrics", all))[0]!.values.map(([, used]) => used), [1, 2]);
    await store.close();
  },
});

Deno.test({
  name: "influxdb metrics: a field of another type is refused and counted, and the account is asked for",
  ignore,
  async fn() {
    await using influx = await startInflux({ auth: true });
    const account = { username: "root", password: "se cret" };
    const made = await fetch(`${influx.url}/query`, {
      method: "POST",
      body: new URLSearchParams({ q: `CREATE USER root WITH PASSWORD '${account.password}' WITH ALL PRIVILEGES` }),
    });
    await made.body?.cancel();
    const { log, records } = memoryLogger();
    const stranger = await openMetricsStore(`influxdb:${influx.url}`, { clock, log });
    await assert.rejects(
      stranger.query("metrics", all),
      (error) => error instanceof MetricsError && error.reason === "refused",
    );
    await stranger.close();
    const store = await openMetricsStore(`influxdb:${influx.url}`, {
      clock,
      log,
      account: () => Promise.resolve(account),
    });
    store.write("metrics", [point(1)]);
    await store.flush();
    store.write("metrics", [{ ...point(2), fields: { used: "text" } }, { ...point(3), timeMs: Date.now() + 1 }]);
    await store.flush();
    assert.deepEqual((await store.query("metrics", all))[0]!.values.map(([, used]) => used), [1, 3]);
    assert.deepEqual([store.stats().written, store.stats().dropped], [2, 1]);
    await store.close();
    assert.doesNotMatch(JSON.stringify(records), /se cret/);
  },
});
