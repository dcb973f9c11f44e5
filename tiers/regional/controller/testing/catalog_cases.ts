import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { App, AppInst, Cloudlet, Flavor } from "../../../../shared/schema/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, flavor, furnish, instance, lines, World } from "./world.ts";

/** Rules about flavors and apps. */
export const catalogCases: ApiCase[] = [
  {
    name: "objects are created once, shown by example, and deleted when nothing refers to them",
    async run(store) {
      await using world = await World.start({ store });
      const { flavors, apps } = world.api;
      await flavors.createFlavor(flavor());
      await flavors.createFlavor(flavor("large"));
      await refused(
        flavors.createFlavor(flavor()),
        Status.ALREADY_EXISTS,
        /^Flavor key {"name":"small"} already exists$/,
      );
      assert.deepEqual((await all(flavors.showFlavor(Flavor.create()))).map(({ key }) => key.name), ["large", "small"]);
      assert.equal((await all(flavors.showFlavor(Flavor.create({ key: { name: "large" } })))).length, 1);
      assert.equal((await all(flavors.showFlavor(Flavor.create({ ram: 7 })))).length, 0);

      await apps.createApp(app());
      const [stored] = await all(apps.showApp(App.create()));
      assert.match(stored!.revision, /^\d{4}-\d\d-\d\dT\d{6}$/);
      assert.ok(stored!.createdAt!.seconds > 0);
      await refused(
        flavors.deleteFlavor(flavor()),
        Status.FAILED_PRECONDITION,
        /Flavor in use by App {"organization":"AtlasWorks","name":"Echo","version":"1.0"}/,
      );
      assert.equal((await all(flavors.showFlavor(flavor())))[0]!.deletePrepare, false);
      await apps.deleteApp(app());
      await flavors.deleteFlavor(flavor());
      await refused(flavors.deleteFlavor(flavor()), Status.NOT_FOUND, /^Flavor key {"name":"small"} not found$/);
      await refused(apps.createApp(app()), Status.NOT_FOUND, /Flavor key .*small.* not found/);
    },
  },
  {
    name: "all faults of a request are reported together, and nothing changes",
    async run(store) {
      await using world = await World.start({ store });
      const { revision } = await store.get("any");
      const error = await refused(
        world.api.apps.createApp(app({
          key: { organization: "", name: "a/b", version: "1" },
          accessPorts: "tcp:22,icmp:1",
          deployment: "heroku",
          defaultFlavor: { name: "" },
        })),
        Status.INVALID_ARGUMENT,
        /key\.organization/,
      );
      for (
        const part of [
          /key\.name/,
          /tcp:22/,
          /icmp/,
          /deployment/,
          /default_flavor/,
          /kubernetes, helm, docker, vm, process/,
        ]
      ) {
        assert.match(error.message, part);
      }
      await refused(
        world.api.flavors.createFlavor(Flavor.create({ key: { name: "x" } })),
        Status.INVALID_ARGUMENT,
        /ram.*vcpus.*disk/,
      );
      await refused(lines(world.api.cloudlets.createCloudlet(Cloudlet.create())), Status.INVALID_ARGUMENT, /location/);
      await refused(lines(world.api.instances.deleteAppInst(AppInst.create())), Status.INVALID_ARGUMENT, /app_key/);
      assert.equal((await store.scan("/v1/App/")).entries.length + (await store.scan("/v1/Flavor/")).entries.length, 0);
      assert.ok((await store.get("any")).revision - revision <= 1, "nothing but signs of life is written");
    },
  },
  {
    name: "an app is updated by mask, except for what its instances depend on",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { apps, instances } = world.api;
      const [before] = await all(apps.showApp(App.create()));
      await apps.updateApp(app({ fields: ["7", "9.1"], accessPorts: "tcp:9090", defaultFlavor: { name: "small" } }));
      let [now] = await all(apps.showApp(App.create()));
      assert.deepEqual([now!.accessPorts, now!.imagePath], ["tcp:9090", before!.imagePath]);
      await apps.updateApp(app({ fields: ["24"], revision: "r7" }));
      await apps.updateApp(app({ fields: ["24"], revision: "r7" }));
      await refused(apps.updateApp(app()), Status.INVALID_ARGUMENT, /what to update/);
      await refused(apps.updateApp(app({ fields: ["35"] })), Status.INVALID_ARGUMENT, /created_at/);
      await refused(apps.updateApp(app({ fields: ["7"], accessPorts: "tcp:22" })), Status.INVALID_ARGUMENT, /tcp:22/);
      await refused(
        apps.updateApp(app({ fields: ["9.1"], defaultFlavor: { name: "none" } })),
        Status.NOT_FOUND,
        /Flavor key {"name":"none"} not found/,
      );
      await lines(instances.createAppInst(instance()));
      await refused(
        apps.updateApp(app({ fields: ["7"], accessPorts: "tcp:1" })),
        Status.FAILED_PRECONDITION,
        /App in use by AppInst/,
      );
      await apps.updateApp(app({ fields: ["4"], imagePath: "/srv/new.ts" }));
      [now] = await all(apps.showApp(App.create()));
      assert.equal(now!.imagePath, "/srv/new.ts");
      assert.notEqual(now!.revision, "r7");
    },
  },
  {
    name: "an Android package name belongs to one app and all its versions",
    async run(store) {
      await using world = await World.start({ store });
      const { apps, flavors } = world.api;
      await flavors.createFlavor(flavor());
      const named = (name: string, version: string) =>
        app({ key: { organization: "AtlasWorks", name, version }, androidPackageName: "com.example.echo" });
      await apps.createApp(named("Echo", "1"));
      await apps.createApp(named("Echo", "2"));
      await refused(apps.createApp(named("Other", "1")), Status.INVALID_ARGUMENT, /android_package_name.*taken/);
      await apps.deleteApp(named("Echo", "1"));
      await refused(apps.createApp(named("Other", "1")), Status.INVALID_ARGUMENT, /taken/);
      await apps.deleteApp(named("Echo", "2"));
      await apps.createApp(named("Other", "1"));
    },
  },
  {
    name: "a new reference and the deletion of its target never both succeed",
    async run(store) {
      await using world = await World.start({ store });
      const { flavors, apps } = world.api;
      for (let round = 0; round < 10; round++) {
        await flavors.createFlavor(flavor());
        const [created, deleted] = await Promise.allSettled([apps.createApp(app()), flavors.deleteFlavor(flavor())]);
        assert.ok(created.status !== deleted.status || created.status === "rejected", "at most one succeeds");
        const left = await all(flavors.showFlavor(Flavor.create()));
        if (created.status === "fulfilled") {
          assert.equal(left.length, 1);
          assert.equal(left[0]!.deletePrepare, false);
          await apps.deleteApp(app());
        }
        if (left.length > 0) await flavors.deleteFlavor(flavor());
      }
    },
  },
];
