import assert from "node:assert/strict";
import { dme } from "../../../shared/schema/mod.ts";
import { cloudlet, cloudletKey } from "../../../tiers/regional/dme/matching/fixture.ts";
import { appInst } from "../../../tiers/regional/dme/testing/region.ts";
import { until } from "../../../tiers/regional/dme/testing/until.ts";
import type { EdgeOptions, Probe, StreamForm } from "../mod.ts";
import { next, NORTH, NORTHERN, type Scene, SOUTH, SOUTHERN, withRegion } from "../testing/region.ts";

const FORMS: StreamForm[] = ["websocket", "server-sent-events"];
const north3 = appInst(["acme", "alpha", "1.1"], "northtel", "north-3", SOUTHERN, [48.1351, 11.582]);

/** A probe that answers by the name of the host. */
const probeOf = (latencies: Record<string, number>): Probe => ({ host }, { samples }) =>
  Promise.resolve(new Array(samples).fill(latencies[host] ?? -1));

const QUIET = { latencyIntervalMs: 0, locationIntervalMs: 0 };

async function follow(scene: Scene, options: EdgeOptions = {}, latencies: Record<string, number> = { [SOUTHERN]: 5 }) {
  const device = scene.device({ probe: probeOf(latencies), random: () => 1 });
  const instance = await device.findCloudlet(SOUTH);
  assert.equal(instance?.fqdn, SOUTHERN);
  return device.followEdgeEvents(instance, { ...QUIET, reconnectDelayMs: 20, ...options });
}

function overForms(name: string, body: (scene: Scene, forms: StreamForm[]) => Promise<void>): void {
  for (const form of FORMS) Deno.test(`${name}, by ${form}`, () => withRegion((scene) => body(scene, [form])));
}

overForms("a stream opens, follows the device to a closer instance, and ends with a goodbye", async (scene, forms) => {
  const events = await follow(scene, { forms, device: { os: "os 1" }, network: () => ({ signalStrength: -1 }) });
  assert.equal(events.updateLocation(SOUTH), false);
  const { form, instance } = await next(events, "open");
  assert.deepEqual([form, instance.fqdn, events.open], [forms[0], SOUTHERN, true]);
  const called: string[] = [];
  events.on("newInstance", ({ instance }) => called.push(instance.fqdn));
  assert.equal(events.updateLocation(NORTH), true);
  const moved = await next(events, "newInstance");
  assert.deepEqual([moved.trigger, moved.instance.fqdn, moved.previous.fqdn], ["closer", NORTHERN, SOUTHERN]);
  assert.equal((await next(events, "open")).instance.fqdn, NORTHERN);
  assert.deepEqual(called, [NORTHERN]);
  await until(() => scene.region.edge.open === 1, "only the new stream is open");
  await events.close();
  assert.equal(scene.region.edge.open, 0);
  assert.equal(events.open, false);
  assert.deepEqual((await Array.fromAsync(events)).map(({ type }) => type), []);
});

overForms("what happens to the instance is told, and acted on", async (scene, forms) => {
  const { region } = scene;
  const events = await follow(scene, { forms });
  await next(events, "open");
  region.tables.setInstance({ ...north3, healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL });
  assert.equal((await next(events, "health")).health, "ServerFail");
  const gone = await next(events, "newInstance");
  assert.deepEqual([gone.trigger, gone.instance.fqdn], ["health", NORTHERN]);
  await next(events, "open");
  region.tables.setInstance(north3);
  const back = await next(events, "newInstance");
  assert.deepEqual([back.trigger, back.instance.fqdn], ["closer", SOUTHERN]);
  await next(events, "open");

  const south = cloudlet("northtel", "north-3", 48.1351, 11.582);
  region.tables.setCloudlet({ ...south, maintenanceState: dme.MaintenanceState.FAILOVER_REQUESTED });
  assert.equal((await next(events, "maintenance")).state, "FailoverRequested");
  assert.equal(events.instance.fqdn, SOUTHERN);
  region.tables.setCloudlet({ ...south, maintenanceState: dme.MaintenanceState.UNDER_MAINTENANCE });
  assert.equal((await next(events, "maintenance")).state, "UnderMaintenance");
  assert.equal((await next(events, "newInstance")).trigger, "maintenance");
  await next(events, "open");

  const key = cloudletKey("northtel", "north-2");
  region.tables.setCloudletInfo({ key, state: dme.CloudletState.CLOUDLET_STATE_OFFLINE });
  assert.equal((await next(events, "cloudletState")).state, "Offline");
  const away = await next(events, "newInstance");
  assert.deepEqual([away.trigger, away.previous.fqdn], ["cloudlet-state", NORTHERN]);
  await events.close();
});

overForms("latencies are measured when the region asks, and reported with its statistics", async (scene, forms) => {
  const events = await follow(scene, { forms });
  await next(events, "open");
  assert.equal(scene.region.edge.pushes.requestLatency(north3.key), 1);
  assert.deepEqual((await next(events, "latency")).values, [5, 5, 5, 5, 5]);
  const { statistics } = await next(events, "latencyProcessed");
  assert.deepEqual([statistics.samples, statistics.average, statistics.timeMs], [5, 5, scene.region.clock.nowMs]);
  assert.equal(events.sendCustom("laps", [1, 2]), true);
  assert.equal(events.sendCustom("x".repeat(257)), true);
  assert.match((await next(events, "refused")).reason, /custom_event is too long/);
  await events.close();
});

Deno.test("intervals measure and report the place by themselves", async () => {
  await withRegion(async (scene) => {
    let place = SOUTH;
    const options = { latencyIntervalMs: 10, locationIntervalMs: 10, location: () => place };
    const events = await follow(scene, options, { [SOUTHERN]: 5, [NORTHERN]: 5 });
    assert.deepEqual((await next(events, "latency")).values, [5, 5, 5]);
    await next(events, "latencyProcessed");
    place = NORTH;
    assert.equal((await next(events, "newInstance")).instance.fqdn, NORTHERN);
    await next(events, "latencyProcessed");
    await events.close();
  });
});

Deno.test("too high a latency makes the device seek a quicker instance, which must be quicker by the margin", async () => {
  await withRegion(async (scene) => {
    const cases: [Record<string, number>, EdgeOptions, string][] = [
      [{ [SOUTHERN]: 80, [NORTHERN]: 40 }, {}, NORTHERN],
      [{ [NORTHERN]: 400 }, {}, NORTHERN],
      [{ [SOUTHERN]: 80, [NORTHERN]: 77 }, { switchMargin: 0.05 }, "not quicker by 5 %"],
      [{ [SOUTHERN]: 80, [NORTHERN]: 77 }, { switchMargin: 0.03 }, NORTHERN],
      [{ [SOUTHERN]: 80, [NORTHERN]: 90 }, {}, "no other instance is quicker"],
      [{}, {}, "no other instance is quicker"],
      [{ [SOUTHERN]: 80, [NORTHERN]: 1 }, { search: "proximity" }, "no other instance is quicker"],
    ];
    for (const [latencies, options, expected] of cases) {
      const events = await follow(scene, options, latencies);
      await next(events, "open");
      await events.measure();
      if (expected === NORTHERN) {
        const { trigger, instance } = await next(events, "newInstance");
        assert.deepEqual([trigger, instance.fqdn], ["latency", NORTHERN]);
      } else {
        const { trigger, reason } = await next(events, "stay");
        assert.equal(trigger, "latency");
        assert.match(reason, expected.startsWith("not") ? /no other instance is quicker by 5 %/ : new RegExp(expected));
        assert.equal(events.instance.fqdn, SOUTHERN);
      }
      await events.close();
    }
    // Below the threshold, or with the trigger off, nothing is sought.
    for (const options of [{ latencyThresholdMs: 81 }, { triggers: ["closer"] as const }]) {
      const events = await follow(scene, options, { [SOUTHERN]: 80, [NORTHERN]: 1 });
      await next(events, "open");
      await events.measure();
      await events.close();
      assert.deepEqual((await Array.fromAsync(events)).map(({ type }) => type).slice(0, 1), ["latency"]);
      assert.equal(events.instance.fqdn, SOUTHERN);
    }
  });
});

Deno.test("an app that migrates by itself says when the stream is to follow", async () => {
  await withRegion(async (scene) => {
    const events = await follow(scene, { autoMigrate: false });
    await next(events, "open");
    events.updateLocation(NORTH);
    const { instance } = await next(events, "newInstance");
    assert.equal(events.instance.fqdn, SOUTHERN);
    // Told again, as the stream is still that of the other one.
    events.updateLocation(NORTH);
    await next(events, "newInstance");
    events.follow(instance);
    assert.equal((await next(events, "open")).instance.fqdn, NORTHERN);
    await events.close();
  });
});

Deno.test("another instance under the same name, on other ports, is another one; a fresh cookie alone is not", async () => {
  await withRegion(async (scene) => {
    const { tables } = scene.region;
    const place = [52.7374, 13.405] as [number, number];
    const renamed = appInst(["acme", "alpha", "1.1"], "northtel", "north-2", SOUTHERN, place);
    const ports = (publicPort: number) => renamed.mappedPorts.map((port) => ({ ...port, publicPort }));
    for (const publicPort of [443, 444]) {
      tables.setInstance({ ...renamed, mappedPorts: ports(publicPort) });
      const events = await follow(scene);
      const { instance } = await next(events, "open");
      events.updateLocation(NORTH);
      if (publicPort === 444) {
        assert.equal((await next(events, "newInstance")).instance.ports[0]!.publicPort, 444);
      } else {
        await until(() => events.instance.edgeEventsCookie !== instance.edgeEventsCookie, "the cookie is fresh");
      }
      await events.close();
      assert.deepEqual((await Array.fromAsync(events)).filter(({ type }) => type === "newInstance"), []);
    }
  });
});

Deno.test("with nowhere to go the device is told to stay, and triggers that are off move nobody", async () => {
  await withRegion(async (scene) => {
    const { tables } = scene.region;
    const off = await follow(scene, { triggers: ["cloudlet-state"] });
    await next(off, "open");
    off.updateLocation(NORTH);
    for (
      const [name, carrier, uri] of [["north-2", "northtel", NORTHERN], ["west-1", "westtel", "13.1.13.1"]] as const
    ) {
      tables.removeInstance(appInst(["acme", "alpha", "1.1"], carrier, name, uri, [0, 0]).key);
    }
    for (const [name, uri] of [["south-1", "14.1.13.1"], ["south-2", "14.1.13.2"]] as const) {
      tables.removeInstance(appInst(["acme", "alpha", "1.1"], "southtel", name, uri, [0, 0]).key);
    }
    const events = await follow(scene);
    await next(events, "open");
    tables.setInstance({ ...north3, healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL });
    await next(off, "health");
    await next(events, "health");
    const { trigger, reason } = await next(events, "stay");
    assert.equal(trigger, "health");
    assert.match(reason, /FIND_NOTFOUND/);
    await Promise.all([events.close(), off.close()]);
    assert.equal(off.instance.fqdn, SOUTHERN);
    assert.deepEqual(await Array.fromAsync(off), []);
  });
});
