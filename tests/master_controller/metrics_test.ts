// Metrics and usage events through the public interface: who may ask what, and what a region is asked.
import assert from "node:assert/strict";
import { Alert, CloudletPool, MetricSeries, type MetricsRequest } from "../../shared/schema/mod.ts";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { makeWorld } from "../../tiers/global/master-controller/testing/world.ts";
import { alertKey } from "../../tiers/regional/controller/alerts/labels.ts";
import { refused } from "./expect.ts";
import { startTestPostgres } from "./postgres.ts";
import { populate, type RegionalWorld } from "./regional_world.ts";

const CHECKS: readonly (readonly [string, (world: MetricsWorld) => Promise<void>])[] = [
  ["calls of devices: the question that a region gets, and the answer", checkApiUsage],
  ["developers see their own, operators what is in their pools, others nothing", checkAuthorization],
  ["what cannot be asked is refused with the reason", checkRefusals],
  ["samples become spans of at least the interval in which they come", checkSamples],
  ["latencies and sessions of devices", checkDeviceUsage],
  ["what happened to objects", checkEvents],
  ["alerts: each organization sees its own, and no internal ones", checkAlerts],
];

interface MetricsWorld extends RegionalWorld {
  readonly asked: MetricsRequest[];
  metrics(path: string, token: string, body: object): ReturnType<RegionalWorld["call"]>;
}

Deno.test("master controller: metrics", async (test) => {
  await using postgres = await startTestPostgres();
  for (const [name, check] of CHECKS) {
    await test.step(name, async () => {
      await postgres.reset();
      const world = await makeWorld(postgres.url);
      const region = await new RegionDouble().start();
      const asked: MetricsRequest[] = [];
      region.answers.set("QueryMetrics", (request) => {
        asked.push(request as MetricsRequest);
        return [rowsFor(request as MetricsRequest)];
      });
      try {
        const populated = await populate(world, region);
        const metrics: MetricsWorld["metrics"] = (path, token, body) =>
          world.call(`auth/${path}`, { region: "local", ...body }, token);
        await check({ ...populated, asked, metrics });
      } finally {
        await world.close();
        await region.stop();
      }
    });
  }
});

/** Two rows in which every text column names a cloudlet, and every number its place. */
function rowsFor({ measurement, select, groupBy }: MetricsRequest): MetricSeries {
  const columns = select.map(({ field }) => field);
  const texts: Record<string, readonly [string, string]> = {
    foundCloudlet: ["berlin", "munich"],
    foundOperator: ["oper", "oper"],
    cloudletorg: ["oper", "other"],
    event: ["CREATED", "DELETED"],
    status: ["UP", "DOWN"],
    flavor: ["small", "small"],
  };
  return MetricSeries.create({
    measurement,
    tags: groupBy.map((name) => ({ name, val: `${name}!` })),
    columns,
    rows: [0, 1].map((row) => ({
      timeMs: row * 1000,
      vals: columns.map((column, at) => texts[column] === undefined ? { dval: at } : { sval: texts[column]![row] }),
    })),
  });
}

const APP = { app_key: { organization: "acme", name: "game", version: "1.0" } };
const onCloudlet = (name: string) => ({ cluster_inst_key: { cloudlet_key: { organization: "oper", name } } });
const filtersOf = (request: MetricsRequest | undefined) =>
  Object.fromEntries((request?.filters ?? []).map(({ name, values }) => [name, values]));

async function checkApiUsage({ metrics, asked, dev }: MetricsWorld): Promise<void> {
  const body = { AppInst: APP, Selector: "api", Method: "FindCloudlet", Limit: 7 };
  const { status, json } = await metrics("metrics/clientapiusage", dev, body);
  assert.equal(status, 200);
  const [{ Series: [series] }] = json.data;
  assert.equal(series.name, "dme-api");
  assert.deepEqual(series.columns, ["time", "reqs", "errs", "foundCloudlet", "foundOperator"]);
  assert.equal(series.tags.dmeId, "dmeId!");
  assert.deepEqual(series.values, [
    ["1970-01-01T00:00:01.000Z", 0, 1, "munich", "oper"],
    ["1970-01-01T00:00:00.000Z", 0, 1, "berlin", "oper"],
  ]);
  const [request] = asked;
  assert.deepEqual([request!.database, request!.measurement, request!.limit, request!.fromMs], [
    "metrics",
    "dme-api",
    7,
    0,
  ]);
  assert.deepEqual(filtersOf(request), { apporg: ["acme"], app: ["game"], ver: ["1.0"], method: ["FindCloudlet"] });
  const about = await metrics("metrics/clientapiusage", dev, { ...body, AppInst: { ...APP, ...onCloudlet("berlin") } });
  assert.deepEqual(about.json.data[0].Series[0].values.map((row: unknown[]) => row[3]), ["berlin"]);
}

async function checkAuthorization({ metrics, region, dev, oper, eve, admin }: MetricsWorld): Promise<void> {
  const usage = (token: string, appinst: object) =>
    metrics("metrics/clientapiusage", token, { appinst, selector: "api" });
  assert.equal((await usage(dev, APP)).status, 200);
  assert.equal((await usage(admin, {})).status, 200);
  await refused(usage(eve, APP), 403, "Forbidden");
  await refused(usage(dev, { app_key: { organization: "other" } }), 403, "Forbidden");
  await refused(usage(dev, {}), 400, /Must provide either App.*Developers please specify/);
  await refused(usage(oper, {}), 400, /Operators please specify/);
  await refused(usage(oper, APP), 403, "Forbidden");
  await refused(usage(dev, onCloudlet("berlin")), 403, "Forbidden");
  await refused(usage(oper, onCloudlet("berlin")), 400, /No non-empty CloudletPools/);
  region.put(
    "CloudletPool",
    CloudletPool.create({
      key: { organization: "oper", name: "pool" },
      cloudlets: [{ organization: "oper", name: "munich" }],
    }),
  );
  await refused(usage(oper, onCloudlet("berlin")), 400, /in a cloudletPool/);
  for (const name of ["munich", ""]) {
    const { json } = await usage(oper, onCloudlet(name));
    assert.deepEqual(json.data[0].Series[0].values.map((row: unknown[]) => row[3]), ["munich"]);
  }
}

async function checkRefusals({ metrics, asked, dev }: MetricsWorld): Promise<void> {
  const cases: [string, object, RegExp][] = [
    ["clientapiusage", { selector: "cpu" }, /selector "cpu" is not valid/],
    ["clientapiusage", {}, /is not valid/],
    ["clientapiusage", { selector: "api", region: "" }, /No region specified/],
    ["clientapiusage", { selector: "api", region: "nowhere" }, /not found/],
    ["clientapiusage", { selector: "api", method: "Dance" }, /DME method is invalid/],
    [
      "clientapiusage",
      { selector: "api", method: "RegisterClient", appinst: { ...APP, ...onCloudlet("b") } },
      /can not be/,
    ],
    ["clientapiusage", { selector: "api", limit: 1, numsamples: 1 }, /Only one of Limit or NumSamples/],
    ["clientapiusage", { selector: "api", limit: 10_001 }, /from 1 to 10000/],
    ["clientapiusage", { selector: "api", starttime: "yesterday" }, /RFC 3339/],
    ["clientapiusage", { selector: "api", startage: "long" }, /duration/],
    ["clientapiusage", { selector: "api", startage: "1h", endage: "2h" }, /before/],
    [
      "clientapiusage",
      { selector: "api", appinst: { app_key: { organization: "acme", name: 'x" OR 1' } } },
      /Invalid app/,
    ],
    ["clientapiusage", { selector: "api", appinst: { app: 1 } }, /appinst\.app/],
    ["clientapiusage", { selector: "api", colour: "red" }, /colour is not known/],
    ["clientappusage", { selector: "latency", deviceos: "x" }, /Cannot specify deviceos/],
    ["clientappusage", { selector: "latency", locationtile: "x" }, /Invalid locationtile/],
    [
      "clientcloudletusage",
      { selector: "deviceinfo", datanetworktype: "5G", appinst: undefined },
      /Cannot specify datanetworktype/,
    ],
  ];
  for (const [route, body, message] of cases) {
    const about = route === "clientcloudletusage" ? {} : { appinst: APP };
    await refused(metrics(`metrics/${route}`, dev, { ...about, ...body }), 400, message);
  }
  assert.equal(asked.length, 0, "nothing of that reached a region");
}

async function checkSamples({ metrics, asked, dev }: MetricsWorld): Promise<void> {
  const ask = (body: object) => metrics("metrics/clientapiusage", dev, { appinst: APP, selector: "api", ...body });
  const times = { starttime: "2024-01-01T00:00:00Z", endtime: "2024-01-01T10:00:00Z" };
  await ask({ ...times, numsamples: 10 });
  await ask({ ...times, numsamples: 10_000 });
  await ask({ numsamples: 12 });
  assert.deepEqual(asked.map(({ windowMs }) => windowMs), [3_600_000, 30_000, 3_600_000]);
  assert.deepEqual([asked[0]!.fromMs, asked[0]!.toMs], [Date.parse(times.starttime), Date.parse(times.endtime)]);
  assert.equal(asked[2]!.toMs - asked[2]!.fromMs, 12 * 3_600_000);
  assert.ok(asked[0]!.fillPrevious && asked[0]!.select.every(({ aggregate }) => aggregate === "last"));
}

async function checkDeviceUsage({ metrics, asked, dev, oper, eve }: MetricsWorld): Promise<void> {
  const latency = { appinst: APP, selector: "latency", datanetworktype: "5G", locationtile: "1.0,-2.0_3,4_2" };
  assert.equal((await metrics("metrics/clientappusage", dev, latency)).status, 200);
  assert.deepEqual([asked[0]!.database, asked[0]!.measurement], ["edgeevents_metrics", "latency-metric"]);
  assert.deepEqual(filtersOf(asked[0])["datanetworktype"], ["5G"]);
  assert.ok(asked[0]!.groupBy.includes("locationtile"));
  const sessions = { appinst: APP, selector: "deviceinfo", deviceos: "Android", numsamples: 5 };
  assert.equal((await metrics("metrics/clientappusage", dev, sessions)).status, 200);
  assert.equal(asked[1]!.windowMs, 8640_000);
  assert.deepEqual(asked[1]!.select.map(({ field, aggregate }) => [field, aggregate]), [["numsessions", "sum"]]);
  const cloudlet = { cloudlet: { organization: "oper", name: "berlin" }, selector: "latency" };
  assert.equal((await metrics("metrics/clientcloudletusage", oper, cloudlet)).status, 200);
  assert.deepEqual(filtersOf(asked[2]), { cloudlet: ["berlin"], cloudletorg: ["oper"] });
  await refused(metrics("metrics/clientcloudletusage", eve, cloudlet), 403, "Forbidden");
  await refused(metrics("metrics/clientcloudletusage", oper, { selector: "latency" }), 400, /Cloudlet details/);
}

async function checkEvents({ metrics, asked, dev, oper, eve }: MetricsWorld): Promise<void> {
  const { json } = await metrics("events/app", dev, { appinst: APP });
  assert.deepEqual(json.data[0].Series[0].columns, ["time", "cloudletorg", "flavor", "status", "event"]);
  assert.deepEqual(json.data[0].Series[0].values[0].slice(1), ["other", "small", "DOWN", "DELETED"]);
  const about = await metrics("events/app", dev, { appinst: { ...APP, ...onCloudlet("") } });
  assert.deepEqual(about.json.data[0].Series[0].values.map((row: unknown[]) => row[4]), ["CREATED"]);
  assert.equal((await metrics("events/cluster", dev, { clusterinst: { organization: "acme" } })).status, 200);
  assert.equal((await metrics("events/cloudlet", oper, { cloudlet: { organization: "oper" } })).status, 200);
  assert.deepEqual(asked.map(({ database, measurement }) => `${database}/${measurement}`), [
    ...["events/appinst", "events/appinst", "events/clusterinst", "events/cloudlet"],
  ]);
  await refused(metrics("events/app", eve, { appinst: APP }), 403, "Forbidden");
  await refused(metrics("events/cluster", dev, {}), 400, /Cluster organization/);
}

async function checkAlerts({ region, ctrl, admin, dev, oper, eve }: MetricsWorld): Promise<void> {
  const put = (labels: Record<string, string>) => region.put("Alert", Alert.create({ key: alertKey(labels), labels }));
  put({ alertname: "AppInstDown", scope: "Application", apporg: "acme", cloudletorg: "oper", job: "x" });
  put({ alertname: "CloudletDown", scope: "Cloudlet", cloudletorg: "oper", cloudlet: "berlin" });
  put({ alertname: "AutoScaleUp", apporg: "acme" });
  put({ alertname: "Mine", type: "UserDefined", scope: "Application", apporg: "acme" });
  const names = async (token: string) => {
    const { text } = await ctrl("ShowAlert", token);
    return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).data.labels);
  };
  assert.equal((await names(admin)).length, 4);
  const seen = await names(dev);
  assert.deepEqual(seen.map(({ alertname }) => alertname).sort(), ["AppInstDown", "Mine"]);
  assert.ok(seen.every((labels) => labels.job === undefined && labels.type === undefined));
  assert.deepEqual((await names(oper)).map(({ alertname }) => alertname), ["CloudletDown"]);
  await refused(ctrl("ShowAlert", eve), 403, "Forbidden");
}
