import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  type App,
  AppInst,
  ClusterInst,
  type DeepPartial,
  ImageType,
  IpAccess,
  PlatformType,
} from "../../../../shared/schema/mod.ts";
import { putCloudlet } from "./fake_cloudlet.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, flavor, lines, until, World } from "./world.ts";

const FAKE = { organization: "Bayline Inc.", name: "Fake" };
const ZONE = "fake-baylineinc.eu.archipelago.localhost";

async function furnish(world: World, platformType: PlatformType): Promise<void> {
  await world.api.flavors.createFlavor(flavor());
  await putCloudlet(world, { key: FAKE, platformType });
  world.site(FAKE.name).start().ready();
}

function kubernetesApp(name: string, accessPorts: string, more: DeepPartial<App> = {}): App {
  return app({
    key: { organization: "AtlasWorks", name, version: "1.0" },
    accessPorts,
    deployment: "kubernetes",
    imageType: ImageType.IMAGE_TYPE_DOCKER,
    imagePath: "registry.example/echo:1",
    ...more,
  });
}

function of(name: string, cluster = "alpha", more: DeepPartial<AppInst> = {}): AppInst {
  const appKey = { organization: "AtlasWorks", name, version: "1.0" };
  return AppInst.create({
    key: { appKey, clusterInstKey: { clusterKey: { name: cluster }, cloudletKey: FAKE } },
    ...more,
  });
}

function cluster(more: DeepPartial<ClusterInst>): ClusterInst {
  const key = { clusterKey: { name: "alpha" }, cloudletKey: FAKE, organization: "AtlasWorks" };
  return ClusterInst.create({ key, flavor: { name: "small" }, deployment: "kubernetes", numNodes: 1, ...more });
}

async function shown(world: World, name: string): Promise<AppInst> {
  const key = { appKey: { organization: "AtlasWorks", name, version: "1.0" } };
  return (await all(world.api.instances.showAppInst(AppInst.create({ key }))))[0]!;
}

/** Under which names and ports clients reach instances. */
export const portCases: ApiCase[] = [
  {
    name: "on a cluster's own load balancer ports stay as they are, ranges too, and must not overlap",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world, PlatformType.PLATFORM_TYPE_FAKE);
      const { apps, instances } = world.api;
      await lines(world.api.clusters.createClusterInst(cluster({ ipAccess: IpAccess.IP_ACCESS_DEDICATED })));
      await apps.createApp(kubernetesApp("Range", "tcp:5000-5010,udp:54"));
      await apps.createApp(kubernetesApp("Clash", "tcp:5010"));
      await apps.createApp(kubernetesApp("Other", "udp:5000"));
      await lines(instances.createAppInst(of("Range")));
      const { uri, mappedPorts } = await shown(world, "Range");
      assert.equal(uri, `alpha-atlasworks.${ZONE}`);
      assert.deepEqual(mappedPorts.map((port) => [port.publicPort, port.endPort]), [[5000, 5010], [54, 0]]);
      await refused(
        lines(instances.createAppInst(of("Clash"))),
        Status.FAILED_PRECONDITION,
        /Port tcp:5010 conflicts with tcp:5000-5010 of another instance/,
      );
      await lines(instances.createAppInst(of("Other")));
      await lines(instances.deleteAppInst(of("Range")));
      await lines(instances.createAppInst(of("Clash")));
    },
  },
  {
    name: "on a shared load balancer ranges are refused, and apps with internal ports have no name",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world, PlatformType.PLATFORM_TYPE_FAKE);
      const { apps, instances } = world.api;
      await lines(world.api.clusters.createClusterInst(cluster({})));
      await apps.createApp(kubernetesApp("Range", "tcp:5000-5010"));
      await apps.createApp(kubernetesApp("Inner", "tcp:5000-5010", { internalPorts: true }));
      await refused(
        lines(instances.createAppInst(of("Range"))),
        Status.FAILED_PRECONDITION,
        /No port range can be given on a shared load balancer: tcp:5000-5010/,
      );
      await lines(instances.createAppInst(of("Inner")));
      assert.equal((await shown(world, "Inner")).uri, "");
    },
  },
  {
    name: "where each service has an address of its own, its name leads to its ports",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world, PlatformType.PLATFORM_TYPE_GCP);
      const { apps, instances } = world.api;
      await refused(
        lines(world.api.clusters.createClusterInst(cluster({ ipAccess: IpAccess.IP_ACCESS_SHARED, numNodes: 0 }))),
        Status.INVALID_ARGUMENT,
        /num_nodes must be at least 1 .*ip_access must be Dedicated/,
      );
      await lines(world.api.clusters.createClusterInst(cluster({})));
      const service = (name: string, protocol: string, port: number) =>
        `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec:\n  type: LoadBalancer\n` +
        `  ports: [{name: p, protocol: ${protocol}, port: ${port}}]\n`;
      const pods =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: echo}\nspec: {template: {spec: {containers: []}}}\n";
      const deploymentManifest = [service("web", "TCP", 443), service("game", "UDP", 7000), pods].join("---\n");
      await apps.createApp(kubernetesApp("Served", "tcp:443,udp:7000", { deploymentManifest }));
      await lines(instances.createAppInst(of("Served")));
      const { uri, mappedPorts } = await shown(world, "Served");
      assert.equal(uri, `served10-atlasworks.${ZONE}`);
      assert.deepEqual(mappedPorts.map((port) => [port.fqdnPrefix, port.publicPort]), [["web.", 443], ["game.", 7000]]);
    },
  },
  {
    name: "an instance gets an address of its own, and gives the shared ports back",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world, PlatformType.PLATFORM_TYPE_FAKE_SINGLE_CLUSTER);
      const { apps, instances } = world.api;
      await until(
        async () => (await all(world.api.clusters.showClusterInst(ClusterInst.create()))).length === 1,
        "the cluster is known",
      );
      for (const name of ["One", "Two"]) {
        await apps.createApp(kubernetesApp(name, "tcp:443", { allowServerless: true }));
      }
      await lines(instances.createAppInst(of("One", "")));
      assert.equal((await shown(world, "One")).uri, `shared.${ZONE}`);
      await lines(instances.updateAppInst(of("One", "", { dedicatedIp: true, fields: ["39"] })));
      assert.equal((await shown(world, "One")).uri, `one10-atlasworks.${ZONE}`);
      await lines(instances.createAppInst(of("Two", "")));
      assert.equal((await shown(world, "Two")).mappedPorts[0]!.publicPort, 443);
    },
  },
];
