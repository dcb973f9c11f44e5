import fc from "fast-check";
import {
  AlertPolicy,
  AppInst,
  AutoProvPolicy,
  AutoScalePolicy,
  CloudletPool,
  type Result,
  TrustPolicy,
  TrustPolicyException,
} from "../../../../shared/schema/mod.ts";
import {
  newApp,
  newCloudlet,
  newCluster,
  type Outcome,
  OUTCOMES,
  type RandomRegion,
  SITES,
  type StoreFault,
} from "./random_region.ts";
import { flavor, lines, type World } from "./world.ts";

/** Something that a region can be put through. */
export type Step =
  | { readonly type: "call"; readonly name: CallName; readonly at: number; readonly pick: number }
  | { readonly type: "site"; readonly site: string; readonly outcome: Outcome }
  | { readonly type: "store"; readonly faults: readonly StoreFault[] }
  | { readonly type: "catchUp" }
  | { readonly type: "kill"; readonly at: number };

type Api = World["api"];
type Call = (api: Api, pick: number) => Promise<unknown>;

const POLICY = { organization: "AtlasWorks", name: "policy" };
const OPERATOR_POLICY = { organization: "Bayline Inc.", name: "policy" };
const POOL = { organization: "Bayline Inc.", name: "pool" };
const RULES = [{ protocol: "tcp", portRangeMin: 443, remoteCidr: "8.8.0.0/16" }];
const alertPolicy = () =>
  AlertPolicy.create({ key: POLICY, severity: "info", triggerTime: 60e9, cpuUtilizationLimit: 80 });
const autoProv = () => AutoProvPolicy.create({ key: POLICY, deployClientCount: 2 });
const autoScale = () => AutoScalePolicy.create({ key: POLICY, minNodes: 1, maxNodes: 3 });
const trustPolicy = () => TrustPolicy.create({ key: OPERATOR_POLICY, outboundSecurityRules: RULES });
const pool = () => CloudletPool.create({ key: POOL, cloudlets: [newCloudlet("Spare").key] });
const exception = () =>
  TrustPolicyException.create({
    key: { appKey: newApp(2).key, cloudletPoolKey: POOL, name: "exception" },
    outboundSecurityRules: RULES,
  });

/** Six instances: each app of clusters in a named and in an automatic cluster, the process on two cloudlets. */
function newInstance(pick: number): AppInst {
  const index = pick % 6;
  if (index >= 4) return instance(2, "", SITES[index - 3]!);
  return instance(index % 2, index < 2 ? "cluster0" : "autocluster", "Docks");
}

function instance(appIndex: number, cluster: string, site: string): AppInst {
  const cloudletKey = { organization: "Bayline Inc.", name: site };
  const named = cluster === "cluster0" ? { organization: "AtlasWorks" } : {};
  const clusterInstKey = { clusterKey: { name: cluster }, cloudletKey, ...named };
  return AppInst.create({ key: { appKey: newApp(appIndex).key, clusterInstKey } });
}

const progress = (results: AsyncIterable<Result>): Promise<string[]> => lines(results);

const CALLS = {
  createAppInst: (api, pick) => progress(api.instances.createAppInst(newInstance(pick))),
  deleteAppInst: (api, pick) => progress(api.instances.deleteAppInst(newInstance(pick))),
  refreshAppInst: (api, pick) =>
    progress(api.instances.refreshAppInst(AppInst.create({ ...newInstance(pick), forceUpdate: true }))),
  createCluster: (api, pick) => progress(api.clusters.createClusterInst(newCluster(pick % 2))),
  deleteCluster: (api, pick) => progress(api.clusters.deleteClusterInst(newCluster(pick % 2))),
  createApp: (api, pick) => api.apps.createApp(newApp(pick % 3)),
  updateApp: (api, pick) =>
    api.apps.updateApp(newApp(pick % 3, { fields: ["4"], imagePath: pick % 2 === 0 ? "nginx" : "nginx:2" })),
  deleteApp: (api, pick) => api.apps.deleteApp(newApp(pick % 3)),
  createFlavor: (api, pick) => api.flavors.createFlavor(flavor(["small", "large"][pick % 2])),
  deleteFlavor: (api, pick) => api.flavors.deleteFlavor(flavor(["small", "large"][pick % 2])),
  createCloudlet: (api, pick) => progress(api.cloudlets.createCloudlet(newCloudlet(SITES[pick % 3]!))),
  deleteCloudlet: (api, pick) => progress(api.cloudlets.deleteCloudlet(newCloudlet(SITES[pick % 3]!))),
  createAlertPolicy: (api) => api.alertPolicies.createAlertPolicy(alertPolicy()),
  deleteAlertPolicy: (api) => api.alertPolicies.deleteAlertPolicy(alertPolicy()),
  addAlertPolicy: (api, pick) => api.apps.addAppAlertPolicy({ appKey: newApp(pick % 3).key, alertPolicy: "policy" }),
  removeAlertPolicy: (api, pick) =>
    api.apps.removeAppAlertPolicy({ appKey: newApp(pick % 3).key, alertPolicy: "policy" }),
  createAutoProv: (api) => api.autoProv.createAutoProvPolicy(autoProv()),
  deleteAutoProv: (api) => api.autoProv.deleteAutoProvPolicy(autoProv()),
  addAutoProv: (api, pick) => api.apps.addAppAutoProvPolicy({ appKey: newApp(pick % 3).key, autoProvPolicy: "policy" }),
  createAutoScale: (api) => api.autoScale.createAutoScalePolicy(autoScale()),
  deleteAutoScale: (api) => api.autoScale.deleteAutoScalePolicy(autoScale()),
  createTrustPolicy: (api) => progress(api.trustPolicies.createTrustPolicy(trustPolicy())),
  deleteTrustPolicy: (api) => progress(api.trustPolicies.deleteTrustPolicy(trustPolicy())),
  createPool: (api) => api.pools.createCloudletPool(pool()),
  deletePool: (api) => api.pools.deleteCloudletPool(pool()),
  createException: (api) => api.exceptions.createTrustPolicyException(exception()),
  deleteException: (api) => api.exceptions.deleteTrustPolicyException(exception()),
} satisfies Record<string, Call>;

type CallName = keyof typeof CALLS;
const NAMES = Object.keys(CALLS) as CallName[];
/** Instances and clusters have the most to go wrong. */
const FREQUENT: readonly CallName[] = ["createAppInst", "deleteAppInst", "createCluster", "deleteCluster"];

const at = fc.nat({ max: 1 });
const call = (names: fc.Arbitrary<CallName>): fc.Arbitrary<Step> =>
  fc.record({ type: fc.constant("call" as const), name: names, at, pick: fc.nat({ max: 11 }) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: call(fc.constantFrom(...FREQUENT)) },
  { weight: 8, arbitrary: call(fc.constantFrom(...NAMES)) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("site" as const),
      site: fc.constantFrom(...SITES),
      outcome: fc.constantFrom(...OUTCOMES),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("store" as const),
      faults: fc.array(fc.constantFrom<StoreFault>("none", "none", "refused", "lost"), { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("catchUp" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("kill" as const), at }) },
);

/** Groups of steps; those of a group happen at once. @param groups how many */
export function arbitrarySteps(groups: number): fc.Arbitrary<Step[][]> {
  return fc.array(fc.array(step, { minLength: 1, maxLength: 5, size: "max" }), {
    minLength: groups,
    maxLength: groups,
  });
}

/** Does one step; errors of calls are thrown. */
export async function take(region: RandomRegion, step: Step): Promise<void> {
  switch (step.type) {
    case "call":
      await CALLS[step.name](region.api(step.at), step.pick);
      return;
    case "site":
      return region.behave(step.site, step.outcome);
    case "store":
      return region.failNext(step.faults);
    case "catchUp":
      return region.catchUp();
    case "kill":
      return await region.restart(step.at);
  }
}

/** Deletions of everything beside apps, cloudlets, what runs there and flavors; what is used by others comes first. */
export function removals(api: Api): (() => Promise<unknown>)[] {
  const names: readonly CallName[] = [
    "deleteException",
    "deletePool",
    "deleteAlertPolicy",
    "deleteAutoProv",
    "deleteAutoScale",
    "deleteTrustPolicy",
  ];
  return names.map((name) => () => CALLS[name](api, 0));
}
