// Names of what has an address of its own, from the site that reports it to the records of DNS.
import assert from "node:assert/strict";
import { type DnsDriver, openDns } from "../../shared/dns/mod.ts";
import {
  App,
  AppInst,
  CloudletInfoKind,
  type CloudletKey,
  CloudletKind,
  ClusterInst,
  ImageType,
  IpAccess,
  PlatformType,
} from "../../shared/schema/mod.ts";
import type { Manager } from "../../tiers/cloudlet/crm/manager.ts";
import { flavors } from "../../tiers/regional/controller/testing/fixture/mod.ts";
import { all, cloudlet, lines, until, World } from "../../tiers/regional/controller/testing/world.ts";
import { startManager } from "./manager.ts";

const organization = "AtlasWorks";

interface Site {
  readonly world: World;
  readonly key: CloudletKey;
  /** Names and what they lead to. */
  records(): Promise<Record<string, string>>;
  /** Everything that was done to the records since the last question. */
  writes(): string[];
  restart(): Promise<void>;
}

/** A controller, and a site of the fake platform of an operator. */
function addressTest(name: string, operator: string, body: (site: Site) => Promise<void>): void {
  Deno.test({
    name: `fake site: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "fake-site-" });
      const dns = openDns("localhost:");
      const writes: string[] = [];
      const noted: DnsDriver = {
        ...dns,
        upsert(record) {
          writes.push(`${record.name} ${record.values}`);
          return dns.upsert(record);
        },
        delete(name) {
          writes.push(`${name} -`);
          return dns.delete(name);
        },
      };
      const world = await World.start({ parts: { dns: noted } });
      const key: CloudletKey = { organization: operator, name: "Edge", federatedOrganization: "" };
      let manager: Manager = startManager(world, folder, key);
      try {
        for (const flavor of Object.values(flavors)) await world.api.flavors.createFlavor(flavor);
        const platformType = PlatformType.PLATFORM_TYPE_FAKE;
        await lines(world.api.cloudlets.createCloudlet(cloudlet({ key, platformType, envVar: {} })));
        await body({
          world,
          key,
          records: async () =>
            Object.fromEntries(
              (await dns.list("localhost")).map(({ name, values }) => [name.split(".eu.")[0]!, values.join()]),
            ),
          writes: () => writes.splice(0),
          async restart() {
            await manager.close(false);
            manager = startManager(world, folder, key);
          },
        });
      } finally {
        await manager.close(false);
        await world[Symbol.asyncDispose]();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

function cluster(cloudletKey: CloudletKey, ipAccess: IpAccess, name: string): ClusterInst {
  return ClusterInst.create({
    key: { clusterKey: { name }, cloudletKey, organization },
    flavor: flavors.F1.key,
    numMasters: 1,
    numNodes: 1,
    ipAccess,
  });
}

function instance(cloudletKey: CloudletKey, name: string, clusterName: string): AppInst {
  return AppInst.create({
    key: {
      appKey: { organization, name, version: "1" },
      clusterInstKey: { clusterKey: { name: clusterName }, cloudletKey, organization },
    },
  });
}

const BOX = App.create({
  key: { organization, name: "Box", version: "1" },
  defaultFlavor: flavors.F0.key,
  accessPorts: "tcp:8080",
  deployment: "vm",
  imageType: ImageType.IMAGE_TYPE_QCOW,
  imagePath: `https://images.example.org/box.qcow2#md5:${"0".repeat(32)}`,
});

addressTest(
  "names of clusters and machines follow their addresses, through restarts and changes",
  "Bayline Inc.",
  async (site) => {
    const { world, key, records } = site;
    const { apps, clusters, instances, cloudlets } = world.api;
    const settled = (what: string, expected: Record<string, string>) =>
      until(
        async () =>
          JSON.stringify(Object.entries(await records()).sort()) === JSON.stringify(Object.entries(expected).sort()),
        what,
      );
    const [shared, alpha, box] = [
      "shared.edge-baylineinc",
      "alpha-atlasworks.edge-baylineinc",
      "box1-atlasworks.edge-baylineinc",
    ];

    await settled("the site's load balancer has its name", { [shared]: "127.1.0.1" });
    await lines(clusters.createClusterInst(cluster(key, IpAccess.IP_ACCESS_SHARED, "beta")));
    await lines(clusters.createClusterInst(cluster(key, IpAccess.IP_ACCESS_DEDICATED, "alpha")));
    await apps.createApp(BOX);
    await lines(instances.createAppInst(instance(key, "Box", "")));
    const first = { [shared]: "127.1.0.1", [alpha]: "127.1.0.2", [box]: "127.1.0.3" };
    await settled("what has an address of its own has its name", first);
    const [shownBox] = await all(instances.showAppInst(AppInst.create()));
    assert.deepEqual([shownBox!.address, shownBox!.uri.split(".eu.")[0]], ["127.1.0.3", box]);
    const shown = await all(clusters.showClusterInst(ClusterInst.create()));
    assert.deepEqual(shown.map(({ key, address }) => [key.clusterKey.name, address]).sort(), [["alpha", "127.1.0.2"], [
      "beta",
      "",
    ]]);

    // A resource manager that comes back adopts all of it, and nothing is written again.
    site.writes();
    const said = () => world.controller.cache.get(CloudletInfoKind, CloudletKind.keyString(key))!.notifyId;
    const before = said();
    await site.restart();
    await until(() => said() !== before, "it is back");
    await until(async () => (await all(instances.showAppInst(AppInst.create())))[0]!.healthCheck === 3, "all is well");
    assert.deepEqual(site.writes(), []);
    assert.deepEqual(await records(), first);

    // The infrastructure gives it other addresses.
    await lines(cloudlets.updateCloudlet(cloudlet({ key, fields: ["19"], envVar: { FAKE_ADDRESSES: "127.9.0.254" } })));
    await settled("names follow", { [shared]: "127.9.0.254", [alpha]: "127.9.0.255", [box]: "127.9.1.0" });
    await lines(cloudlets.updateCloudlet(cloudlet({ key, fields: ["19"], envVar: { PUBLIC_ADDRESS: "127.0.0.9" } })));
    await settled("the operator has the last word", { ...first, [shared]: "127.0.0.9" });

    await lines(instances.deleteAppInst(instance(key, "Box", "")));
    await settled("a name goes with its instance", { [shared]: "127.0.0.9", [alpha]: "127.1.0.2" });
    for (
      const [access, name] of [[IpAccess.IP_ACCESS_DEDICATED, "alpha"], [IpAccess.IP_ACCESS_SHARED, "beta"]] as const
    ) {
      await lines(clusters.deleteClusterInst(cluster(key, access, name)));
    }
    await settled("a name goes with its cluster", { [shared]: "127.0.0.9" });
  },
);

addressTest(
  "where each service has an address, the names of its ports lead there",
  "gcp",
  async ({ world, key, records, writes }) => {
    const { apps, clusters, instances } = world.api;
    await lines(
      clusters.createClusterInst(
        ClusterInst.create({ ...cluster(key, IpAccess.IP_ACCESS_DEDICATED, "alpha"), numMasters: 1 }),
      ),
    );
    await apps.createApp(App.create({
      key: { organization, name: "Web", version: "1" },
      defaultFlavor: flavors.F0.key,
      accessPorts: "tcp:8080,udp:9000",
      deployment: "kubernetes",
      imagePath: "docker.io/web:1",
    }));
    await lines(instances.createAppInst(instance(key, "Web", "alpha")));
    const [made] = await all(instances.showAppInst(AppInst.create()));
    assert.deepEqual(made!.internalPortToLbIp, { "tcp:8080": "127.1.0.3", "udp:9000": "127.1.0.3" });
    const names = [made!.uri, ...made!.mappedPorts.map(({ fqdnPrefix }) => fqdnPrefix + made!.uri)].map((name) =>
      name.split(".eu.")[0]!
    );
    assert.ok(names.some((name) => name.split(".").length === 3), "ports have names of their own");
    await until(async () => {
      const found = await records();
      return names.every((name) => found[name] === "127.1.0.3");
    }, "all names lead to the address");
    writes();
    await lines(instances.deleteAppInst(instance(key, "Web", "alpha")));
    await until(
      async () => Object.keys(await records()).every((name) => !names.includes(name)),
      "and go with the instance",
    );
  },
);
