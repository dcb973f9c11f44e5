import assert from "node:assert/strict";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { dme } from "../../../../shared/schema/mod.ts";
import { createRateLimiter, type RateLimiter } from "../../../../shared/ratelimit/mod.ts";
import { systemClock } from "../../../../shared/runtime/mod.ts";
import { type EdgeFace, type EdgeStream, FACES } from "../testing/edge_clients.ts";
import { appInst, goldenRegion, type TestRegion, testRegion } from "../testing/region.ts";
import { until } from "../testing/until.ts";
import { cloudletKey } from "../matching/fixture.ts";
import type { EdgeDeskOptions } from "./desk.ts";
import type { EdgeStats } from "./stats.ts";

const Client = dme.ClientEdgeEvent_ClientEventType;
const Server = dme.ServerEdgeEvent_ServerEventType;
const ALPHA = ["acme", "alpha", "1.1"];
/** Next to north-3; the second is next to north-2. */
const SOUTH = { latitude: 48, longitude: 11.5 };
const NORTH = { latitude: 52.6, longitude: 13.4 };

const peer = { address: "127.0.0.1" };

async function cookies(region: TestRegion, place = SOUTH, carrierName = "") {
  const { sessionCookie } = await region.calls.registerClient.run(
    dme.RegisterClientRequest.create({ orgName: "acme", appName: "alpha", appVers: "1.1" }),
    peer,
  );
  const { edgeEventsCookie, fqdn } = await region.calls.findCloudlet.run(
    dme.FindCloudletRequest.create({ sessionCookie, carrierName, gpsLocation: place }),
    peer,
  );
  return { sessionCookie, edgeEventsCookie, fqdn };
}

function init(given: { sessionCookie: string; edgeEventsCookie: string }, carrierName = "") {
  return {
    eventType: Client.EVENT_INIT_CONNECTION,
    sessionCookie: given.sessionCookie,
    edgeEventsCookie: given.edgeEventsCookie,
    deviceInfoStatic: { deviceOs: "os 1", deviceModel: "model 2" },
    deviceInfoDynamic: { dataNetworkType: "LTE", carrierName },
  };
}

async function begin(face: EdgeFace, region: TestRegion, place = SOUTH): Promise<EdgeStream> {
  const stream = await face.open(init(await cookies(region, place)));
  const first = await stream.next();
  assert.deepEqual(first, dme.ServerEdgeEvent.create({ eventType: Server.EVENT_INIT_CONNECTION }));
  return stream;
}

interface Options {
  limits?: RateLimiter;
  edge?: Partial<EdgeDeskOptions>;
}

/** Runs a test over every form of the stream. */
function overAll(
  name: string,
  body: (face: EdgeFace, region: TestRegion) => Promise<void>,
  options: () => Options = () => ({}),
): void {
  for (const make of FACES) {
    const label = make.name.replace("Face", "");
    Deno.test(`${name}, by ${label}`, async () => {
      const { limits, edge } = options();
      const region = testRegion(goldenRegion(), undefined, limits, edge);
      const face = await make(region);
      try {
        await body(face, region);
        region.edge.drain();
        await until(() => region.edge.open === 0, "no stream is open");
        if (region.errors.length > 0) throw region.errors[0];
      } finally {
        await face.close();
      }
    });
  }
}

const refused = (code: keyof typeof Status, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RpcError, String(error));
  assert.equal(error.code, Status[code], error.message);
  assert.match(error.message, text);
  return true;
};

overAll("a stream begins, measures, moves and ends", async (face, region) => {
  const stream = await begin(face, region);
  await stream.send({
    eventType: Client.EVENT_LATENCY_SAMPLES,
    gpsLocation: SOUTH,
    samples: [3.1, 0, 2.3, 4.5, -4.5, 1.2, 13.4].map((value) => ({ value })),
  });
  const measured = await stream.next();
  assert.equal(measured?.eventType, Server.EVENT_LATENCY_PROCESSED);
  const { numSamples, min, max, avg, variance } = measured!.statistics!;
  assert.deepEqual([numSamples, min, max], [6, 0, 13.4]);
  assert.ok(Math.abs(avg - 4.0833333) < 1e-6 && Math.abs(variance - 23.2216667) < 1e-6);
  assert.equal(measured!.statistics!.timestamp?.seconds, region.clock.nowMs / 1000);
  // Told again on every update, as the stream began with the other instance.
  for (const near of [NORTH, { ...NORTH, latitude: 52.7 }]) {
    await stream.send({ eventType: Client.EVENT_LOCATION_UPDATE, gpsLocation: near });
    const moved = await stream.next();
    assert.equal(moved?.eventType, Server.EVENT_CLOUDLET_UPDATE);
    assert.equal(moved!.newCloudlet?.fqdn, "11.1.11.1");
    assert.equal(moved!.newCloudlet?.status, dme.FindCloudletReply_FindStatus.FIND_FOUND);
    const edge = await region.desk.edgeEvents.verify(moved!.newCloudlet!.edgeEventsCookie);
    assert.deepEqual([edge.cloudletName, edge.location.latitude], ["north-2", near.latitude]);
  }
  // Back where it began: nothing to tell, so that the next answer is that of the next event.
  await stream.send({ eventType: Client.EVENT_LOCATION_UPDATE, gpsLocation: SOUTH });
  await stream.send({ eventType: Client.EVENT_LATENCY_SAMPLES, gpsLocation: SOUTH });
  const none = await stream.next();
  assert.deepEqual([none?.eventType, none?.statistics?.numSamples], [Server.EVENT_LATENCY_PROCESSED, 0]);
  await stream.send({ eventType: Client.EVENT_TERMINATE_CONNECTION });
  assert.equal(await stream.next(), undefined);
  await until(() => region.edge.open === 0, "the stream has ended");
  assert.equal([...region.tables.apps()].some((app) => region.edge.clients.ofApp(app.key.name)), false);
});

overAll("faults of later events are answered in the stream, which goes on", async (face, region) => {
  const stream = await begin(face, region);
  const faults: [Parameters<EdgeStream["send"]>[0], RegExp][] = [
    [{ eventType: Client.EVENT_INIT_CONNECTION }, /Unknown event type/],
    [{ eventType: Client.EVENT_UNKNOWN }, /Unknown event type/],
    [{ eventType: Client.EVENT_LATENCY_SAMPLES, samples: [{ value: 1 }] }, /gps_location is missing/],
    [{ eventType: Client.EVENT_LOCATION_UPDATE }, /gps_location is missing/],
    [{ eventType: Client.EVENT_LOCATION_UPDATE, gpsLocation: { latitude: 91 } }, /gps_location is invalid/],
    [{ eventType: Client.EVENT_LOCATION_UPDATE, gpsLocation: { longitude: NaN } }, /gps_location is invalid/],
    [{ eventType: Client.EVENT_CUSTOM_EVENT }, /custom_event is empty/],
    [{ eventType: Client.EVENT_CUSTOM_EVENT, customEvent: "x".repeat(257) }, /custom_event is too long/],
  ];
  for (const [event, text] of faults) {
    await stream.send(event);
    const answer = await stream.next();
    assert.equal(answer?.eventType, Server.EVENT_ERROR);
    assert.match(answer!.errorMsg, text);
  }
});

overAll("a stream that cannot be trusted is refused", async (face, region) => {
  const good = await cookies(region);
  const other = await region.desk.edgeEvents.issue({
    clusterOrganization: "",
    clusterName: "",
    cloudletOrganization: "",
    cloudletName: "",
    location: SOUTH,
  });
  const cases: [{ sessionCookie: string; edgeEventsCookie: string }, RegExp][] = [
    [{ ...good, sessionCookie: "" }, /Session cookie is missing/],
    [{ ...good, edgeEventsCookie: "" }, /Edge events cookie is missing/],
    [{ ...good, sessionCookie: good.edgeEventsCookie }, /App not found/],
    [{ ...good, edgeEventsCookie: good.sessionCookie }, /Edge events cookie/],
    [{ ...good, edgeEventsCookie: other }, /names no instance/],
    [{ ...good, edgeEventsCookie: `${good.edgeEventsCookie.slice(0, -4)}AAAA` }, /bad signature/],
    [{ ...good, sessionCookie: "a.b" }, /three segments/],
  ];
  for (const [given, text] of cases) {
    const stream = await face.open(init(given));
    await assert.rejects(stream.next(), refused("UNAUTHENTICATED", text));
  }
  // A stream outlives its cookie, but cannot begin with an old one.
  const stream = await begin(face, region);
  region.clock.nowMs += 11 * 60_000;
  await stream.send({ eventType: Client.EVENT_LATENCY_SAMPLES, gpsLocation: SOUTH });
  assert.equal((await stream.next())?.eventType, Server.EVENT_LATENCY_PROCESSED);
  await assert.rejects((await face.open(init(good))).next(), refused("UNAUTHENTICATED", /expired/));
});

overAll("what happens to an instance and its cloudlet is told", async (face, region) => {
  const { tables } = region;
  const stream = await begin(face, region);
  const key = cloudletKey("northtel", "north-3");
  const site = { key, location: { latitude: 48.1351, longitude: 11.582 }, allianceOrgs: [] };
  const instance = () => appInst(ALPHA, "northtel", "north-3", "12.1.12.1", [48.1351, 11.582]);
  const next = async () => {
    const event = await stream.next();
    return [event?.eventType, event?.newCloudlet?.fqdn ?? event?.errorMsg] as const;
  };
  const Maintenance = dme.MaintenanceState;
  for (const state of [Maintenance.FAILOVER_REQUESTED, Maintenance.CRM_REQUESTED]) {
    tables.setCloudlet({ ...site, maintenanceState: state });
    const event = await stream.next();
    assert.deepEqual([event?.maintenanceState, event?.newCloudlet, event?.errorMsg], [state, undefined, ""]);
  }
  tables.setCloudlet({ ...site, maintenanceState: Maintenance.UNDER_MAINTENANCE });
  assert.deepEqual(await next(), [Server.EVENT_CLOUDLET_MAINTENANCE, "11.1.11.1"]);
  tables.setCloudlet({ ...site, maintenanceState: Maintenance.NORMAL_OPERATION_INIT });
  assert.deepEqual(await next(), [Server.EVENT_CLOUDLET_MAINTENANCE, ""]);
  tables.setCloudlet({ ...site, maintenanceState: Maintenance.NORMAL_OPERATION });
  assert.deepEqual(await next(), [Server.EVENT_CLOUDLET_UPDATE, "12.1.12.1"]);

  tables.setCloudletInfo({ key, state: dme.CloudletState.CLOUDLET_STATE_OFFLINE });
  assert.deepEqual(await next(), [Server.EVENT_CLOUDLET_STATE, "11.1.11.1"]);
  tables.setCloudletInfo({ key, state: dme.CloudletState.CLOUDLET_STATE_READY });
  assert.deepEqual(await next(), [Server.EVENT_CLOUDLET_UPDATE, "12.1.12.1"]);

  tables.setInstance({ ...instance(), healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL });
  assert.deepEqual(await next(), [Server.EVENT_APPINST_HEALTH, "11.1.11.1"]);
  tables.setInstance(instance());
  assert.deepEqual(await next(), [Server.EVENT_CLOUDLET_UPDATE, "12.1.12.1"]);

  // On its way out it is told of early, and again when it is gone.
  tables.setInstance({ ...instance(), state: 10 });
  assert.deepEqual(await next(), [Server.EVENT_APPINST_HEALTH, "11.1.11.1"]);
  tables.removeInstance(instance().key);
  assert.deepEqual(await next(), [Server.EVENT_APPINST_HEALTH, "11.1.11.1"]);
  tables.setInstance(instance());
  assert.deepEqual(await next(), [Server.EVENT_CLOUDLET_UPDATE, "12.1.12.1"]);
});

overAll("clients of a cloudlet that is deleted are told, others are not", async (face, region) => {
  const south = await begin(face, region);
  const north = await begin(face, region, NORTH);
  assert.equal(region.edge.open, 2);
  for (const name of ["north-1", "north-2", "west-1"]) {
    for (const org of ["northtel", "westtel"]) region.tables.removeInstance(appInst(ALPHA, org, name, "", [0, 0]).key);
  }
  const lost = await north.next();
  assert.deepEqual(
    [lost?.eventType, lost?.healthCheck, lost?.newCloudlet?.fqdn],
    [Server.EVENT_APPINST_HEALTH, dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL, "12.1.12.1"],
  );
  region.tables.removeCloudlet(cloudletKey("southtel", "south-1"));
  region.tables.removeCloudlet(cloudletKey("southtel", "south-2"));
  region.tables.removeCloudlet(cloudletKey("northtel", "north-3"));
  const gone = await south.next();
  assert.deepEqual(
    [gone?.eventType, gone?.cloudletState, gone?.newCloudlet],
    [Server.EVENT_CLOUDLET_STATE, dme.CloudletState.CLOUDLET_STATE_NOT_PRESENT, undefined],
  );
  assert.match(gone!.errorMsg, /FIND_NOTFOUND/);
  // Nothing is said to clients of another cloudlet, nor of instances far away that are no better.
  await region.edge.pushes.settled();
  const asked = region.edge.pushes.requestLatency(appInst(ALPHA, "northtel", "north-3", "", [0, 0]).key);
  assert.equal(asked, 0);
  await north.send({ eventType: Client.EVENT_LATENCY_SAMPLES, gpsLocation: NORTH });
  assert.equal((await north.next())?.eventType, Server.EVENT_LATENCY_PROCESSED);
});

overAll("clients of an instance are asked for latencies, and only they", async (face, region) => {
  const south = await begin(face, region);
  const north = await begin(face, region, NORTH);
  assert.equal(region.edge.pushes.requestLatency(appInst(ALPHA, "northtel", "north-3", "", [0, 0]).key), 1);
  assert.equal((await south.next())?.eventType, Server.EVENT_LATENCY_REQUEST);
  await region.edge.pushes.settled();
  await north.send({ eventType: Client.EVENT_UNKNOWN });
  assert.equal((await north.next())?.eventType, Server.EVENT_ERROR);
});

overAll("an instance that nobody knows can be used, and its coming is no news", async (face, region) => {
  const given = await cookies(region);
  const gone = appInst(ALPHA, "northtel", "north-3", "12.1.12.1", [48.1351, 11.582]);
  region.tables.removeInstance(gone.key);
  const stream = await face.open(init(given));
  assert.equal((await stream.next())?.eventType, Server.EVENT_INIT_CONNECTION);
  region.tables.setInstance(gone);
  await region.edge.pushes.settled();
  region.tables.setInstance({ ...gone, healthCheck: dme.HealthCheck.HEALTH_CHECK_ROOTLB_OFFLINE });
  assert.equal((await stream.next())?.eventType, Server.EVENT_APPINST_HEALTH);
});

overAll("two streams of one session have registrations of their own", async (face, region) => {
  const given = await cookies(region);
  const [one, two] = [await face.open(init(given)), await face.open(init(given))];
  for (const stream of [one, two]) assert.equal((await stream.next())?.eventType, Server.EVENT_INIT_CONNECTION);
  one.close();
  await until(() => region.edge.open === 1, "one has ended");
  assert.equal(region.edge.pushes.requestLatency(appInst(ALPHA, "northtel", "north-3", "", [0, 0]).key), 1);
  assert.equal((await two.next())?.eventType, Server.EVENT_LATENCY_REQUEST);
});

overAll("a process that goes sends its streams elsewhere", async (face, region) => {
  const stream = await begin(face, region);
  region.edge.drain();
  await assert.rejects(stream.next(), refused("UNAVAILABLE", /elsewhere/));
  assert.equal(region.edge.open, 0);
});

const persistent = createRateLimiter({
  settings: [{
    name: "two",
    api: "PersistentConnection",
    target: "all",
    algorithm: { kind: "token-bucket", requestsPerSecond: 0.001, burst: 2 },
  }],
  maxTracked: 10,
  clock: systemClock(),
});
Deno.test("events over the rate are dropped, and said so once a second", async () => {
  const region = testRegion(goldenRegion(), undefined, persistent);
  const face = await FACES[0]!(region);
  try {
    const stream = await begin(face, region);
    for (let i = 0; i < 2; i++) {
      await stream.send({ eventType: Client.EVENT_UNKNOWN });
      assert.match((await stream.next())!.errorMsg, /Unknown event type/);
    }
    for (let i = 0; i < 20; i++) await stream.send({ eventType: Client.EVENT_UNKNOWN });
    assert.match((await stream.next())!.errorMsg, /PersistentConnection is refused.*exceeded rate/);
    // To end is always allowed.
    await stream.send({ eventType: Client.EVENT_TERMINATE_CONNECTION });
    assert.equal(await stream.next(), undefined);
  } finally {
    await face.close();
  }
});

overAll("the first event must come, and come first", async (face, region) => {
  if (face.name === "server-sent events") return;
  const wrong = await face.open({ eventType: Client.EVENT_LOCATION_UPDATE });
  await assert.rejects(wrong.next(), refused("INVALID_ARGUMENT", /first event must be EVENT_INIT/));
  assert.equal(region.edge.open, 0);
});

Deno.test("a stream that sends nothing is ended, one that ends at once too", async () => {
  const region = testRegion(goldenRegion(), undefined, undefined, { limits: { initMs: 50 } });
  const connections: (RpcError | undefined)[] = [];
  const { EdgeConnection } = await import("./connection.ts");
  const silent = Promise.withResolvers<void>();
  new EdgeConnection(region.edge, peer, {
    send: () => true,
    end(error) {
      connections.push(error);
      silent.resolve();
    },
  });
  await silent.promise;
  assert.match(String(connections[0]), /DEADLINE_EXCEEDED.*did not come within 0.05 s/);
  new EdgeConnection(region.edge, peer, { send: () => true, end: (error) => void connections.push(error) })
    .inputEnded();
  assert.match(String(connections[1]), /INVALID_ARGUMENT.*ended before/);
  assert.equal(region.edge.open, 0);
});

overAll("too many streams are refused", async (face, region) => {
  await begin(face, region);
  const given = await cookies(region);
  if (face.name === "WebSocket") return void await assert.rejects(face.open(init(given)));
  await assert.rejects(
    (await face.open(init(given))).next(),
    refused("RESOURCE_EXHAUSTED", /1 event streams are open/),
  );
  assert.equal(region.edge.open, 1);
}, () => ({ edge: { limits: { streams: 1 } } }));

Deno.test("what devices tell is counted for the instance that they were given", async () => {
  const seen: unknown[] = [];
  const stats: EdgeStats = {
    session: ({ instance, ...device }) => seen.push(["session", instance.clusterInstKey.cloudletKey.name, device]),
    latency: ({ locationTile, signalStrength }, samples) =>
      seen.push(["latency", samples, signalStrength, locationTile]),
    custom: (instance, name, samples) => seen.push(["custom", instance.appKey.name, name, samples]),
  };
  const region = testRegion(goldenRegion(), undefined, undefined, { stats });
  const face = await FACES[0]!(region);
  try {
    const stream = await begin(face, region);
    const device = {
      carrier: "",
      deviceOs: "os 1",
      deviceModel: "model 2",
      dataNetworkType: "LTE",
      signalStrength: 0,
      locationTile: "11.498383,47.987700_11.516349,48.005788_2",
    };
    assert.deepEqual(seen.splice(0), [["session", "north-3", device]]);
    const gpsLocation = { ...SOUTH };
    const send = async (event: Parameters<EdgeStream["send"]>[0]) => {
      await stream.send(event);
      await stream.send({ eventType: Client.EVENT_LATENCY_SAMPLES, gpsLocation });
      while ((await stream.next())?.eventType !== Server.EVENT_LATENCY_PROCESSED);
      return seen.splice(0).slice(0, -1);
    };
    assert.deepEqual(
      await send({ eventType: Client.EVENT_CUSTOM_EVENT, customEvent: "fps", samples: [{ value: 60 }] }),
      [["custom", "alpha", "fps", [60]]],
    );
    const update = (deviceInfoDynamic?: object) =>
      send({ eventType: Client.EVENT_LOCATION_UPDATE, gpsLocation, deviceInfoDynamic });
    // The same place and device, or a carrier that alone is new, are no other session.
    assert.deepEqual(await update(), []);
    assert.deepEqual(await update({ dataNetworkType: "LTE", carrierName: "othertel" }), []);
    assert.deepEqual(await update({ dataNetworkType: "5G", carrierName: "northtel" }), [
      ["session", "north-3", { ...device, dataNetworkType: "5G", carrier: "northtel" }],
    ]);
    gpsLocation.latitude = 48.02;
    const moved = await update() as [string, string, { locationTile: string }][];
    assert.equal(moved[0]?.[2].locationTile, "11.498383,48.005788_11.516349,48.023876_2");
    await stream.send({
      eventType: Client.EVENT_LATENCY_SAMPLES,
      gpsLocation,
      samples: [{ value: -1 }, { value: 5 }],
      deviceInfoDynamic: { signalStrength: 2 ** 64 },
    });
    await stream.next();
    assert.deepEqual((seen[0] as unknown[]).slice(0, 2), ["latency", [-1, 5]]);
    stream.close();
  } finally {
    await face.close();
  }
});
