import assert from "node:assert/strict";
import { type Point, pointFault, pointsOfBatch } from "../../../../shared/metrics/mod.ts";
import { FakeClock } from "../../../../shared/runtime/mod.ts";
import { type AppInstClient, AppInstClientKey, type Device } from "../../../../shared/schema/mod.ts";
import { nullLogger } from "../../../../shared/telemetry/mod.ts";
import { noRecords } from "../api/mod.ts";
import { appId } from "../matching/mod.ts";
import { appInst, testRegion } from "../testing/region.ts";
import { ApiStats } from "./api_stats.ts";
import { ClientLog } from "./client_log.ts";
import { DeviceLog } from "./device_log.ts";
import { EdgeCollector } from "./edge_collector.ts";
import { bucketOf } from "./latency_buckets.ts";
import { dmeSettings } from "./settings.ts";
import { uploadPoints } from "./uploader.ts";

const SELF = { dmeId: "one", cloudlet: "", cloudletOrganization: "" };
const ALPHA = appId("acme", "alpha", "1.1");
const note = (app = ALPHA, cloudlet = "", carrier = "") => ({ app, cloudlet, carrier });

Deno.test("latencies fall into the span of the largest bound that is not above them", () => {
  const cases = [[0, 0], [4.99, 0], [5, 1], [9.9, 1], [10, 2], [24, 2], [25, 3], [50, 4], [99.9, 4], [100, 5], [
    1e9,
    5,
  ]];
  for (const [ms, bucket] of cases) assert.equal(bucketOf(ms!), bucket, String(ms));
});

Deno.test("calls are counted by method, app and cloudlet from the start on, and sent when something changed", () => {
  const stats = new ApiStats(() => true);
  stats.count("FindCloudlet", note(ALPHA, "northtel\nnorth-3\n", "northtel"), false, 7, 1000);
  stats.count("FindCloudlet", note(ALPHA, "northtel\nnorth-3\n", "northtel"), false, 120, 1000);
  stats.count("FindCloudlet", note(), true, 1, 1000);
  stats.count("FindCloudlet", note(""), false, 1, 1000);
  const [found, missed, ...none] = stats.collect(SELF, 5000);
  assert.equal(none.length, 0);
  assert.deepEqual(found, {
    measurement: "dme-api",
    tags: {
      apporg: "acme",
      app: "alpha",
      ver: "1.1",
      cloudletorg: "",
      cloudlet: "",
      dmeId: "one",
      method: "FindCloudlet",
    },
    fields: {
      reqs: 2n,
      errs: 0n,
      foundCloudlet: "north-3",
      foundOperator: "northtel",
      "0s": 0n,
      "5ms": 1n,
      "10ms": 0n,
      "25ms": 0n,
      "50ms": 0n,
      "100ms": 1n,
    },
    timeMs: 5000,
  });
  assert.deepEqual([missed!.fields["errs"], missed!.fields["reqs"], missed!.fields["foundCloudlet"]], [1n, 1n, ""]);
  assert.ok(missed!.timeMs > found.timeMs, "points of equal tags have times of their own");
  for (const point of [found, missed!]) assert.equal(pointFault(point), undefined);
  assert.deepEqual(stats.collect(SELF, 6000), []);
  stats.count("FindCloudlet", note(), false, 1, 7000);
  assert.equal(stats.collect(SELF, 8000)[0]!.fields["reqs"], 2n);
});

Deno.test("names of apps that nobody knows cannot crowd out the others, and idle rows are given up", () => {
  const stats = new ApiStats((app) => app === ALPHA);
  for (let n = 0; n < 3000; n++) stats.count("RegisterClient", note(`a\n${n}\n1`), true, 1, 0);
  assert.equal(stats.dropped, 2000);
  stats.count("RegisterClient", note(), false, 1, 0);
  assert.equal(stats.collect(SELF, 1).length, 1001);
  stats.collect(SELF, 25 * 3_600_000);
  stats.count("RegisterClient", note("b\nnew\n1"), true, 1, 25 * 3_600_000);
  const [point] = stats.collect(SELF, 25 * 3_600_000 + 1);
  assert.deepEqual([point!.tags["app"], point!.fields["reqs"]], ["new", 1n]);
});

Deno.test("counting one million calls of the same kind leaves no garbage worth speaking of", () => {
  const stats = new ApiStats(() => true);
  const same = note(ALPHA, "northtel\nnorth-3\n", "northtel");
  stats.count("FindCloudlet", same, false, 1, 1);
  const started = performance.now();
  for (let n = 0; n < 1_000_000; n++) stats.count("FindCloudlet", same, false, n & 127, n);
  const microseconds = (performance.now() - started) / 1000;
  assert.ok(microseconds < 5, `${microseconds} µs a call`);
  assert.equal(stats.collect(SELF, 1)[0]!.fields["reqs"], 1_000_001n);
});

Deno.test("calls leave notes of app, cloudlet and carrier, and records of who found what", async () => {
  const region = testRegion();
  const found: unknown[] = [];
  const registered: string[] = [];
  Object.assign(region.desk, {
    records: {
      ...noRecords,
      found: (session: { uniqueId: string }, app: string, match: { carrier: string }) =>
        found.push([session.uniqueId, app, match.carrier]),
      registered: (session: { uniqueId: string }) => registered.push(session.uniqueId),
    },
  });
  const { calls } = region;
  const caller = { address: "127.0.0.1" };
  const { input } = calls.registerClient;
  const { sessionCookie } = await calls.registerClient.run(
    input.create({ orgName: "acme", appName: "alpha", appVers: "1.1", uniqueId: "u", uniqueIdType: "t" }),
    caller,
  );
  const request = calls.findCloudlet.input.create({ sessionCookie, gpsLocation: { latitude: 48, longitude: 11 } });
  await calls.findCloudlet.run(request, caller);
  assert.deepEqual(registered, ["u"]);
  assert.equal(found.length, 1);
  assert.deepEqual((found[0] as unknown[]).slice(0, 2), ["u", ALPHA]);
});

const device = {
  instance: appInst(["acme", "alpha", "1.1"], "northtel", "north-3", "", [0, 0]).key,
  carrier: "northtel",
  deviceOs: "Android\n12",
  deviceModel: "X",
  dataNetworkType: "5G",
  signalStrength: 2 ** 64,
  locationTile: "0.000000,0.000000_0.017966,0.018088_2",
};

Deno.test("what devices tell is summed up over a period, and begins anew after it", () => {
  const edge = new EdgeCollector();
  edge.session(device);
  edge.session({ ...device, signalStrength: 3 });
  edge.latency(device, [3.1, 0, 2.3, 4.5, -4.5, 1.2]);
  edge.latency(device, [13.4]);
  edge.custom(device.instance, "frames", [1, 3]);
  edge.custom(device.instance, "frames", []);
  const points = edge.collect({ ...SELF, cloudlet: "here", cloudletOrganization: "me" }, 1000);
  assert.deepEqual(points.map(pointFault), [undefined, undefined, undefined]);
  const [latency, sessions, custom] = points;
  assert.deepEqual(latency!.tags, {
    dmecloudlet: "here",
    dmecloudletorg: "me",
    app: "alpha",
    apporg: "acme",
    ver: "1.1",
    cloudlet: "north-3",
    cloudletorg: "northtel",
    cluster: "testcluster",
    clusterorg: "acme",
    locationtile: device.locationTile,
    devicecarrier: "northtel",
    datanetworktype: "5G",
    deviceos: "Android_12",
    devicemodel: "X",
  });
  const { avg, variance, stddev, total, ...rest } = latency!.fields as Record<string, number>;
  assert.deepEqual([avg, variance, stddev, total].map((value) => value!.toFixed(5)), [
    "4.08333",
    "23.22167",
    "4.81889",
    "24.50000",
  ]);
  assert.deepEqual(rest, {
    signalstrength: 0,
    min: 0,
    max: 13.4,
    numsamples: 6n,
    "0s": 5n,
    "5ms": 0n,
    "10ms": 1n,
    "25ms": 0n,
    "50ms": 0n,
    "100ms": 0n,
  });
  assert.deepEqual(sessions!.fields, { signalstrength: 3, numsessions: 2n });
  assert.deepEqual([custom!.tags["statname"], custom!.fields["count"], custom!.fields["avg"]], ["frames", 2n, 2]);
  assert.deepEqual(edge.collect(SELF, 2000), []);
});

Deno.test("points of all sources go out at multiples of their intervals, and wait for a controller", async () => {
  const clock = new FakeClock(5_000);
  const sent: Point[] = [];
  let connected = false;
  const point = (measurement: string, timeMs: number): Point => ({ measurement, tags: {}, fields: { n: 1 }, timeMs });
  const stop = uploadPoints([
    { collect: (nowMs) => [point("a", nowMs)], intervalMs: () => 30_000 },
    { collect: (nowMs) => [point("b", nowMs)], intervalMs: () => 3_600_000 },
  ], {
    clock,
    log: nullLogger(),
    sender: { send: (_, bytes) => connected && sent.push(...pointsOfBatch(bytes)) > 0 },
  });
  await clock.advance(30_000);
  assert.equal(sent.length, 0);
  connected = true;
  await clock.advance(30_000);
  assert.deepEqual(sent.map(({ timeMs }) => timeMs), [30_000, 60_000]);
  stop();
  assert.deepEqual(sent.slice(2).map(({ measurement }) => measurement), ["a", "b"]);
  assert.equal(clock.pending, 0);
});

function clientLog(max = 2) {
  const clock = { nowMs: 1_000_000 };
  const sent: AppInstClient[] = [];
  const log = new ClientLog({
    now: () => clock.nowMs,
    max: () => max,
    keepMs: () => 1000,
    send: (client) => sent.push(client) > 0,
  });
  return { clock, sent, log, keys: () => sent.map(({ clientKey }) => clientKey.uniqueId) };
}
const HERE = { latitude: 1, longitude: 2 };
const who = (uniqueId: string) => ({ uniqueId, uniqueIdType: "t", device: `t\n${uniqueId}` });

Deno.test("devices are remembered by app, each once, up to a bound and an age, golden case 41", () => {
  const { clock, log } = clientLog();
  const [app1, app2] = [appId("o", "app1", "1"), appId("o", "app2", "1")];
  log.found(app1, who("uid1"), "cloudlet1", "c", HERE);
  assert.equal(log.size(app1), 1);
  log.found(app2, who("uid2"), "cloudlet1", "c", HERE);
  assert.deepEqual([log.size(app1), log.size(app2)], [1, 1]);
  log.found(app1, who("uid1"), "cloudlet2", "c", HERE);
  assert.equal(log.size(app1), 1);
  log.removeInstance({
    appKey: { organization: "o", name: "app1", version: "1" },
    clusterInstKey: {
      clusterKey: { name: "" },
      cloudletKey: { organization: "c", name: "cloudlet1", federatedOrganization: "" },
      organization: "",
    },
  });
  assert.equal(log.size(app1), 1);
  for (const id of ["a", "b", "c"]) log.found(app1, who(id), "cloudlet2", "c", HERE);
  assert.equal(log.size(app1), 2);
  clock.nowMs += 1001;
  log.found(app2, who("late"), "cloudlet1", "c", HERE);
  log.sweep();
  assert.deepEqual([log.size(app1), log.size(app2)], [0, 1]);
});

Deno.test("whoever watches is told of those remembered and of each that comes, once", () => {
  const { sent, log, keys } = clientLog(10);
  const key = (more: Parameters<typeof AppInstClientKey.create>[0]) => AppInstClientKey.create(more);
  const app = appId("o", "app", "1");
  log.found(app, who("one"), "edge", "carrier", HERE);
  assert.deepEqual(keys(), []);
  log.watch("w1", key({ appInstKey: { appKey: { organization: "o" } } }));
  assert.deepEqual(keys(), ["one"]);
  const { appKey, clusterInstKey } = sent[0]!.clientKey.appInstKey;
  assert.deepEqual(appKey, { organization: "o", name: "app", version: "1" });
  assert.deepEqual([clusterInstKey.cloudletKey.name, clusterInstKey.cloudletKey.organization], ["edge", "carrier"]);
  assert.deepEqual([sent[0]!.location?.latitude, sent[0]!.location?.timestamp?.seconds], [1, 1000]);
  log.watch("w2", key({ appInstKey: { appKey: { organization: "o", name: "app" } }, uniqueId: "two" }));
  log.found(app, who("two"), "edge", "carrier", HERE);
  assert.deepEqual(keys(), ["one", "two"]);
  log.found(appId("other", "app", "1"), who("three"), "edge", "carrier", HERE);
  log.unwatch("w1");
  log.found(app, who("four"), "edge", "carrier", HERE);
  log.found(app, who("two"), "edge", "carrier", HERE);
  assert.deepEqual(keys(), ["one", "two", "two"]);
});

Deno.test("devices of the platform are told of once, and again when the controller was lost", () => {
  const told: string[] = [];
  let connected = false;
  const log = new DeviceLog((device: Device) => connected && told.push(device.key.uniqueId) > 0, () => 1500);
  const session = { organization: "acme", appName: "alpha", uniqueIdType: "com.PlatOS.id", uniqueId: "d" };
  log.registered(session);
  connected = true;
  log.registered(session);
  log.registered(session);
  log.registered({ ...session, uniqueIdType: "phone", uniqueId: "p" });
  log.registered({ ...session, organization: "platos", appName: "PlatosEnablingLayer", uniqueId: "q" });
  assert.deepEqual(told, ["d"]);
  log.forget();
  log.registered(session);
  assert.deepEqual(told, ["d", "d"]);
});

Deno.test("settings have their defaults where the region says nothing", () => {
  assert.deepEqual(dmeSettings({ values: () => [] }), {
    apiMetricsMs: 30_000,
    edgeMetricsMs: 3_600_000,
    demandMs: 300_000,
    tileSideKm: 2,
    maxClients: 100,
    keepClientsMs: 86_400_000,
  });
});
