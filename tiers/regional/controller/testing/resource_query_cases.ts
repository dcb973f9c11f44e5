import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInstRefs,
  Cloudlet,
  CloudletInfo,
  CloudletKey,
  CloudletProps,
  CloudletRefs,
  CloudletResMap,
  CloudletResourceQuotaProps,
  ClusterRefs,
  FlavorMatch,
  PlatformType,
  ResTagTable,
} from "../../../../shared/schema/mod.ts";
import { cloudletKeys, load, operators, tables } from "./fixture/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, furnish, instance, lines, World } from "./world.ts";

const NO_SITES = { createCloudletMs: 20 };

/** What is told of the resources of cloudlets. */
export const resourceQueryCases: ApiCase[] = [
  {
    name: "flavors find their sizes, as the tables that a cloudlet names say",
    async run(store) {
      await using world = await World.start({ store, timeouts: NO_SITES });
      await load(world, ["C0", "C1"]);
      const { cloudletResources: api, cloudlets, resTagTables, cloudletInfos } = world.api;
      const match = async (flavorName: string, key: CloudletKey = cloudletKeys.C0) =>
        (await api.findFlavorMatch(FlavorMatch.create({ key, flavorName }))).flavorName;
      assert.deepEqual([await match("s1.tiny"), await match("s1.large"), await match("s1.tiny.gpu")], [
        "tiny2",
        "large-pci",
        "large",
      ]);
      await refused(
        match("s1.large", cloudletKeys.C1),
        Status.FAILED_PRECONDITION,
        /no size of the site fits .*s1.large/,
      );
      await refused(match("s1.tiny.gpu", cloudletKeys.C1), Status.FAILED_PRECONDITION, /the site has no GPUs/);
      await refused(match("none"), Status.NOT_FOUND, /^Flavor key .*none.* not found$/);
      const offered = async (key: Partial<CloudletKey>) =>
        (await all(api.showFlavorsForCloudlet(CloudletKey.create(key)))).map(({ name }) => name);
      assert.deepEqual(
        await offered(cloudletKeys.C1),
        ["s1.small", "s1.tiny"],
      );
      assert.deepEqual(await offered({ organization: operators.bayline }), [
        "s1.large",
        "s1.medium",
        "s1.small",
        "s1.tiny",
        "s1.tiny.gpu",
      ]);

      const mapping = (map: Record<string, string>) => CloudletResMap.create({ key: cloudletKeys.C0, mapping: map });
      await api.addCloudletResMapping(mapping({ NAS: "nas" }));
      await refused(
        resTagTables.deleteResTagTable(ResTagTable.create(tables.nas)),
        Status.FAILED_PRECONDITION,
        /ResTagTable in use by Cloudlet/,
      );
      await refused(api.addCloudletResMapping(mapping({ gpu: "none" })), Status.NOT_FOUND, /ResTagTable key .*none/);
      await refused(api.addCloudletResMapping(mapping({ tpu: "gpu" })), Status.INVALID_ARGUMENT, /res_tag_map.tpu/);
      await api.removeCloudletResMapping(mapping({ nas: "", gpu: "" }));
      const [cloudlet] = await all(cloudlets.showCloudlet(Cloudlet.create({ key: cloudletKeys.C0 })));
      assert.deepEqual(cloudlet!.resTagMap, {});
      await refused(match("s1.tiny.gpu"), Status.FAILED_PRECONDITION, /the site has no GPUs/);
      await cloudletInfos.evictCloudletInfo(await infoOf(world));
      await refused(match("s1.tiny"), Status.NOT_FOUND, /^CloudletInfo key/);
    },
  },
  {
    name: "a platform's variables and quotas are told",
    async run(store) {
      await using world = await World.start({ store });
      const { cloudletResources: api } = world.api;
      const quotas = async (platformType: PlatformType) =>
        (await api.getCloudletResourceQuotaProps(CloudletResourceQuotaProps.create({ platformType }))).properties
          .map(({ name }) => name);
      const common = ["RAM", "vCPUs", "Disk", "GPUs", "External IPs"];
      assert.deepEqual(await quotas(PlatformType.PLATFORM_TYPE_FAKE), common);
      assert.deepEqual(await quotas(PlatformType.PLATFORM_TYPE_OPENSTACK), [...common, "Instances", "Floating IPs"]);
      const props = async (platformType: PlatformType) =>
        (await api.getCloudletProps(CloudletProps.create({ platformType }))).properties;
      const docker = await props(PlatformType.PLATFORM_TYPE_DOCKER);
      assert.equal(docker["DOCKER_HOST"]!.value, "unix:///var/run/docker.sock");
      assert.ok(Object.keys(await props(PlatformType.PLATFORM_TYPE_FAKE)).includes("FAKE_FLAVORS"));
      assert.deepEqual(await props(PlatformType.PLATFORM_TYPE_GCP), {});
    },
  },
  {
    name: "what refers to what can be shown: ports, clusters, instances, organizations",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { instances, appInstRefs, cloudletRefs, clusterRefs, cloudletResources } = world.api;
      await lines(instances.createAppInst(instance()));
      const [refs] = await all(cloudletRefs.showCloudletRefs(CloudletRefs.create()));
      assert.deepEqual(refs!.rootLbPorts, { "21000": 1 });
      const [app] = await all(appInstRefs.showAppInstRefs(AppInstRefs.create()));
      assert.deepEqual([Object.values(app!.insts), app!.deleteRequestedInsts], [[1], {}]);
      assert.deepEqual(await all(clusterRefs.showClusterRefs(ClusterRefs.create())), []);
      const organizations = await all(cloudletResources.getOrganizationsOnCloudlet(refs!.key));
      assert.deepEqual(organizations.map(({ name }) => name), ["AtlasWorks"]);
    },
  },
];

async function infoOf(world: World): Promise<CloudletInfo> {
  const [info] = await all(world.api.cloudletInfos.showCloudletInfo(CloudletInfo.create({ key: cloudletKeys.C0 })));
  return info!;
}
