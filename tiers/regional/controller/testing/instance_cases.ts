import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { AppInst, ClusterInst, dme, PlatformType, TrackedState } from "../../../../shared/schema/mod.ts";
import { type ApiCase, leftovers, refused, siteState } from "./support.ts";
import { all, app, cloudlet, cluster, flavor, furnish, instance, lines, until, World } from "./world.ts";

const S = TrackedState;
const H = dme.HealthCheck;

/** Rules about instances and clusters. */
export const instanceCases: ApiCase[] = [
  {
    name: "what callers may not set is ignored",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      await world.api.flavors.createFlavor({ ...flavor("x"), deletePrepare: true });
      const request = instance();
      Object.assign(request, {
        uri: "evil.example",
        state: S.READY,
        uniqueId: "mine",
        mappedPorts: [{ publicPort: 1 }],
      });
      await lines(world.api.instances.createAppInst(AppInst.create(request)));
      const [made] = await all(world.api.instances.showAppInst(instance()));
      assert.equal(made!.uri, "shared.edge-baylineinc.eu.archipelago.localhost");
      assert.equal(made!.uniqueId, "atlasworksecho10-edge-baylineinc");
      assert.equal((await all(world.api.flavors.showFlavor(flavor("x"))))[0]!.deletePrepare, false);
    },
  },
  {
    name: "an instance is created and deleted through its site, with progress, name and ports",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      const { instances } = world.api;
      assert.deepEqual(site.apps, [], "a site sees no app that it does not run");
      const progress = await lines(instances.createAppInst(instance()));
      assert.deepEqual(progress, [
        "Creating app instance at shared.edge-baylineinc.eu.archipelago.localhost",
        "Fetching image",
        "Starting",
        "Created app instance",
      ]);
      const [made] = await all(instances.showAppInst(AppInst.create()));
      assert.deepEqual([made!.state, made!.healthCheck, made!.flavor.name], [S.READY, H.HEALTH_CHECK_OK, "small"]);
      assert.equal(made!.dnsLabel, "echo10-atlasworks");
      assert.deepEqual(made!.mappedPorts.map((port) => [port.internalPort, port.publicPort]), [[8080, 21000]]);
      assert.equal(made!.cloudletLoc!.latitude, 52.5);
      assert.equal(made!.key.clusterInstKey.clusterKey.name, "defaultclust");
      assert.equal(site.apps.length, 1);
      await refused(lines(instances.createAppInst(instance())), Status.ALREADY_EXISTS, /AppInst key .* already exists/);
      await refused(
        lines(world.api.cloudlets.deleteCloudlet(cloudlet())),
        Status.FAILED_PRECONDITION,
        /in use by AppInst/,
      );
      await refused(world.api.apps.deleteApp(app()), Status.FAILED_PRECONDITION, /App in use by AppInst/);

      assert.deepEqual(await lines(instances.deleteAppInst(instance())), ["Deleted app instance"]);
      await until(() => site.apps.length === 0, "the site no longer sees the app");
      await refused(lines(instances.deleteAppInst(instance())), Status.NOT_FOUND, /AppInst key .* not found/);
      await world.api.apps.deleteApp(app());
      await lines(world.api.cloudlets.deleteCloudlet(cloudlet()));
      await world.api.flavors.deleteFlavor(flavor());
      assert.deepEqual(await leftovers(store), []);
    },
  },
  {
    name: "instances of many apps share a site's ports without sharing one, also when created at once",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const count = 10;
      const keys = Array.from(
        { length: count },
        (_, i) => ({ organization: "AtlasWorks", name: `A${i}`, version: "1" }),
      );
      for (const key of keys) await world.api.apps.createApp(app({ key }));
      await Promise.all(keys.map((appKey) => lines(world.api.instances.createAppInst(instance({ appKey })))));
      const made = await all(world.api.instances.showAppInst(AppInst.create()));
      const ports = new Set(made.map(({ mappedPorts }) => mappedPorts[0]!.publicPort));
      assert.equal(ports.size, count);
      assert.deepEqual([Math.min(...ports), Math.max(...ports)], [21_000, 21_009]);
      await refused(
        lines(world.api.instances.createAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /no free public port/,
      );
      await lines(world.api.instances.deleteAppInst(instance({ appKey: keys[3] })));
      await lines(world.api.instances.createAppInst(instance()));
    },
  },
  {
    name: "an instance that its site cannot make is removed, and the caller learns why",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      site.behaviour = { create: () => ({ errors: ["image not found", "gave up"] }) };
      await refused(
        lines(world.api.instances.createAppInst(instance())),
        Status.UNKNOWN,
        /^Encountered failures: image not found; gave up$/,
      );
      assert.deepEqual(await all(world.api.instances.showAppInst(AppInst.create())), []);
      site.behaviour = {};
      await lines(world.api.instances.createAppInst(instance()));
    },
  },
  {
    name: "an instance that its site cannot delete is as before, and can be deleted later",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      await lines(world.api.instances.createAppInst(instance()));
      site.behaviour = { remove: () => ({ errors: ["device busy"] }) };
      await refused(lines(world.api.instances.deleteAppInst(instance())), Status.UNKNOWN, /device busy/);
      assert.equal((await all(world.api.instances.showAppInst(AppInst.create())))[0]!.state, S.READY);
      site.behaviour = {};
      await lines(world.api.instances.deleteAppInst(instance()));
    },
  },
  {
    name: "a site that never begins times the call out, and one that is at work does not",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createAppInstMs: 150, deleteAppInstMs: 150 } });
      const site = await furnish(world);
      site.behaviour = { create: () => "silent" };
      await refused(lines(world.api.instances.createAppInst(instance())), Status.DEADLINE_EXCEEDED, /^Timed out/);
      assert.deepEqual(await all(world.api.instances.showAppInst(AppInst.create())), []);

      site.behaviour = { create: () => "working", remove: () => "working" };
      let results = await all(world.api.instances.createAppInst(instance()));
      assert.deepEqual([results.at(-1)!.message.includes("still creating"), results.at(-1)!.code], [true, 2]);
      const key = site.instances[0]!;
      site.reportInstance(key, S.READY);
      await until(
        async () => (await all(world.api.instances.showAppInst(AppInst.create())))[0]!.state === S.READY,
        "the site is done",
      );

      results = await all(world.api.instances.deleteAppInst(instance()));
      assert.equal(results.at(-1)!.code, 2);
      site.reportInstance(key, S.DELETE_DONE);
      await until(
        async () => (await all(world.api.instances.showAppInst(AppInst.create()))).length === 0,
        "the site has deleted it",
      );
    },
  },
  {
    name: "one operation at a time, which goes on when its caller hangs up",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      site.behaviour = { create: () => "working" };
      const hangUp = new AbortController();
      const creating = lines(world.api.instances.createAppInst(instance(), { signal: hangUp.signal }));
      const key = await until(() => site.instances[0], "the site has the instance");
      await refused(
        lines(world.api.instances.createAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /^An action is already in progress for the object: AppInst {/,
      );
      await refused(
        lines(world.api.instances.deleteAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /An action is already in progress for the object.*busy, cannot be deleted/,
      );
      hangUp.abort();
      await assert.rejects(creating);
      site.reportInstance(key, S.CREATE_ERROR, { errors: ["no"] });
      await until(
        async () => (await all(world.api.instances.showAppInst(AppInst.create()))).length === 0,
        "the failed instance is removed",
      );
      site.behaviour = {};
      await until(async () => {
        try {
          return await lines(world.api.instances.createAppInst(instance()));
        } catch (error) {
          assert.match((error as Error).message, /already in progress/);
          return undefined;
        }
      }, "the operation has ended");
    },
  },
  {
    name: "health goes from the site to the instance, and the site's own end too",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      await lines(world.api.instances.createAppInst(instance()));
      const health = async () => (await all(world.api.instances.showAppInst(AppInst.create())))[0]!.healthCheck;
      const key = site.instances[0]!;
      site.reportInstance(key, S.READY, { healthCheck: H.HEALTH_CHECK_SERVER_FAIL });
      await until(async () => await health() === H.HEALTH_CHECK_SERVER_FAIL, "the instance is ill");
      site.reportInstance(key, S.READY, { healthCheck: H.HEALTH_CHECK_OK });
      await until(async () => await health() === H.HEALTH_CHECK_OK, "the instance is well");

      await site.stop();
      await until(
        async () => await siteState(world) === dme.CloudletState.CLOUDLET_STATE_OFFLINE,
        "the site is offline",
      );
      await until(async () => await health() === H.HEALTH_CHECK_CLOUDLET_OFFLINE, "so is the instance");
      await refused(
        lines(world.api.instances.deleteAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /Cloudlet .* is not ready: its state is Offline/,
      );
      const again = world.site().start().ready();
      again.reportInstance(key, S.READY, { healthCheck: H.HEALTH_CHECK_OK });
      await until(async () => await siteState(world) === dme.CloudletState.CLOUDLET_STATE_READY, "the site is back");
      await until(async () => await health() === H.HEALTH_CHECK_OK, "so is the instance");
    },
  },
  {
    name: "a site sees its own cloudlet's objects and no other's",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      const other = world.site("Other").start().ready();
      await lines(world.api.cloudlets.createCloudlet(
        cloudlet({ key: { organization: "Bayline Inc.", name: "Other" } }),
      ));
      await lines(world.api.instances.createAppInst(instance()));
      await other.client.whenInStep();
      await site.client.whenInStep();
      assert.equal(site.instances.length, 1);
      assert.deepEqual([other.instances, other.apps], [[], []]);
      assert.deepEqual([...other.client.replica("Cloudlet").keys()], [other.key]);
      assert.equal(other.client.replica("Flavor").size, 1);
    },
  },
  {
    name: "a docker app needs a cluster of its own organization on a docker cloudlet",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { clusters, instances, apps, cloudlets } = world.api;
      const docker = { organization: "Bayline Inc.", name: "Docks" };
      world.site("Docks").start().ready();
      await lines(cloudlets.createCloudlet(cloudlet({ key: docker, platformType: PlatformType.PLATFORM_TYPE_DOCKER })));
      const appKey = { organization: "AtlasWorks", name: "Web", version: "1" };
      await apps.createApp(app({ key: appKey, deployment: "docker", imagePath: "nginx", imageType: 0 }));
      const at = (cloudletKey: { organization: string; name: string }, name: string) =>
        AppInst.create({ key: { appKey, clusterInstKey: { clusterKey: { name }, cloudletKey } } });

      await refused(lines(instances.createAppInst(at(docker, ""))), Status.INVALID_ARGUMENT, /must name a cluster/);
      await refused(
        lines(instances.createAppInst(at(docker, "alpha"))),
        Status.NOT_FOUND,
        /ClusterInst key .* not found/,
      );
      const edge = { organization: "Bayline Inc.", name: "Edge" };
      await refused(
        lines(instances.createAppInst(at(edge, "alpha"))),
        Status.INVALID_ARGUMENT,
        /cannot run on platform Process/,
      );
      await refused(
        lines(clusters.createClusterInst(cluster("Edge"))),
        Status.INVALID_ARGUMENT,
        /Process has no clusters/,
      );

      assert.deepEqual(await lines(clusters.createClusterInst(cluster("Docks"))), ["Created cluster instance"]);
      const [made] = await all(clusters.showClusterInst(ClusterInst.create()));
      assert.deepEqual([made!.state, made!.dnsLabel], [S.READY, "alpha-atlasworks"]);
      await lines(instances.createAppInst(at(docker, "alpha")));
      await refused(
        lines(clusters.deleteClusterInst(cluster("Docks"))),
        Status.FAILED_PRECONDITION,
        /ClusterInst in use by AppInst/,
      );
      await lines(instances.deleteAppInst(at(docker, "alpha")));
      assert.deepEqual(await lines(clusters.deleteClusterInst(cluster("Docks"))), ["Deleted cluster instance"]);
      assert.deepEqual(await all(clusters.showClusterInst(ClusterInst.create())), []);
    },
  },
];
