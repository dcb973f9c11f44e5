import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AlertPolicy,
  App,
  AppAlertPolicy,
  AppAutoProvPolicy,
  AppInst,
  AppKind,
  AutoProvPolicy,
  type Cloudlet,
  CloudletInfoKind,
  CloudletKind,
  DeleteType,
  DeploymentCloudletRequest,
  ImageType,
  PlatformType,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { type Store, transaction } from "../../../../shared/store/mod.ts";
import { AppSources, SourceHosts, SourceReader } from "../sources/mod.ts";
import { encodeObject } from "../state/rows.ts";
import { apps as fixtureApps, flavors as fixtureFlavors, imagePlaces } from "./fixture/mod.ts";
import { interruptedStore } from "./interrupted_store.ts";
import { type ApiCase, leftovers, refused } from "./support.ts";
import { all, app, cloudlet, flavor, furnish, instance, lines, until, World } from "./world.ts";

const POLICY = { organization: "AtlasWorks", name: "prov-a" };
export const EDGE = cloudlet().key;

/** An app that is a machine of its own, for sites of the fake platform. */
export function machine(more: Partial<App> = {}): App {
  return app({
    deployment: "vm",
    imageType: ImageType.IMAGE_TYPE_QCOW,
    imagePath: `https://images.example/echo.qcow2#md5:${"0".repeat(32)}`,
    ...more,
  });
}

/** Puts a cloudlet into the store, as no platform here takes part in trust or has machines. */
export async function putCloudlet(store: Store, made: Cloudlet): Promise<void> {
  const ready = { ...made, state: TrackedState.READY, dnsLabel: made.key.name.toLowerCase() };
  await transaction(store, (tx) => tx.put(CloudletKind.storeKey(made.key), encodeObject(CloudletKind, ready)));
}

/** Rules about apps. */
export const appCases: ApiCase[] = [
  {
    name: "the apps of the fixture are all taken, and shown as they are completed",
    async run(store) {
      const reader = new SourceReader(SourceHosts.parse("")!, fetch);
      const surroundings = { places: imagePlaces, sources: new AppSources(reader, undefined, "warn") };
      await using world = await World.start({ store, parts: { apps: surroundings } });
      const { flavors, apps, autoProv } = world.api;
      for (const one of Object.values(fixtureFlavors)) await flavors.createFlavor(one);
      for (const name of ["prov-a", "prov-b"]) {
        const key = { organization: "AtlasWorks", name };
        await autoProv.createAutoProvPolicy(AutoProvPolicy.create({ key, deployClientCount: 2 }));
      }
      for (const [id, one] of Object.entries(fixtureApps)) {
        const { message } = await apps.createApp(one);
        assert.equal(message, "Created app", id);
        const [shown] = await all(apps.showApp(App.create({ key: one.key })));
        assert.notEqual(shown!.imagePath, "", id);
        assert.equal(shown!.deploymentGenerator, one.deployment === "kubernetes" ? "kubernetes-basic" : "", id);
        // What was shown can be given back, and changes nothing.
        const fields = App.descriptor.fields.filter(({ rules }) =>
          rules.setBy === "CALLER" && !rules.fixed && !rules.modifier
        );
        const given = App.create({ ...shown!, fields: fields.map(({ number }) => String(number)) });
        await apps.updateApp(given);
        const [again] = await all(apps.showApp(App.create({ key: one.key })));
        assert.deepEqual(again, shown, id);
      }
      assert.deepEqual((await all(apps.showApp(fixtureApps.A0)))[0]!.serverlessConfig, {
        vcpus: "0.5",
        ram: 20,
        minReplicas: 1,
      });
      const withRally = await all(apps.showApp(App.create({ autoProvPolicies: ["prov-b"] })));
      assert.deepEqual(withRally.map(({ key }) => key), [fixtureApps.A11.key]);
    },
  },
  {
    name: "an app's ports and those of its instances agree, however updates and creations meet",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { apps, instances } = world.api;
      let refusals = 0;
      for (let round = 0; round < 12; round++) {
        const port = 9000 + round;
        const [updated, created] = await Promise.allSettled([
          apps.updateApp(app({ fields: ["7"], accessPorts: `tcp:${port}` })),
          lines(instances.createAppInst(instance())),
        ]);
        assert.equal(created.status, "fulfilled");
        const [shown] = await all(apps.showApp(app({ accessPorts: "" })));
        const [made] = await all(instances.showAppInst(instance()));
        const internal = made!.mappedPorts.map(({ internalPort }) => `tcp:${internalPort}`).join(",");
        assert.equal(internal, shown!.accessPorts);
        if (updated.status === "rejected") {
          refusals++;
          assert.match(String(updated.reason), /App in use by AppInst.*access_ports may not change/);
        }
        await lines(instances.deleteAppInst(instance()));
      }
      await lines(instances.createAppInst(instance()));
      await refused(
        apps.updateApp(app({ fields: ["7", "34"], accessPorts: "tcp:1", skipHcPorts: "all" })),
        Status.FAILED_PRECONDITION,
        /App in use by AppInst .*: meanwhile access_ports, skip_hc_ports may not change/,
      );
      assert.ok(refusals <= 12);
    },
  },
  {
    name: "an instance that comes between an update's reading and its writing freezes the app's ports",
    async run(store) {
      const disturbed = interruptedStore(store);
      await using world = await World.start({ store: disturbed.store });
      await furnish(world);
      const { apps, instances } = world.api;
      disturbed.before(AppKind.storeKey(app().key), async () => void await lines(instances.createAppInst(instance())));
      await refused(
        apps.updateApp(app({ fields: ["7"], accessPorts: "tcp:9090" })),
        Status.FAILED_PRECONDITION,
        /App in use by AppInst .*: meanwhile access_ports may not change/,
      );
      assert.equal((await all(apps.showApp(App.create())))[0]!.accessPorts, "tcp:8080");
      // And without an instance in between it works.
      await lines(instances.deleteAppInst(instance()));

      await apps.updateApp(app({ fields: ["7"], accessPorts: "tcp:9090" }));
    },
  },
  {
    name: "policies are added to an app and removed one by one, and are in use meanwhile",
    async run(store) {
      await using world = await World.start({ store });
      const { flavors, apps, autoProv, alertPolicies } = world.api;
      await flavors.createFlavor(flavor());
      await apps.createApp(app());
      const { revision } = (await all(apps.showApp(app())))[0]!;
      const prov = AppAutoProvPolicy.create({ appKey: app().key, autoProvPolicy: "prov-a" });
      const policy = AutoProvPolicy.create({ key: POLICY, deployClientCount: 2 });
      await refused(apps.addAppAutoProvPolicy(prov), Status.NOT_FOUND, /AutoProvPolicy key .*prov-a.* not found/);
      await autoProv.createAutoProvPolicy(policy);
      await apps.addAppAutoProvPolicy(prov);
      await refused(apps.addAppAutoProvPolicy(prov), Status.INVALID_ARGUMENT, /auto_prov_policy.*already/);
      await refused(autoProv.deleteAutoProvPolicy(policy), Status.FAILED_PRECONDITION, /in use by App/);
      const [shown] = await all(apps.showApp(App.create()));
      assert.deepEqual([shown!.autoProvPolicies, shown!.revision], [["prov-a"], revision]);
      await apps.removeAppAutoProvPolicy(prov);
      await apps.removeAppAutoProvPolicy(prov);
      await autoProv.deleteAutoProvPolicy(policy);

      const alert = AppAlertPolicy.create({ appKey: app().key, alertPolicy: "al1" });
      await refused(apps.addAppAlertPolicy(alert), Status.NOT_FOUND, /AlertPolicy key .*al1.* not found/);
      const key = { organization: "AtlasWorks", name: "al1" };
      await alertPolicies.createAlertPolicy(
        AlertPolicy.create({ key, cpuUtilizationLimit: 80, severity: "warning", triggerTime: 60e9 }),
      );
      await apps.addAppAlertPolicy(alert);
      await refused(alertPolicies.deleteAlertPolicy(AlertPolicy.create({ key })), Status.FAILED_PRECONDITION, /in use/);
      await apps.removeAppAlertPolicy(alert);
      await alertPolicies.deleteAlertPolicy(AlertPolicy.create({ key }));
      await refused(
        apps.addAppAlertPolicy(AppAlertPolicy.create({ appKey: { name: "x" } })),
        Status.INVALID_ARGUMENT,
        /app_key\.organization.*app_key\.version.*alert_policy/,
      );
    },
  },
  {
    name: "sidecars take their instances along, and go with their flavor",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { flavors, apps, cloudlets, instances } = world.api;
      await apps.deleteApp(app());
      await apps.createApp(app({ delOpt: DeleteType.AUTO_DELETE }));
      await lines(instances.createAppInst(instance()));
      await refused(flavors.deleteFlavor(flavor()), Status.FAILED_PRECONDITION, /Flavor in use by AppInst/);
      assert.equal((await all(apps.showApp(App.create()))).length, 1);
      await apps.deleteApp(app());
      assert.deepEqual(await all(instances.showAppInst(AppInst.create())), []);
      await apps.createApp(app({ delOpt: DeleteType.AUTO_DELETE }));
      await flavors.deleteFlavor(flavor());
      assert.deepEqual(await all(apps.showApp(App.create())), []);
      await lines(cloudlets.deleteCloudlet(cloudlet()));
      assert.deepEqual(await leftovers(store), []);
    },
  },
  {
    name: "cloudlets for an app are those with large enough machines, and on demand with enough left",
    async run(store) {
      await using world = await World.start({ store });
      const { flavors, apps } = world.api;
      await flavors.createFlavor(flavor());
      await flavors.createFlavor({ ...flavor("large"), ram: 8192, vcpus: 8 });
      const names = async (more: Partial<DeploymentCloudletRequest>, name = "small") => {
        const request = DeploymentCloudletRequest.create({ app: { defaultFlavor: { name } }, ...more });
        return (await all(apps.showCloudletsForAppDeployment(request))).map((key) => key.name);
      };
      await refused(names({ app: App.create() }), Status.INVALID_ARGUMENT, /app\.default_flavor\.name is required/);
      await refused(names({}, "none"), Status.NOT_FOUND, /Flavor key .*none.* not found/);
      assert.deepEqual(await names({}), []);
      for (const [name, ram] of [["Big", 16384], ["Little", 2048]] as const) {
        world.site(name).start().ready({
          flavors: [{ name: "f", vcpus: 4, ram, disk: 40 }],
          resourcesSnapshot: {
            info: [{ name: "RAM", infraMaxValue: 3 * 4096 }, { name: "vCPUs", infraMaxValue: 100 }, {
              name: "Disk",
              infraMaxValue: 10000,
            }],
          },
        });
        const key = { organization: "Bayline Inc.", name };
        await putCloudlet(store, cloudlet({ key, platformType: PlatformType.PLATFORM_TYPE_OPENSTACK, envVar: {} }));
      }
      await until(() => world.controller.cache.table(CloudletInfoKind).size === 2, "the sites have reported");
      assert.deepEqual(await names({}), ["Big", "Little"]);
      assert.deepEqual(await names({}, "large"), []);
      await refused(names({ dryRunDeploy: true }), Status.INVALID_ARGUMENT, /app\.deployment/);
      const kubernetes = App.create({ defaultFlavor: { name: "small" }, deployment: "kubernetes" });
      assert.deepEqual(await names({ dryRunDeploy: true, app: kubernetes }), ["Little"]);
      assert.deepEqual(await names({ dryRunDeploy: true, app: kubernetes, numNodes: 50 }), []);
    },
  },
];
