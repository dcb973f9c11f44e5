import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInst,
  AppKind,
  ClusterInst,
  CRMOverride,
  type DeepPartial,
  PlatformType,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { FakeSite } from "./fake_site.ts";
import { type ApiCase, leftovers, refused } from "./support.ts";
import { all, app, cloudlet, flavor, lines, PLATFORM_ORG, until, World } from "./world.ts";

const S = TrackedState;
const CHAT = AppKind.keyString({ organization: "AtlasWorks", name: "Chat", version: "1" });
const DOCKS = { organization: "Bayline Inc.", name: "Docks" };

/** A cloudlet of docker clusters, and three apps of two organizations. */
async function furnishDocks(world: World): Promise<FakeSite> {
  for (const name of ["small", "large"]) await world.api.flavors.createFlavor(flavor(name));
  const site = world.site(DOCKS.name).start().ready();
  await lines(world.api.cloudlets.createCloudlet(cloudlet({
    key: DOCKS,
    platformType: PlatformType.PLATFORM_TYPE_DOCKER,
  })));
  for (const [organization, name] of [["AtlasWorks", "Web"], ["AtlasWorks", "Chat"], ["Briolette", "Lens"]] as const) {
    const key = { organization, name, version: "1" };
    await world.api.apps.createApp(app({ key, deployment: "docker", imagePath: "nginx", imageType: 0 }));
  }
  return site;
}

/** An instance of one of the apps in a cluster. */
function inCluster(
  organization: string,
  name: string,
  cluster: string,
  more: DeepPartial<AppInst> & { clusterOrg?: string } = {},
): AppInst {
  const { clusterOrg, ...rest } = more;
  return AppInst.create({
    key: {
      appKey: { organization, name, version: "1" },
      clusterInstKey: { clusterKey: { name: cluster }, cloudletKey: DOCKS, organization: clusterOrg ?? "" },
    },
    ...rest,
  });
}

async function clusters(world: World): Promise<[name: string, reservedBy: string][]> {
  return (await all(world.api.clusters.showClusterInst(ClusterInst.create())))
    .map(({ key, reservedBy }) => [key.clusterKey.name, reservedBy]);
}

/** How instances come to their clusters. */
export const clusterCases: ApiCase[] = [
  {
    name: "a cluster is made for an instance, lent again when it is free, and stays when the instance goes",
    async run(store) {
      await using world = await World.start({ store });
      await furnishDocks(world);
      const { instances } = world.api;
      const progress = await lines(instances.createAppInst(inCluster("AtlasWorks", "Web", "autocluster1")));
      assert.deepEqual(progress.slice(0, 3), [
        "Creating cluster instance reservable0",
        "Created cluster instance",
        "Creating app instance at shared.docks-baylineinc.eu.archipelago.localhost",
      ]);
      const [made] = await all(instances.showAppInst(AppInst.create()));
      assert.deepEqual([made!.realClusterName, made!.key.clusterInstKey.organization, made!.state], [
        "reservable0",
        PLATFORM_ORG,
        S.READY,
      ]);
      await lines(instances.createAppInst(inCluster("Briolette", "Lens", "autocluster")));
      assert.deepEqual(await clusters(world), [
        ["reservable0", "AtlasWorks"],
        ["reservable1", "Briolette"],
      ]);
      await lines(instances.deleteAppInst(inCluster("AtlasWorks", "Web", "autocluster1")));
      const [free] = await all(world.api.clusters.showClusterInst(ClusterInst.create()));
      assert.deepEqual([free!.reservedBy, free!.reservationEndedAt !== undefined, free!.auto], ["", true, true]);

      const flavored = inCluster("AtlasWorks", "Chat", "autocluster", { flavor: { name: "large" } });
      await lines(instances.createAppInst(flavored));
      await lines(instances.createAppInst(inCluster("AtlasWorks", "Web", "autocluster2")));
      assert.deepEqual(await clusters(world), [
        ["reservable0", "AtlasWorks"],
        ["reservable1", "Briolette"],
        ["reservable2", "AtlasWorks"],
      ], "only one of the same flavor is lent");
    },
  },
  {
    name: "two instances that ask at once get different clusters",
    async run(store) {
      await using world = await World.start({ store });
      await furnishDocks(world);
      await Promise.all(
        ["Web", "Chat"].map((name) =>
          lines(world.api.instances.createAppInst(inCluster("AtlasWorks", name, "autocluster")))
        ),
      );
      const made = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.deepEqual(made.map(({ realClusterName }) => realClusterName).sort(), ["reservable0", "reservable1"]);
    },
  },
  {
    name: "of two controllers that lend the last free cluster at once, one does, and the other makes a new one",
    async run(store) {
      await using world = await World.start({ store });
      await furnishDocks(world);
      await using other = await World.start({ store, parts: { id: "two" } });
      await lines(world.api.instances.createAppInst(inCluster("AtlasWorks", "Web", "autocluster")));
      await lines(world.api.instances.deleteAppInst(inCluster("AtlasWorks", "Web", "autocluster")));
      await until(() => other.controller.cache.get(AppKind, CHAT) !== undefined, "the other controller knows the app");
      await Promise.all([
        lines(world.api.instances.createAppInst(inCluster("AtlasWorks", "Chat", "autocluster"))),
        lines(other.api.instances.createAppInst(inCluster("Briolette", "Lens", "autocluster"))),
      ]);
      const made = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.deepEqual(made.map(({ realClusterName }) => realClusterName).sort(), ["reservable0", "reservable1"]);
      assert.deepEqual((await clusters(world)).map(([, by]) => by).sort(), ["AtlasWorks", "Briolette"]);
    },
  },
  {
    name: "a cluster that is named can be lent to one organization at a time, to all of its instances",
    async run(store) {
      await using world = await World.start({ store });
      await furnishDocks(world);
      const { instances } = world.api;
      const key = { clusterKey: { name: "pool-a" }, cloudletKey: DOCKS, organization: PLATFORM_ORG };
      const pool = ClusterInst.create({ key, flavor: { name: "small" }, reservable: true });
      await refused(
        lines(
          world.api.clusters.createClusterInst(
            ClusterInst.create({ ...pool, key: { ...key, organization: "AtlasWorks" } }),
          ),
        ),
        Status.INVALID_ARGUMENT,
        /^reservable is for clusters of organization edgecloudorg only/,
      );
      await lines(world.api.clusters.createClusterInst(pool));
      const ours = { clusterOrg: PLATFORM_ORG };
      const large = { ...ours, flavor: { name: "large" } };
      await refused(
        lines(instances.createAppInst(inCluster("AtlasWorks", "Web", "pool-a", large))),
        Status.FAILED_PRECONDITION,
        /is of flavor small, not large/,
      );
      await lines(instances.createAppInst(inCluster("AtlasWorks", "Web", "pool-a", ours)));
      await lines(instances.createAppInst(inCluster("AtlasWorks", "Chat", "pool-a", ours)));
      await refused(
        lines(instances.createAppInst(inCluster("Briolette", "Lens", "pool-a", ours))),
        Status.FAILED_PRECONDITION,
        /Cluster .*pool-a.* is reserved already/,
      );
      await lines(instances.deleteAppInst(inCluster("AtlasWorks", "Web", "pool-a", ours)));
      assert.deepEqual((await clusters(world))[0], ["pool-a", "AtlasWorks"]);
      await lines(instances.deleteAppInst(inCluster("AtlasWorks", "Chat", "pool-a", ours)));
      await lines(instances.createAppInst(inCluster("Briolette", "Lens", "pool-a", ours)));
      assert.deepEqual((await clusters(world))[0], ["pool-a", "Briolette"]);
    },
  },
  {
    name: "wishes for a cluster that cannot be are refused",
    async run(store) {
      await using world = await World.start({ store });
      await furnishDocks(world);
      const create = (instance: AppInst) => lines(world.api.instances.createAppInst(instance));
      await refused(
        create(inCluster("AtlasWorks", "Web", "autocluster", { clusterOrg: "AtlasWorks", realClusterName: "x" })),
        Status.INVALID_ARGUMENT,
        /real_cluster_name must be empty.*key.cluster_inst_key.organization must be edgecloudorg/,
      );
      await lines(world.api.clusters.createClusterInst(ClusterInst.create({
        key: { clusterKey: { name: "alpha" }, cloudletKey: DOCKS, organization: "AtlasWorks" },
        flavor: { name: "small" },
      })));
      await refused(
        create(inCluster("Briolette", "Lens", "alpha", { clusterOrg: "AtlasWorks" })),
        Status.FAILED_PRECONDITION,
        /belongs to another organization/,
      );
      // Both would be known by the same names.
      await lines(world.api.instances.createAppInst(inCluster("AtlasWorks", "Web", "alpha")));
      const twin = { organization: "AtlasWorks", name: "W_eb", version: "1" };
      await world.api.apps.createApp(app({ key: twin, deployment: "docker", imagePath: "nginx", imageType: 0 }));
      await lines(twinOf(world, twin));
      const other = { organization: "AtlasWorks", name: "W-eb", version: "1" };
      await world.api.apps.createApp(app({ key: other, deployment: "docker", imagePath: "nginx", imageType: 0 }));
      await refused(
        lines(twinOf(world, other)),
        Status.FAILED_PRECONDITION,
        /DNS names of the instance would be those of/,
      );
    },
  },
  {
    name:
      "a cluster made for an instance goes with it when the instance fails, and a cluster that fails takes it along",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnishDocks(world);
      const wish = inCluster("AtlasWorks", "Web", "autocluster");
      site.behaviour = { create: () => ({ errors: ["image not found"] }) };
      await refused(lines(world.api.instances.createAppInst(wish)), Status.UNKNOWN, /image not found/);
      assert.deepEqual(await clusters(world), []);
      site.behaviour = { createCluster: () => ({ errors: ["no room"] }) };
      await refused(lines(world.api.instances.createAppInst(wish)), Status.UNKNOWN, /^Encountered failures: no room$/);
      assert.deepEqual(await clusters(world), []);
      assert.deepEqual(await all(world.api.instances.showAppInst(AppInst.create())), []);
      assert.deepEqual(
        (await leftovers(store)).filter((key) => /ClusterRefs|Ports|AppInstId|ObjectDnsLabel/.test(key)),
        [],
      );
    },
  },
  {
    name: "overrides: without the site, against its errors, and on a site that never comes back",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnishDocks(world);
      const { instances } = world.api;
      const wish = (crmOverride: CRMOverride) => inCluster("AtlasWorks", "Web", "autocluster", { crmOverride });
      site.behaviour = {
        create: () => ({ errors: ["broken"] }),
        remove: () => ({ errors: ["stuck"] }),
      };
      let progress = await lines(instances.createAppInst(wish(CRMOverride.IGNORE_CRM_ERRORS)));
      assert.deepEqual(progress.slice(-2), ["Ignored: broken", "Created app instance, whatever its site says"]);
      assert.equal((await all(instances.showAppInst(AppInst.create())))[0]!.state, S.READY);
      progress = await lines(instances.deleteAppInst(wish(CRMOverride.IGNORE_CRM_ERRORS)));
      assert.deepEqual(progress.slice(-2), ["Ignored: stuck", "Deleted app instance, whatever its site says"]);

      await site.stop();
      const { IGNORE_CRM } = CRMOverride;
      progress = await lines(instances.createAppInst(wish(IGNORE_CRM)));
      assert.deepEqual(progress, ["Created app instance, without its site"]);
      const [made] = await all(instances.showAppInst(AppInst.create()));
      assert.deepEqual([made!.state, made!.mappedPorts[0]!.publicPort], [S.READY, 21_000]);
      const [lent] = await all(world.api.clusters.showClusterInst(ClusterInst.create()));
      assert.deepEqual([lent!.state, lent!.reservedBy], [S.READY, "AtlasWorks"]);
      await lines(instances.deleteAppInst(wish(IGNORE_CRM)));
      const cluster = ClusterInst.create({ key: lent!.key, crmOverride: IGNORE_CRM });
      await lines(world.api.clusters.deleteClusterInst(cluster));
      assert.deepEqual((await leftovers(store)).filter((key) => /Inst|ClusterRefs|Ports|ObjectDnsLabel/.test(key)), []);
    },
  },
  {
    name: "an instance whose deletion failed is made anew under its names",
    async run(store) {
      await using world = await World.start({ store, timeouts: { deleteAppInstMs: 100 } });
      const site = await furnishDocks(world);
      const wish = inCluster("AtlasWorks", "Web", "autocluster");
      const shown = async () => (await all(world.api.instances.showAppInst(AppInst.create())))[0]!;
      await lines(world.api.instances.createAppInst(wish));
      const made = await shown();
      site.behaviour = { remove: () => "working" };
      await lines(world.api.instances.deleteAppInst(wish));
      site.reportInstance(site.instances[0]!, S.DELETE_ERROR, { errors: ["device busy"] });
      await until(async () => (await shown()).state === S.DELETE_ERROR, "the deletion has failed");
      await lines(world.api.instances.createAppInst(wish));
      const [anew] = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.deepEqual([anew!.uniqueId, anew!.dnsLabel, anew!.mappedPorts], [
        made!.uniqueId,
        made!.dnsLabel,
        made!.mappedPorts,
      ]);
      const held = (await leftovers(store)).filter((key) => /AppInstId|ObjectDnsLabel/.test(key));
      assert.equal(held.length, 3, "an identifier, and labels of the instance and of its cluster");
    },
  },
];

function twinOf(world: World, appKey: AppInst["key"]["appKey"]) {
  return world.api.instances.createAppInst(AppInst.create({
    key: { appKey, clusterInstKey: { clusterKey: { name: "alpha" }, cloudletKey: DOCKS } },
  }));
}
