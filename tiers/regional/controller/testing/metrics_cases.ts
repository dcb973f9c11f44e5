import assert from "node:assert/strict";
import { openMetricsStore, type Point, sendPoints } from "../../../../shared/metrics/mod.ts";
import { createNotifyClient, roundRobin } from "../../../../shared/notify/mod.ts";
import { Status } from "../../../../shared/rpc/mod.ts";
import { systemClock } from "../../../../shared/runtime/mod.ts";
import {
  App,
  AppInst,
  AutoProvCounts,
  type DeepPartial,
  dme,
  Liveness,
  MetricsRequest,
  Settings,
} from "../../../../shared/schema/mod.ts";
import { nullLogger } from "../../../../shared/telemetry/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, furnish, instance, lines, until, World } from "./world.ts";

const HOUR_MS = 3_600_000;

function openMetrics() {
  return openMetricsStore("sqlite::memory:", { clock: systemClock(), log: nullLogger() });
}

function request(database: string, measurement: string, fields: string[]): MetricsRequest {
  return MetricsRequest.create({
    database,
    measurement,
    select: fields.map((field) => ({ field })),
    toMs: Date.now() + HOUR_MS,
  });
}

/** Rules about metrics and what is recorded of objects. */
export const metricsCases: ApiCase[] = [
  {
    name: "what happens to clusters and instances is recorded as events, once, and summed up at a boundary",
    async run(store) {
      const metrics = await openMetrics();
      {
        await using world = await World.start({ store, parts: { metrics } });
        const site = await furnish(world);
        await lines(world.api.instances.createAppInst(instance()));
        site.reportInstance(site.instances[0]!, 5, { healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL });
        const read = async () => {
          await metrics.flush();
          const [series] = await all(
            world.api.metrics.queryMetrics(request("events", "appinst", ["event", "status", "deployment"])),
          );
          return series;
        };
        await until(async () => (await read())?.rows.length === 2, "the fault is recorded");
        const used = request("cloudlet_resource_usage", "process-resource-usage", ["ramUsed", "vcpusUsed"]);
        await metrics.flush();
        const [given] = await all(world.api.metrics.queryMetrics(used));
        assert.deepEqual(given!.rows.at(-1)!.vals.map(({ ival, dval }) => Number(ival ?? dval)), [1024, 1]);
        await lines(world.api.instances.deleteAppInst(instance()));
        await until(async () => (await read())?.rows.length === 3, "the end is recorded");
        const series = (await read())!;
        assert.deepEqual(series.rows.map(({ vals }) => vals.map(({ sval }) => sval)), [
          ["CREATED", "UP", "process"],
          ["HEALTH_CHECK_FAIL", "DOWN", "process"],
          ["DELETED", "DOWN", "process"],
        ]);
        const tags = Object.fromEntries(series.tags.map(({ name, val }) => [name, val]));
        assert.deepEqual([tags["app"], tags["ver"], tags["apporg"], tags["cloudlet"]], [
          "Echo",
          "1.0",
          "AtlasWorks",
          "Edge",
        ]);
        const cloudlets = await all(world.api.metrics.queryMetrics(request("events", "cloudlet", ["event"])));
        assert.deepEqual(cloudlets[0]!.rows.map(({ vals }) => vals[0]!.sval), ["CREATED"]);
      }
      await metrics.close();
    },
  },
  {
    name: "children's metrics are kept, devices' apart from the others, and a site's only about itself",
    async run(store) {
      const metrics = await openMetrics();
      {
        await using world = await World.start({ store, parts: { metrics } });
        const site = await furnish(world);
        const point = (measurement: string, cloudlet: string, value: number): Point => ({
          measurement,
          tags: { cloudlet, cloudletorg: "Bayline Inc." },
          fields: { value, n: 3n },
          timeMs: Date.now() - 60_000 + value,
        });
        const lost = sendPoints(site.client, [
          point("cloudlet-utilization", "Edge", 1),
          point("cloudlet-utilization", "Other", 2),
          point("latency-metric", "Edge", 3),
        ]);
        assert.equal(lost, 0);
        const { metrics: api } = world.api;
        await until(
          async () =>
            (await all(api.queryMetrics(request("edgeevents_metrics", "latency-metric", ["value"])))).length === 1,
          "it is kept",
        );
        const [kept, ...others] = await all(
          api.queryMetrics(request("metrics", "cloudlet-utilization", ["value", "n"])),
        );
        assert.equal(others.length, 0);
        assert.deepEqual(kept!.columns, ["value", "n"]);
        assert.deepEqual(kept!.rows[0]!.vals.map(({ dval }) => dval), [1, 3]);
        site.client.send("MetricBatch", new Uint8Array([0xff, 0xff]));
        await until(
          () => world.log.records.some(({ message }) => message === "Metrics of a child cannot be read"),
          "it is told",
        );
        await refused(
          all(api.queryMetrics(request("metrics", 'x" DROP', ["value"]))),
          Status.INVALID_ARGUMENT,
          /no name/,
        );
        await refused(
          all(
            api.queryMetrics(
              MetricsRequest.create({ ...request("metrics", "x", []), select: [{ field: "a", aggregate: "median" }] }),
            ),
          ),
          Status.INVALID_ARGUMENT,
          /select.aggregate/,
        );
      }
      await metrics.close();
    },
  },
  {
    name: "windows of metrics are filled on request, and retention follows the settings",
    async run(store) {
      const metrics = await openMetrics();
      const kept: [string, number][] = [];
      const setRetention = metrics.setRetention.bind(metrics);
      metrics.setRetention = (database, ms) => (kept.push([database, ms]), setRetention(database, ms));
      {
        await using world = await World.start({ store, parts: { metrics } });
        const begin = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;
        metrics.write(
          "metrics",
          [0, 1, 5].map((minute): Point => ({
            measurement: "m",
            tags: { a: "x", b: String(minute) },
            fields: { n: BigInt(minute) },
            timeMs: begin + minute * 60_000,
          })),
        );
        await metrics.flush();
        const [series] = await all(world.api.metrics.queryMetrics(MetricsRequest.create({
          database: "metrics",
          measurement: "m",
          select: [{ field: "n", as: "last", aggregate: "last" }],
          groupBy: ["a"],
          fromMs: begin,
          toMs: begin + 480_000,
          windowMs: 120_000,
          fillPrevious: true,
        })));
        assert.deepEqual(series!.rows.map(({ vals }) => vals[0]!.dval), [1, 1, 5, 5]);
        await until(
          () => kept.some(([database, ms]) => database === "metrics" && ms === 672 * HOUR_MS),
          "defaults are set",
        );
        await world.api.settings.updateSettings(
          Settings.create({ fields: ["18"], influxDbMetricsRetention: 2 * HOUR_MS * 1e6 }),
        );
        await until(
          () => kept.some(([database, ms]) => database === "metrics" && ms === 2 * HOUR_MS),
          "the change is followed",
        );
      }
      await metrics.close();
    },
  },
  {
    name: "checkpoints are made by one of the controllers for what is there, and say the time in use",
    async run(store) {
      const metrics = await openMetrics();
      {
        await using world = await World.start({ store });
        await furnish(world);
        await lines(world.api.instances.createAppInst(instance()));
        const now = Date.now();
        metrics.write("events", [{
          measurement: "appinst",
          tags: {
            app: "Echo",
            ver: "1.0",
            apporg: "AtlasWorks",
            cloudlet: "Edge",
            cluster: "defaultclust",
            clusterorg: "AtlasWorks",
          },
          fields: { event: "CREATED", status: "UP" },
          timeMs: now,
        }]);
        await metrics.flush();
        // Boundaries as close as it gets: the second one is passed while the controllers are there.
        const parts = { metrics, checkpointInterval: 1000 } as const;
        await using one = await World.start({ store, parts: { ...parts, id: "two" } });
        await using two = await World.start({ store, parts: { ...parts, id: "three" } });
        const found = await until(async () => {
          await metrics.flush();
          const series = await all(
            one.api.metrics.queryMetrics(request("events", "appinst-checkpoints", ["uptime", "status", "end"])),
          );
          return series[0];
        }, "there is a checkpoint");
        assert.equal(found.rows.length, 1);
        assert.equal(found.rows[0]!.vals[1]!.sval, "UP");
        const uptime = found.rows[0]!.vals[0]!.dval!;
        assert.equal(uptime, (Date.parse(found.rows[0]!.vals[2]!.sval!) - now) / 1000);
        assert.ok(await until(async () => (await store.get("/v1/Job/checkpoints")).entry, "it is noted as done"));
        assert.equal((await all(two.api.apps.showApp(App.create()))).length, 1);
      }
      await metrics.close();
    },
  },
  {
    name: "a controller without a metrics store says so",
    async run(store) {
      await using world = await World.start({ store });
      await refused(
        all(world.api.metrics.queryMetrics(request("metrics", "m", ["a"]))),
        Status.FAILED_PRECONDITION,
        /keeps no metrics/,
      );
    },
  },
  {
    name: "demand is kept for the auto-provisioner; what is wanted at once is made, once",
    async run(store) {
      const metrics = await openMetrics();
      {
        await using world = await World.start({ store, parts: { metrics } });
        await furnish(world);
        const engine = createNotifyClient({
          service: "dme",
          region: "eu",
          wants: [],
          connect: roundRobin([world.notifyAddress], () => ({})),
        });
        engine.start();
        await until(() => engine.state() === "inStep", "the engine is connected");
        const { appKey, clusterInstKey: { cloudletKey } } = instance().key;
        const tell = (counts: DeepPartial<AutoProvCounts["counts"][0]>[]) =>
          engine.send(
            "AutoProvCounts",
            AutoProvCounts.encode(AutoProvCounts.create({
              dmeNodeName: "engine",
              timestamp: { seconds: Math.floor(Date.now() / 1000) },
              counts,
            })),
          );
        tell([{ appKey, cloudletKey, count: 7 }, { appKey, cloudletKey: { ...cloudletKey, name: "Other" }, count: 1 }]);
        const found = await until(async () => {
          await metrics.flush();
          const series = await all(world.api.metrics.queryMetrics(request("metrics", "auto-prov-counts", ["count"])));
          return series.length === 2 && series;
        }, "the counts are kept");
        assert.deepEqual(found.map(({ rows }) => rows[0]!.vals[0]!.dval).sort(), [1, 7]);
        const deployNowKey = {
          clusterKey: { name: "autocluster-autoprov" },
          cloudletKey,
          organization: "edgecloudorg",
        };
        tell([{ appKey, cloudletKey, count: 9, processNow: true, deployNowKey }]);
        const show = () => all(world.api.instances.showAppInst(AppInst.create()));
        const [made] = await until(async () => (await show()).some(({ uri }) => uri !== "") && show(), "it is made");
        assert.equal(made!.liveness, Liveness.LIVENESS_AUTOPROV);
        await until(
          () => world.log.records.some(({ message }) => message === "App instance created on demand"),
          "told",
        );
        tell([{ appKey, cloudletKey, count: 10, processNow: true, deployNowKey }]);
        const refusal = await until(
          () => world.log.records.find(({ message }) => message === "App instance not created on demand"),
          "the second is refused",
        );
        assert.match(JSON.stringify(refusal), /already/);
        assert.equal((await show()).length, 1);
        await engine.stop();
      }
      await metrics.close();
    },
  },
];
