import assert from "node:assert/strict";
import { createNotifyClient, roundRobin } from "../../../../shared/notify/mod.ts";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  Alert,
  AlertKind,
  AppInst,
  AppInstClient,
  AppInstClientKey,
  AppInstClientWatchKind,
  Device,
  DeviceReport,
  dme,
} from "../../../../shared/schema/mod.ts";
import { appInstLabels } from "../alerts/labels.ts";
import type { Lease, Store } from "../../../../shared/store/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, furnish, instance, lines, until, type World, World as AnyWorld } from "./world.ts";

const names = async (world: World) =>
  (await all(world.api.alerts.showAlert(Alert.create()))).map(({ labels }) => labels["alertname"]).sort();
const health = async (world: World) => (await all(world.api.instances.showAppInst(AppInst.create())))[0]?.healthCheck;

/** Rules about alerts and devices. */
export const recordCases: ApiCase[] = [
  {
    name: "alerts of a site are shown while the site holds them, with what the controller adds",
    async run(store) {
      await using world = await AnyWorld.start({ store });
      const site = await furnish(world);
      const labels = { alertname: "CloudletDown", scope: "Cloudlet", cloudlet: "Edge", cloudletorg: "Bayline Inc." };
      site.raise(labels, { title: "Edge is down" });
      site.raise({ alertname: "NobodyKnows", cloudlet: "Edge", cloudletorg: "Bayline Inc." });
      await until(async () => (await names(world)).length > 0, "the alert is there");
      const [alert] = await all(world.api.alerts.showAlert(Alert.create({ labels: { cloudlet: "Edge" } })));
      assert.deepEqual(alert!.labels, { ...labels, region: "eu", severity: "error" });
      assert.deepEqual([alert!.state, alert!.annotations["title"]], ["firing", "Edge is down"]);
      assert.ok(alert!.activeAt!.seconds > 0);
      assert.deepEqual(await all(world.api.alerts.showAlert(Alert.create({ labels: { cloudlet: "Other" } }))), []);
      assert.equal((await store.scan(AlertKind.storePrefix)).entries.every(({ lease }) => lease !== undefined), true);
      site.unraise(labels);
      await until(async () => (await names(world)).length === 0, "the alert is gone");
    },
  },
  {
    name: "alerts of a site whose stream is lost are removed",
    async run(store) {
      await using world = await AnyWorld.start({ store });
      const site = await furnish(world);
      const labels = { scope: "Cloudlet", cloudlet: "Edge", cloudletorg: "Bayline Inc." };
      site.raise({ alertname: "CloudletResourceUsage", ...labels });
      await until(async () => (await names(world)).length === 1, "the alert is there");
      await site.stop();
      const left = async () => (await names(world)).filter((name) => name !== "CloudletDown");
      await until(async () => (await left()).length === 0, "the alert went with the stream");
    },
  },
  {
    name: "an alert about another site ends the stream of the site that claims it",
    async run(store) {
      await using world = await AnyWorld.start({ store });
      const site = await furnish(world);
      site.raise({ alertname: "CloudletDown", scope: "Cloudlet", cloudlet: "Other", cloudletorg: "Bayline Inc." });
      await until(() => world.controller.hub.streams().length === 0, "the stream was ended");
      assert.deepEqual(await names(world), []);
    },
  },
  {
    name:
      "AppInstDown sets the health of its instance, the worst of several counts, and the last that goes makes it well",
    async run(store) {
      await using world = await AnyWorld.start({ store });
      await furnish(world);
      await lines(world.api.instances.createAppInst(instance()));
      const [created] = await all(world.api.instances.showAppInst(AppInst.create()));
      const about = { alertname: "AppInstDown", scope: "Application", ...appInstLabels(created!.key) };
      const { alerts } = world.controller;
      alerts.raise({ labels: { ...about, status: "HealthCheckServerFail" } });
      await until(async () => await health(world) === dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL, "the server fails");
      alerts.raise({ labels: { ...about, status: "1", port: "80" } });
      await until(async () => await health(world) === dme.HealthCheck.HEALTH_CHECK_ROOTLB_OFFLINE, "the worse counts");
      alerts.clear({ alertname: "AppInstDown", port: "80" });
      await until(async () => await health(world) === dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL, "the other is left");
      alerts.raise({ labels: { ...about, status: "Nonsense" } });
      alerts.clear({ alertname: "AppInstDown", status: "HealthCheckServerFail" });
      await until(async () => await health(world) === dme.HealthCheck.HEALTH_CHECK_OK, "all is well");

      alerts.raise({ labels: { ...about, status: "2" } });
      await until(async () => await health(world) === dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL, "it fails again");
      await lines(world.api.instances.deleteAppInst(instance()));
      await until(async () => (await names(world)).length === 0, "alerts go with their instance");
    },
  },
  {
    name: "an alert is cleared by any controller, and written again when the lease it was kept under is lost",
    async run(store) {
      const leases: Lease[] = [];
      const watched = Object.assign(Object.create(null), {
        get: store.get.bind(store),
        scan: store.scan.bind(store),
        transact: store.transact.bind(store),
        watch: store.watch.bind(store),
        status: store.status.bind(store),
        async grantLease(ttlMs: number) {
          const lease = await store.grantLease(ttlMs);
          leases.push(lease);
          return lease;
        },
      }) as Store;
      await using one = await AnyWorld.start({ store: watched });
      await using two = await AnyWorld.start({ store, parts: { id: "two" } });
      one.controller.alerts.raise({ labels: { alertname: "CloudletDown", cloudlet: "A" } });
      one.controller.alerts.raise({ labels: { alertname: "CloudletDown", cloudlet: "B" } });
      await until(async () => (await names(two)).length === 2, "both are seen by the other controller");
      two.controller.alerts.clear({ cloudlet: "A" });
      await until(async () => (await names(one)).length === 1, "the other controller has cleared one");
      await leases[0]!.revoke();
      await until(async () => (await names(two)).length === 0, "what is kept under a lease goes with it");
      await until(async () => (await names(two)).length === 1, "the other is written again under the next lease");
      const [left] = await all(two.api.alerts.showAlert(Alert.create()));
      assert.equal(left!.labels["cloudlet"], "B");
      assert.equal(leases.length, 2);
    },
  },
  {
    name: "devices are added, shown, reported by the span in which they were first seen, and evicted",
    async run(store) {
      await using world = await AnyWorld.start({ store });
      const { devices } = world.api;
      const key = { uniqueIdType: "platos", uniqueId: "one" };
      await devices.injectDevice(Device.create({ key, firstSeen: { seconds: 1000 } }));
      await devices.injectDevice(Device.create({ key: { ...key, uniqueId: "two" } }));
      await refused(devices.injectDevice(Device.create({ key })), Status.ALREADY_EXISTS, /^Device key .*one.* exists/);
      await refused(devices.injectDevice(Device.create()), Status.INVALID_ARGUMENT, /unique_id_type.*unique_id/);
      assert.equal((await all(devices.showDevice(Device.create()))).length, 2);
      const report = (more: object) => all(devices.showDeviceReport(DeviceReport.create(more)));
      assert.deepEqual((await report({ end: { seconds: 2000 } })).map((device) => device.key.uniqueId), ["one"]);
      assert.deepEqual((await report({ begin: { seconds: 1001 } })).map((device) => device.key.uniqueId), ["two"]);
      assert.deepEqual((await report({ key: { uniqueId: "one" } })).map((device) => device.key.uniqueId), ["one"]);
      await refused(report({ begin: { seconds: 2 }, end: { seconds: 1 } }), Status.INVALID_ARGUMENT, /before begin/);
      await devices.evictDevice(Device.create({ key }));
      await refused(devices.evictDevice(Device.create({ key })), Status.NOT_FOUND, /^Device key/);
    },
  },
  {
    name: "whoever watches an app's clients gets those that matching engines tell of; engines know while somebody does",
    async run(store) {
      await using world = await AnyWorld.start({ store });
      const engine = createNotifyClient({
        service: "dme",
        region: "eu",
        wants: [AppInstClientWatchKind.kind],
        connect: roundRobin([world.notifyAddress], () => ({})),
      });
      const replica = engine.replica(AppInstClientWatchKind.kind);
      engine.start();
      try {
        const { clients } = world.api;
        const key = (name: string, uniqueId = "") => ({
          appInstKey: { appKey: { organization: "AtlasWorks", name } },
          uniqueId,
        });
        await refused(
          all(clients.showAppInstClient(AppInstClientKey.create())),
          Status.INVALID_ARGUMENT,
          /organization/,
        );
        const tell = (name: string, uniqueId: string) =>
          engine.send("AppInstClient", AppInstClient.encode(AppInstClient.create({ clientKey: key(name, uniqueId) })));
        const follow = (name: string) => {
          const seen: string[] = [];
          const stop = new AbortController();
          const ended = (async () => {
            const request = AppInstClientKey.create(key(name));
            for await (const { clientKey } of clients.showAppInstClient(request, { signal: stop.signal })) {
              seen.push(clientKey.uniqueId);
            }
          })().catch(() => {});
          return { seen, stop: () => (stop.abort(), ended) };
        };
        const one = follow("Echo");
        await until(() => replica.size === 1, "the engine knows");
        tell("Echo", "a");
        tell("Other", "b");
        tell("Echo", "c");
        await until(() => one.seen.length === 2, "two have come");
        const two = follow("Echo");
        const every = follow("");
        await until(() => two.seen.length === 2 && every.seen.length === 2, "those of the past are told, too");
        tell("Other", "d");
        await until(() => every.seen.length === 3, "the wider watch has more");
        assert.deepEqual([one.seen, two.seen, every.seen], [["a", "c"], ["a", "c"], ["a", "c", "d"]]);
        await one.stop();
        assert.equal(replica.size, 2);
        await two.stop();
        await every.stop();
        await until(() => replica.size === 0, "the engine knows that nobody is left");
        engine.send("AppInstClient", new Uint8Array([0xff]));
        engine.send("Device", new Uint8Array([0xff]));
        const device = (uniqueId: string, seconds: number) =>
          engine.send(
            "Device",
            Device.encode(Device.create({
              key: { uniqueIdType: "platos", uniqueId },
              firstSeen: { seconds },
              lastSeen: { seconds },
            })),
          );
        for (const seconds of [20, 10, 30]) device("x", seconds);
        const show = () => all(world.api.devices.showDevice(Device.create()));
        const found = await until(async () => {
          const [one] = await show();
          return one?.lastSeen?.seconds === 30 && one;
        }, "the device is kept");
        assert.equal(found.firstSeen!.seconds, 10);
        assert.ok(world.log.records.some(({ message }) => message === "Device of a matching engine cannot be read"));
      } finally {
        await engine.stop();
      }
    },
  },
];
