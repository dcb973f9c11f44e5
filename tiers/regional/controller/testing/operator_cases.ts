import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  App,
  CloudletPool,
  CloudletPoolMember,
  DeleteType,
  Flavor,
  FlowRateLimitAlgorithm,
  FlowRateLimitSettings,
  MaxReqsRateLimitAlgorithm,
  MaxReqsRateLimitSettings,
  Network,
  NetworkConnectionType,
  OperatorCode,
  Organization,
  RateLimitSettings,
  RateLimitTarget,
  ResTagTable,
  ResTagTableKey,
  Settings,
  TrustPolicyException,
} from "../../../../shared/schema/mod.ts";
import type { Store } from "../../../../shared/store/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, cloudlet, flavor, lines, World } from "./world.ts";

const OPERATOR = "Bayline Inc.";

/** A world in which cloudlets need not come up. */
async function start(store: Store, ...cloudlets: string[]): Promise<World> {
  const world = await World.start({ store, timeouts: { createCloudletMs: 1 } });
  for (const name of cloudlets) {
    const ports = `${21000 + cloudlets.indexOf(name) * 100}-${21099 + cloudlets.indexOf(name) * 100}`;
    await lines(world.api.cloudlets.createCloudlet(
      cloudlet({ key: { organization: OPERATOR, name }, envVar: { PUBLIC_PORT_RANGE: ports } }),
    ));
  }
  return world;
}

/** Rules about flavors' further resources and what operators define. */
export const operatorCases: ApiCase[] = [
  {
    name: "flavors: further resources are added and removed, the sizes never change",
    async run(store) {
      await using world = await start(store);
      const { flavors } = world.api;
      const withGpu = (optResMap: Record<string, string>) => Flavor.create({ ...flavor(), optResMap });
      const error = await refused(
        flavors.createFlavor(withGpu({ gpu: "gpu", nas: "nas:1", disk: "disk:1" })),
        Status.INVALID_ARGUMENT,
        /opt_res_map\.gpu.*KIND:COUNT/,
      );
      assert.match(error.message, /opt_res_map\.nas.*added later/);
      assert.match(error.message, /opt_res_map\.disk.*one of gpu, nas, nic/);
      for (const bad of ["gpu:0", "gpu:x", ":1", "gpu:a:b:1", "gpu:1:"]) {
        await refused(flavors.createFlavor(withGpu({ gpu: bad })), Status.INVALID_ARGUMENT, /opt_res_map\.gpu/);
      }
      await flavors.createFlavor(withGpu({ gpu: "vgpu:nvidia-63:2" }));
      await flavors.addFlavorRes(withGpu({ nas: "nas:1", gpu: "pci:1" }));
      const optional = async () => (await all(flavors.showFlavor(Flavor.create())))[0]!.optResMap;
      assert.deepEqual(await optional(), { gpu: "pci:1", nas: "nas:1" });
      await refused(flavors.addFlavorRes(withGpu({ ram: "ram:1" })), Status.INVALID_ARGUMENT, /opt_res_map\.ram/);
      await flavors.removeFlavorRes(withGpu({ gpu: "", nic: "" }));
      assert.deepEqual(await optional(), { nas: "nas:1" });
      await refused(flavors.updateFlavor({ ...flavor(), fields: ["3"] }), Status.UNIMPLEMENTED, /create another one/);
      await refused(flavors.addFlavorRes(flavor("none")), Status.NOT_FOUND, /Flavor key {"name":"none"} not found/);
    },
  },
  {
    name: "a flavor stays when something keeps one of the apps that would go with it",
    async run(store) {
      await using world = await start(store);
      const { flavors, apps, exceptions, pools } = world.api;
      const sidecar = app({
        key: { organization: "AtlasWorks", name: "Sidecar", version: "1" },
        delOpt: DeleteType.AUTO_DELETE,
        trusted: true,
      });
      const pool = CloudletPool.create({ key: { organization: OPERATOR, name: "pool" } });
      const exception = TrustPolicyException.create({
        key: { appKey: sidecar.key, cloudletPoolKey: pool.key, name: "web" },
        outboundSecurityRules: [{ protocol: "ICMP", remoteCidr: "0.0.0.0/0" }],
      });
      await flavors.createFlavor(flavor());
      await apps.createApp(sidecar);
      await apps.createApp(app());
      await pools.createCloudletPool(pool);
      await exceptions.createTrustPolicyException(exception);
      const error = await refused(flavors.deleteFlavor(flavor()), Status.FAILED_PRECONDITION, /Flavor in use by App/);
      assert.doesNotMatch(error.message, /Sidecar/);
      await apps.deleteApp(app());
      await refused(
        flavors.deleteFlavor(flavor()),
        Status.FAILED_PRECONDITION,
        /App in use by TrustPolicyException .*Sidecar/,
      );
      assert.equal((await all(flavors.showFlavor(flavor())))[0]!.deletePrepare, false);
      await exceptions.deleteTrustPolicyException(exception);
      await flavors.deleteFlavor(flavor());
      assert.deepEqual(await all(apps.showApp(App.create())), []);
    },
  },
  {
    name: "operator codes belong to one operator, who alone deletes them",
    async run(store) {
      await using world = await start(store);
      const { operatorCodes } = world.api;
      const code = OperatorCode.create({ code: "26201", organization: OPERATOR });
      await refused(
        operatorCodes.createOperatorCode(OperatorCode.create()),
        Status.INVALID_ARGUMENT,
        /code.*required.*organization.*required/,
      );
      await operatorCodes.createOperatorCode(code);
      await refused(
        operatorCodes.createOperatorCode({ ...code, organization: "Other" }),
        Status.ALREADY_EXISTS,
        /OperatorCode key {"code":"26201"} already exists/,
      );
      await refused(
        operatorCodes.deleteOperatorCode({ ...code, organization: "Other" }),
        Status.NOT_FOUND,
        /OperatorCode key {"code":"26201"} not found/,
      );
      assert.deepEqual(await all(operatorCodes.showOperatorCode(OperatorCode.create())), [code]);
      await operatorCodes.deleteOperatorCode(code);
      assert.deepEqual(await all(operatorCodes.showOperatorCode(OperatorCode.create())), []);
    },
  },
  {
    name: "resource tag tables: names in small letters, tags added, removed and replaced",
    async run(store) {
      await using world = await start(store);
      const { resTagTables } = world.api;
      const table = (name: string, tags: Record<string, string> = {}) =>
        ResTagTable.create({ key: { name, organization: OPERATOR }, tags });
      await resTagTables.createResTagTable(table("GPU", { pci: "t4" }));
      await refused(resTagTables.createResTagTable(table("gpu")), Status.ALREADY_EXISTS, /already exists/);
      await resTagTables.addResTag(table("Gpu", { vgpu: "nvidia-63" }));
      const key = ResTagTableKey.create({ name: "GPU", organization: OPERATOR });
      assert.deepEqual((await resTagTables.getResTagTable(key)).tags, { pci: "t4", vgpu: "nvidia-63" });
      await resTagTables.removeResTag(table("gpu", { pci: "", none: "" }));
      await resTagTables.updateResTagTable({ ...table("gpu"), azone: "zone-1", fields: ["4"] });
      const found = await resTagTables.getResTagTable(key);
      assert.deepEqual([found.key.name, found.tags, found.azone], ["gpu", { vgpu: "nvidia-63" }, "zone-1"]);
      await refused(resTagTables.addResTag(table("gpu", { a: "" })), Status.INVALID_ARGUMENT, /tags\.a/);
      await refused(
        resTagTables.getResTagTable(ResTagTableKey.create({ name: "nic", organization: OPERATOR })),
        Status.NOT_FOUND,
        /ResTagTable key .*nic.* not found/,
      );
      await resTagTables.deleteResTagTable(table("GPU"));
    },
  },
  {
    name: "limits of calls: five from the first start, kinds of limits checked, all in one view",
    async run(store) {
      {
        await using world = await start(store);
        const { rateLimits, settings } = world.api;
        const flows = await all(rateLimits.showFlowRateLimitSettings(FlowRateLimitSettings.create()));
        assert.deepEqual(
          flows.map(({ key, settings }) => [key.flowSettingsName, settings.reqsPerSecond, settings.burstSize]).sort(),
          [
            ["dmeglobalallreqs1", 25000, 250],
            ["dmeglobalperip1", 10000, 100],
            ["persistentconnectionallreqs1", 100, 10],
            ["verifylocallreqs1", 5000, 50],
            ["verifylocperip1", 1000, 25],
          ],
        );
        const rateLimitKey = flows[0]!.key.rateLimitKey;
        const flow = (burstSize: number, algorithm: FlowRateLimitAlgorithm, reqsPerSecond = 1) =>
          FlowRateLimitSettings.create({
            key: { flowSettingsName: "mine", rateLimitKey },
            settings: { flowAlgorithm: algorithm, reqsPerSecond, burstSize },
          });
        const { TOKEN_BUCKET_ALGORITHM: token, LEAKY_BUCKET_ALGORITHM: leaky } = FlowRateLimitAlgorithm;
        const create = rateLimits.createFlowRateLimitSettings;
        await refused(create(flow(0, token)), Status.INVALID_ARGUMENT, /burst_size.*above 0/);
        await refused(create(flow(1, leaky)), Status.INVALID_ARGUMENT, /burst_size.*must be 0/);
        await refused(create(flow(1, token, 0)), Status.INVALID_ARGUMENT, /reqs_per_second.*above 0/);
        await refused(create(flow(0, 0)), Status.INVALID_ARGUMENT, /flow_algorithm.*required/);
        await create(flow(0, leaky));
        await rateLimits.updateFlowRateLimitSettings({ ...flow(7, token, 5), fields: ["3.1", "3.3"] });
        const count = MaxReqsRateLimitSettings.create({
          key: { maxReqsSettingsName: "count", rateLimitKey },
          settings: { maxReqsAlgorithm: MaxReqsRateLimitAlgorithm.FIXED_WINDOW_ALGORITHM, maxRequests: 5 },
        });
        await refused(rateLimits.createMaxReqsRateLimitSettings(count), Status.INVALID_ARGUMENT, /interval.*above 0/);
        count.settings.interval = 1e9;
        await rateLimits.createMaxReqsRateLimitSettings(count);
        const filter = RateLimitSettings.create({ key: rateLimitKey });
        const [view, ...more] = await all(rateLimits.showRateLimitSettings(filter));
        assert.equal(more.length, 0);
        assert.deepEqual(Object.keys(view!.flowSettings).sort(), [flows[0]!.key.flowSettingsName, "mine"].sort());
        assert.deepEqual(view!.flowSettings.mine, { flowAlgorithm: token, reqsPerSecond: 1, burstSize: 7 });
        assert.deepEqual(view!.maxReqsSettings.count?.maxRequests, 5);
        assert.equal((await all(rateLimits.showRateLimitSettings(RateLimitSettings.create()))).length, 5);

        await settings.updateSettings(Settings.create({ disableRateLimit: true, fields: ["37"] }));
        await refused(
          rateLimits.deleteMaxReqsRateLimitSettings(count),
          Status.UNIMPLEMENTED,
          /disable_rate_limit/,
        );
        await settings.resetSettings(Settings.create());
        await rateLimits.deleteMaxReqsRateLimitSettings(count);
        await rateLimits.deleteFlowRateLimitSettings(flows[0]!);
        assert.equal(flows[0]!.key.rateLimitKey.rateLimitTarget, RateLimitTarget.ALL_REQUESTS);
      }
      await using world = await World.start({ store });
      const left = await all(world.api.rateLimits.showFlowRateLimitSettings(FlowRateLimitSettings.create()));
      assert.equal(left.length, 5, "what was deleted does not come back");
    },
  },
  {
    name: "cloudlet pools hold existing cloudlets of their operator, which cannot be deleted meanwhile",
    async run(store) {
      await using world = await start(store, "A", "B");
      const { pools, cloudlets } = world.api;
      const pool = (names: string[], more: Partial<CloudletPool> = {}) =>
        CloudletPool.create({
          key: { organization: OPERATOR, name: "pool" },
          cloudlets: names.map((name) => ({ organization: "Somebody", name })),
          ...more,
        });
      const error = await refused(pools.createCloudletPool(pool(["A", "X", "Y"])), Status.NOT_FOUND, /"name":"X"} not/);
      assert.match(error.message, /"name":"Y"} not found/, "all that is missing is named");
      await refused(pools.createCloudletPool(pool(["A", "A", ""])), Status.INVALID_ARGUMENT, /twice.*name.*required/);
      await pools.createCloudletPool(pool(["A"]));
      const [stored] = await all(pools.showCloudletPool(CloudletPool.create()));
      assert.deepEqual(stored!.cloudlets, [{ organization: OPERATOR, name: "A", federatedOrganization: "" }]);
      assert.ok(stored!.createdAt!.seconds > 0);

      const member = (name: string, organization = "") =>
        CloudletPoolMember.create({ key: pool([]).key, cloudlet: { name, organization } });
      await pools.addCloudletPoolMember(member("B", OPERATOR));
      await refused(pools.addCloudletPoolMember(member("B")), Status.INVALID_ARGUMENT, /already exists/);
      await refused(pools.addCloudletPoolMember(member("C")), Status.NOT_FOUND, /Cloudlet key .*"C"/);
      await refused(pools.addCloudletPoolMember(member("A", "Other")), Status.INVALID_ARGUMENT, /the pool's/);
      await refused(
        lines(cloudlets.deleteCloudlet(cloudlet({ key: { organization: OPERATOR, name: "B" } }))),
        Status.FAILED_PRECONDITION,
        /Cloudlet in use by CloudletPool {"organization":"Bayline Inc.","name":"pool"}/,
      );
      await pools.removeCloudletPoolMember(member("B"));
      await pools.removeCloudletPoolMember(member("B"));
      await lines(cloudlets.deleteCloudlet(cloudlet({ key: { organization: OPERATOR, name: "B" } })));
      await pools.updateCloudletPool(pool([], { fields: ["3"] }));
      await pools.updateCloudletPool(pool(["A"]));
      assert.deepEqual((await all(pools.showCloudletPool(CloudletPool.create())))[0]!.cloudlets, []);
      await pools.deleteCloudletPool(pool([]));
    },
  },
  {
    name: "networks say what they connect, with sound routes, on a cloudlet that exists",
    async run(store) {
      await using world = await start(store, "A");
      const { networks, cloudlets } = world.api;
      const network = (more: Partial<Network> = {}, on = "A") =>
        Network.create({
          key: { cloudletKey: { organization: OPERATOR, name: on }, name: "video" },
          connectionType: NetworkConnectionType.CONNECT_TO_ALL,
          ...more,
        });
      const error = await refused(
        lines(networks.createNetwork(network({
          connectionType: NetworkConnectionType.UNDEFINED,
          routes: [{ destinationCidr: "10.0.0.0", nextHopIp: "gateway" }],
        }))),
        Status.INVALID_ARGUMENT,
        /connection_type.*required/,
      );
      assert.match(error.message, /routes\[0\]\.destination_cidr.*routes\[0\]\.next_hop_ip/);
      await refused(lines(networks.createNetwork(network({}, "B"))), Status.NOT_FOUND, /Cloudlet key/);
      const routes = [{ destinationCidr: "10.0.0.0/8", nextHopIp: "10.0.0.1" }];
      assert.deepEqual(await lines(networks.createNetwork(network({ routes }))), ["Created network"]);
      await refused(
        lines(cloudlets.deleteCloudlet(cloudlet({ key: { organization: OPERATOR, name: "A" } }))),
        Status.FAILED_PRECONDITION,
        /Cloudlet in use by Network/,
      );
      await lines(networks.updateNetwork(network({ routes: [], fields: ["3"] })));
      assert.deepEqual((await all(networks.showNetwork(Network.create())))[0]!.routes, []);
      await lines(networks.deleteNetwork(network()));
      await lines(cloudlets.deleteCloudlet(cloudlet({ key: { organization: OPERATOR, name: "A" } })));
    },
  },
  {
    name: "an organization is in use by what it owns and by what is on its cloudlets",
    async run(store) {
      await using world = await start(store, "A");
      const { organizations, flavors, apps, networks } = world.api;
      const used = async (name: string) => await organizations.organizationInUse(Organization.create({ name }));
      await flavors.createFlavor(flavor());
      await apps.createApp(app());
      await lines(networks.createNetwork(Network.create({
        key: { cloudletKey: { organization: OPERATOR, name: "A" }, name: "video" },
        connectionType: NetworkConnectionType.CONNECT_TO_ALL,
      })));
      assert.deepEqual(await used("atlasworks"), { message: "in use by some App", code: 1 });
      assert.deepEqual(await used(OPERATOR), { message: "in use by some Cloudlet, Network", code: 1 });
      assert.deepEqual(await used("Nobody"), { message: "", code: 0 });
      await refused(used(""), Status.INVALID_ARGUMENT, /name.*required/);
    },
  },
];
