import assert from "node:assert/strict";
import { publishObject } from "../../../shared/notify/mod.ts";
import { until } from "../../../shared/platform/testing/mod.ts";
import {
  AppInstKind,
  ClusterInst,
  ClusterInstKind,
  type DeepPartial,
  dme,
  PlatformType,
  PowerState,
  TrackedState,
  TrustPolicy,
  TrustPolicyKind,
} from "../../../shared/schema/mod.ts";
import type { Manager } from "./manager.ts";
import { testManager } from "./testing/manager.ts";
import { cloudletKey, clusterKey, instanceKey, Region } from "./testing/region.ts";

const S = TrackedState;
const M = dme.MaintenanceState;

interface FakeSite {
  readonly region: Region;
  readonly folder: string;
  /** The cloudlet, with a moment of its last change of its own. */
  cloudlet(changes?: Parameters<Region["site"]>[0]): void;
  cluster(state: TrackedState, changes?: DeepPartial<ClusterInst>): void;
  restart(): Promise<void>;
}

/** The real resource manager with the fake plugin, as the table has it, under a region that only replicates. */
function siteTest(name: string, body: (site: FakeSite) => Promise<void>): void {
  Deno.test({
    name: `fake site: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "fake-site-" });
      const region = new Region();
      await region.start();
      let changes = 0;
      const stamp = () => ({ updatedAt: { seconds: ++changes, nanos: 0 } });
      let manager = start(region, folder);
      const site: FakeSite = {
        region,
        folder,
        cloudlet: (changes) => region.site({ platformType: PlatformType.PLATFORM_TYPE_FAKE, ...stamp(), ...changes }),
        cluster: (state, changes) =>
          publishObject(
            region.hub,
            ClusterInstKind,
            ClusterInst.create({
              key: clusterKey,
              flavor: { name: "small" },
              deployment: "kubernetes",
              numMasters: 1,
              numNodes: 2,
              nodeFlavor: "x1.small",
              masterNodeFlavor: "x1.small",
              state,
              ...stamp(),
              ...changes,
            }),
          ),
        async restart() {
          await manager.close(false);
          manager = start(region, folder);
        },
      };
      try {
        region.app({ deployment: "kubernetes", imagePath: "docker.io/echo:1" });
        region.hub.markReady();
        await body(site);
      } finally {
        await manager.close(false);
        await region.close();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

function start(region: Region, folder: string): Manager {
  const manager = testManager({ region: "local", key: cloudletKey, parent: region.address, directory: () => folder });
  manager.start();
  return manager;
}

siteTest("it reports sizes, images and resources, and again when a cluster has come, grown and gone", async (site) => {
  const { region } = site;
  const last = () => region.cloudlet.at(-1);
  const ram = () => last()?.resourcesSnapshot?.info.find(({ name }) => name === "RAM");
  site.cluster(S.CREATE_REQUESTED);
  site.cloudlet();
  await until("the cluster is ready", () => region.clusters.at(-1)?.state === S.READY);
  assert.deepEqual(region.clusters.at(-1)!.resources?.vms.map(({ type, infraFlavor }) => `${type} ${infraFlavor}`), [
    "k8s-cluster-master x1.small",
    "k8s-cluster-node x1.small",
    "k8s-cluster-node x1.small",
  ]);
  await until("the cluster is counted", () => (last()?.resourcesSnapshot?.clusterInsts.length ?? 0) === 1);
  const info = last()!;
  assert.deepEqual(info.flavors.map(({ name }) => name), ["x1.tiny", "x1.small", "x1.medium", "x1.large"]);
  assert.deepEqual([info.osImages.length, info.availabilityZones.length, info.compatibilityVersion], [2, 2, 2]);
  const own = 1024 + 4096;
  assert.deepEqual([ram()!.value, ram()!.infraMaxValue], [own + 3 * 4096, 1_024_000]);
  assert.deepEqual(info.resourcesSnapshot!.platformVms.map(({ type }) => type), ["platform", "sharedrootlb"]);
  site.cluster(S.READY);
  site.cluster(S.UPDATE_REQUESTED, { numNodes: 4 });
  await until("it has grown", () => ram()?.value === own + 5 * 4096);
  site.cluster(S.READY, { numNodes: 4 });
  site.cluster(S.DELETE_REQUESTED, { numNodes: 4 });
  await until("it is gone", () => ram()?.value === own && last()!.resourcesSnapshot!.clusterInsts.length === 0);
});

siteTest("a step that is told to fail fails with its reason, and progress is told as lines", async (site) => {
  const { region } = site;
  site.cluster(S.READY);
  site.cloudlet({ envVar: { FAKE_FAIL: "create-appinst" } });
  region.instance(1, S.CREATE_REQUESTED);
  const { errors } = await region.tells(1, S.CREATE_ERROR);
  assert.match(errors[0]!, /create-appinst failed, as FAKE_FAIL wants/);
  const lines = region.instances.flatMap(({ status }) => status?.msgs ?? []);
  assert.ok(lines.includes("Waiting for app to become ready"), lines.join());
});

siteTest("a machine runs without a cluster and does what is asked of its power; off it stays off", async (site) => {
  const { region } = site;
  region.app({ deployment: "vm", imagePath: "https://images.example.org/one.qcow2" });
  site.cloudlet();
  const key = { ...instanceKey(1), clusterInstKey: { ...clusterKey, clusterKey: { name: "defaultclust" } } };
  const told = () => region.instances.filter((info) => AppInstKind.keyString(info.key) === AppInstKind.keyString(key));
  const is = (state: TrackedState, power: PowerState) =>
    until(`it is ${state} and ${power}`, () => told().at(-1)?.state === state && told().at(-1)?.powerState === power);
  region.instance(1, S.CREATE_REQUESTED, 1, { key });
  await until("it is ready", () => told().at(-1)?.state === S.READY);
  region.instance(1, S.READY, 1, { key });
  region.instance(1, S.UPDATE_REQUESTED, 1, { key, powerState: PowerState.POWER_OFF_REQUESTED });
  await is(S.READY, PowerState.POWER_OFF);
  assert.ok(told().some(({ state, powerState }) => state === S.UPDATING && powerState === PowerState.POWERING_OFF));
  assert.equal(told().at(-1)!.healthCheck, dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL);
  region.instance(1, S.READY, 1, { key, powerState: PowerState.POWER_OFF });
  region.instances.length = 0;
  await site.restart();
  await until("it is told of again", () => told().at(-1)?.state === S.READY);
  assert.equal(told().at(-1)!.healthCheck, dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL);
  region.instance(1, S.UPDATE_REQUESTED, 1, { key, powerState: PowerState.REBOOT_REQUESTED });
  await is(S.READY, PowerState.POWER_ON);
  assert.equal(told().at(-1)!.healthCheck, dme.HealthCheck.HEALTH_CHECK_OK);
});

siteTest("it goes into maintenance and comes back, and says when it cannot", async (site) => {
  const { region } = site;
  const says = (state: dme.MaintenanceState) =>
    until(`it says ${state}`, () => region.cloudlet.at(-1)?.maintenanceState === state);
  site.cloudlet();
  await until("it is ready", () => region.cloudlet.at(-1)?.state === dme.CloudletState.CLOUDLET_STATE_READY);
  site.cloudlet({ maintenanceState: M.CRM_REQUESTED });
  await says(M.CRM_UNDER_MAINTENANCE);
  site.cloudlet({ maintenanceState: M.UNDER_MAINTENANCE });
  region.cloudlet.length = 0;
  await site.restart();
  await says(M.CRM_UNDER_MAINTENANCE);
  site.cloudlet({ maintenanceState: M.NORMAL_OPERATION_INIT });
  await says(M.NORMAL_OPERATION);
  const envVar = { FAKE_FAIL: "maintenance" };
  site.cloudlet({ maintenanceState: M.CRM_REQUESTED, envVar });
  await says(M.CRM_ERROR);
  assert.match(region.cloudlet.at(-1)!.errors.join(), /maintenance failed/);
});

siteTest("it enforces its trust policy, another one, and none again", async (site) => {
  const { region, folder } = site;
  const says = (state: TrackedState) =>
    until(`it says ${state}`, () => region.cloudlet.at(-1)?.trustPolicyState === state);
  const policy = (port: number) =>
    publishObject(
      region.hub,
      TrustPolicyKind,
      TrustPolicy.create({
        key: { organization: cloudletKey.organization, name: "tp" },
        outboundSecurityRules: [{ protocol: "TCP", portRangeMin: port, remoteCidr: "10.0.0.0/8" }],
      }),
    );
  const inForce = async () => JSON.parse(await Deno.readTextFile(`${folder}/trust-policy.json`));
  policy(443);
  site.cloudlet({ trustPolicy: "tp", trustPolicyState: S.UPDATE_REQUESTED });
  await says(S.READY);
  assert.deepEqual(await inForce(), [{ protocol: "tcp", firstPort: 443, lastPort: 443, remoteCidr: "10.0.0.0/8" }]);
  site.cloudlet({ trustPolicy: "tp", trustPolicyState: S.READY });
  policy(444);
  site.cloudlet({ trustPolicy: "tp", trustPolicyState: S.UPDATE_REQUESTED });
  await until("the other one is in force", async () => (await inForce())[0].firstPort === 444);
  await says(S.READY);
  site.cloudlet({ trustPolicy: "", trustPolicyState: S.UPDATE_REQUESTED });
  await says(S.NOT_PRESENT);
  assert.equal(await inForce(), null);
  site.cloudlet({
    trustPolicy: "tp",
    trustPolicyState: S.UPDATE_REQUESTED,
    envVar: { FAKE_FAIL: "trust-policy" },
  });
  await says(S.UPDATE_ERROR);
});
