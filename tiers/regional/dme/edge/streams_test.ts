import assert from "node:assert/strict";
import { dme } from "../../../../shared/schema/mod.ts";
import { cloudletKey } from "../matching/fixture.ts";
import { type EdgeStream, grpcFace } from "../testing/edge_clients.ts";
import {
  ALPHA,
  begin,
  Client,
  cookies,
  init,
  NORTH,
  overAllForms,
  peer,
  refused,
  Server,
  SOUTH,
} from "../testing/edge_streams.ts";
import { appInst, goldenRegion, testRegion } from "../testing/region.ts";
import { until } from "../testing/until.ts";

overAllForms("a stream begins, measures, moves and ends", async (face, region) => {
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

overAllForms("faults of later events are answered in the stream, which goes on", async (face, region) => {
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

overAllForms("a stream that cannot be trusted is refused", async (face, region) => {
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

overAllForms("what happens to an instance and its cloudlet is told", async (face, region) => {
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

overAllForms("clients of a cloudlet that is deleted are told, others are not", async (face, region) => {
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

overAllForms("clients of an instance are asked for latencies, and only they", async (face, region) => {
  const south = await begin(face, region);
  const north = await begin(face, region, NORTH);
  assert.equal(region.edge.pushes.requestLatency(appInst(ALPHA, "northtel", "north-3", "", [0, 0]).key), 1);
  assert.equal((await south.next())?.eventType, Server.EVENT_LATENCY_REQUEST);
  await region.edge.pushes.settled();
  await north.send({ eventType: Client.EVENT_UNKNOWN });
  assert.equal((await north.next())?.eventType, Server.EVENT_ERROR);
});

overAllForms("an instance that nobody knows can be used, and its coming is no news", async (face, region) => {
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

overAllForms("two streams of one session have registrations of their own", async (face, region) => {
  const given = await cookies(region);
  const [one, two] = [await face.open(init(given)), await face.open(init(given))];
  for (const stream of [one, two]) assert.equal((await stream.next())?.eventType, Server.EVENT_INIT_CONNECTION);
  one.close();
  await until(() => region.edge.open === 1, "one has ended");
  assert.equal(region.edge.pushes.requestLatency(appInst(ALPHA, "northtel", "north-3", "", [0, 0]).key), 1);
  assert.equal((await two.next())?.eventType, Server.EVENT_LATENCY_REQUEST);
});

overAllForms("a process that goes sends its streams elsewhere", async (face, region) => {
  const stream = await begin(face, region);
  region.edge.drain();
  await assert.rejects(stream.next(), refused("UNAVAILABLE", /elsewhere/));
  assert.equal(region.edge.open, 0);
});

overAllForms("the first event must come, and come first", async (face, region) => {
  if (face.name === "server-sent events") return;
  const wrong = await face.open({ eventType: Client.EVENT_LOCATION_UPDATE });
  await assert.rejects(wrong.next(), refused("INVALID_ARGUMENT", /first event must be EVENT_INIT/));
  assert.equal(region.edge.open, 0);
});

Deno.test("nobody is sent back and forth between instances that share the load", async () => {
  let turn = 0;
  const region = testRegion(goldenRegion(), () => (turn++ % 2) * 0.75);
  const face = await grpcFace(region);
  try {
    const app = { orgName: "delta", appName: "delta", appVers: "1.7" };
    const { sessionCookie } = await region.calls.registerClient.run(dme.RegisterClientRequest.create(app), peer);
    const gpsLocation = { latitude: -50, longitude: -100 };
    const { edgeEventsCookie } = await region.calls.findCloudlet.run(
      dme.FindCloudletRequest.create({ sessionCookie, gpsLocation }),
      peer,
    );
    const stream = await face.open(init({ sessionCookie, edgeEventsCookie }));
    assert.equal((await stream.next())?.eventType, Server.EVENT_INIT_CONNECTION);
    for (let i = 0; i < 20; i++) await stream.send({ eventType: Client.EVENT_LOCATION_UPDATE, gpsLocation });
    for (const [name, at] of [["south-1", [-50.1101, -100.2201]], ["south-2", [-50.1102, -100.2202]]] as const) {
      region.tables.setInstance({
        ...appInst(["delta", "delta", "1.7"], "southtel", name, name, [...at]),
        healthCheck: dme.HealthCheck.HEALTH_CHECK_UNKNOWN,
      });
      region.tables.setInstance(appInst(["delta", "delta", "1.7"], "southtel", name, name, [...at]));
    }
    await region.edge.pushes.settled();
    await stream.send({ eventType: Client.EVENT_LATENCY_SAMPLES, gpsLocation });
    const events = [];
    do events.push((await stream.next())!); while (events.at(-1)!.eventType !== Server.EVENT_LATENCY_PROCESSED);
    // Its own instance's health was in doubt for a moment: that is all it was told of.
    assert.deepEqual(events.slice(0, -1).map(({ eventType }) => eventType), [Server.EVENT_APPINST_HEALTH]);
    stream.close();
  } finally {
    await face.close();
  }
});
