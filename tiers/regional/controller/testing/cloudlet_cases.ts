import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { AppInst, Cloudlet, CloudletInfo, dme, TrackedState } from "../../../../shared/schema/mod.ts";
import { type ApiCase, leftovers, one, refused } from "./support.ts";
import { all, cloudlet, furnish, instance, lines, until, World } from "./world.ts";

const S = TrackedState;

/** Rules about cloudlets and their sites. */
export const cloudletCases: ApiCase[] = [
  {
    name: "a cloudlet is created when its site is ready, and shows what the site reports",
    async run(store) {
      await using world = await World.start({ store });
      const { cloudlets, cloudletInfos } = world.api;
      const creating = lines(cloudlets.createCloudlet(cloudlet()));
      const [made] = await until(
        async () =>
          (await all(cloudlets.showCloudlet(Cloudlet.create()))).length > 0 &&
          await all(cloudlets.showCloudlet(Cloudlet.create())),
        "the cloudlet is there",
      );
      assert.equal(made!.state, S.CREATING);
      assert.equal(made!.rootLbFqdn, "shared.edge-baylineinc.eu.archipelago.localhost");
      const site = world.site().start();
      site.report(dme.CloudletState.CLOUDLET_STATE_INIT);
      await until(async () => (await one(world)).state === S.CRM_INITOK, "the site may go on");
      site.ready();
      assert.deepEqual(await creating, ["Waiting for the cloudlet's resource manager", "Created cloudlet"]);
      const [info] = await all(cloudletInfos.showCloudletInfo(CloudletInfo.create()));
      assert.deepEqual([info!.state, info!.controller, info!.containerVersion], [
        dme.CloudletState.CLOUDLET_STATE_READY,
        "one",
        "1.0",
      ]);
      assert.equal((await one(world)).containerVersion, "1.0");
      await refused(
        lines(cloudlets.createCloudlet(cloudlet())),
        Status.ALREADY_EXISTS,
        /Cloudlet key .* already exists/,
      );

      await lines(cloudlets.updateCloudlet(cloudlet({ fields: ["5.1"], location: { latitude: 1, longitude: 0 } })));
      assert.equal((await one(world)).location!.latitude, 1);
      await refused(
        lines(cloudlets.updateCloudlet(cloudlet({ fields: ["15"] }))),
        Status.INVALID_ARGUMENT,
        /platform_type.*creation/,
      );
      assert.deepEqual(await lines(cloudlets.deleteCloudlet(cloudlet())), ["Deleted cloudlet"]);
      assert.deepEqual(await all(cloudletInfos.showCloudletInfo(CloudletInfo.create())), []);
      assert.deepEqual(await lines(cloudlets.createCloudlet(cloudlet())), [
        "Waiting for the cloudlet's resource manager",
        "Created cloudlet",
      ], "a site that is still connected serves the cloudlet that takes the old one's place");
    },
  },
  {
    name: "a cloudlet whose variables change is updated when its site has come up with them",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      const { cloudlets, instances } = world.api;
      const variables = (range: string) => cloudlet({ fields: ["19"], envVar: { PUBLIC_PORT_RANGE: range } });
      assert.deepEqual(await lines(cloudlets.updateCloudlet(variables("22000-22009"))), ["Updated cloudlet"]);
      await lines(instances.createAppInst(instance()));
      const [made] = await all(instances.showAppInst(AppInst.create()));
      assert.equal(made!.mappedPorts[0]!.publicPort, 22_000);

      site.behaviour = { upgrade: () => ["no such thing"] };
      await refused(lines(cloudlets.updateCloudlet(variables("23000-23009"))), Status.UNKNOWN, /no such thing/);
      assert.equal((await one(world)).state, S.UPDATE_ERROR);
      await refused(
        lines(instances.deleteAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /not ready: its last upgrade failed/,
      );
      site.behaviour = {};
      site.ready();
      await until(async () => (await one(world)).state === S.READY, "the site has come up after all");
      await refused(
        lines(cloudlets.updateCloudlet(variables("23009-23000"))),
        Status.INVALID_ARGUMENT,
        /PUBLIC_PORT_RANGE/,
      );
    },
  },
  {
    name: "a site that fails while its cloudlet is created fails the call, and the cloudlet goes",
    async run(store) {
      await using world = await World.start({ store });
      world.site().start().report(dme.CloudletState.CLOUDLET_STATE_ERRORS, { errors: ["no engine"] });
      await refused(
        lines(world.api.cloudlets.createCloudlet(cloudlet())),
        Status.UNKNOWN,
        /^Encountered failures: no engine$/,
      );
      assert.deepEqual(await all(world.api.cloudlets.showCloudlet(Cloudlet.create())), []);
      assert.deepEqual(await leftovers(store), []);
    },
  },
  {
    name: "a cloudlet whose site does not come stays, and the call says so",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createCloudletMs: 100 } });
      const results = await all(world.api.cloudlets.createCloudlet(cloudlet()));
      assert.equal(results.at(-1)!.code, 2);
      assert.equal((await one(world)).state, S.CREATING);
      world.site().start().ready();
      await until(async () => (await one(world)).state === S.READY, "the site is ready");
    },
  },
  {
    name: "a site's report can be injected and evicted as if the site had sent or taken back it",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createCloudletMs: 50 } });
      const { cloudlets, cloudletInfos } = world.api;
      const report = CloudletInfo.create({
        key: { organization: "Bayline Inc.", name: "Edge" },
        state: dme.CloudletState.CLOUDLET_STATE_READY,
        containerVersion: "7",
        flavors: [{ name: "m1", vcpus: 2, ram: 2048, disk: 20, propMap: { pci: "t4:1" } }],
        resourcesSnapshot: { info: [{ name: "RAM", value: 1, infraMaxValue: 4096 }] },
      });
      await refused(cloudletInfos.injectCloudletInfo(report), Status.NOT_FOUND, /^Cloudlet key .* not found$/);
      await lines(cloudlets.createCloudlet(cloudlet()));
      await cloudletInfos.injectCloudletInfo(report);
      const cloudletNow = await one(world);
      assert.deepEqual([cloudletNow.state, cloudletNow.containerVersion], [S.READY, "7"]);
      const [info] = await all(cloudletInfos.showCloudletInfo(CloudletInfo.create()));
      assert.deepEqual([info!.flavors, info!.resourcesSnapshot?.info[0]?.infraMaxValue, info!.controller], [
        report.flavors,
        4096,
        "",
      ]);
      await cloudletInfos.evictCloudletInfo(report);
      assert.deepEqual(await all(cloudletInfos.showCloudletInfo(CloudletInfo.create())), []);
      await refused(cloudletInfos.evictCloudletInfo(report), Status.NOT_FOUND, /^CloudletInfo key .* not found$/);
    },
  },
];
