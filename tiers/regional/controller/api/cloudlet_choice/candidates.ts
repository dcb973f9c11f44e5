import {
  type App,
  type AppInst,
  AppInstKind,
  AppKind,
  type Cloudlet,
  CloudletInfoKind,
  CloudletKind,
  type CloudletPoolKey,
  CloudletPoolKind,
  CloudletRefs,
  CloudletRefsKind,
  ClusterInstKind,
  type Flavor,
  FlavorKind,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import { RpcError } from "../../../../../shared/rpc/mod.ts";
import type { ApiContext } from "../../context.ts";
import { notFound } from "../../faults.ts";
import { checkPlatformFit } from "../../rules/app_inst.ts";
import { usageOf } from "../../rules/cloudlet_usage.ts";
import { platformOf, settleOnPlatform } from "../../rules/cluster_inst.ts";
import { asksForCluster, DEFAULT_MULTI_TENANT_CLUSTER, NO_CLUSTER, reservableName } from "../../rules/cluster_names.ts";
import { Issues } from "../../rules/issues.ts";
import { balancersOf } from "../../rules/service_names.ts";
import { distrustOf } from "../../rules/trust.ts";
import { isDeletePrepared } from "../../state/object_tx.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { trustRulesOf } from "../../state/trust_rules.ts";
import { completeKey } from "../app_inst/key.ts";
import { canBeLent, clusterFor } from "../cluster_selection/auto.ts";
import { realKey } from "../cluster_selection/wish.ts";
import { needsOfAppInst, needsOfClusterInst, type Site, siteFromCache, type Taking } from "../resources/mod.ts";
import { closedBecause } from "../site_work.ts";
import { roomFor } from "./room.ts";

/** A cloudlet that can take an instance, as far as the cache tells. */
export interface Candidate {
  readonly key: string;
  /** The instance with its key on this cloudlet. */
  readonly instance: AppInst;
  /** A cluster is there, so that none has to be made. */
  readonly hasCluster: boolean;
  /** It is one of the few that the organization was invited to. */
  readonly invited: boolean;
  /** Share of the scarcest resource that is left afterwards, 0 to 1. */
  readonly room: number;
}

/** Cloudlets that the caller may use, by whether they can take the instance. */
export interface Candidates {
  readonly fitting: readonly Candidate[];
  /** Why not, in words that follow the cloudlet's name and tell nothing of others who use it. */
  readonly passedOver: readonly { readonly key: string; readonly reason: string }[];
}

/**
 * Looks through all cloudlets for those that can take an instance. Those that its organization may not use (members of
 * pools to which it was not invited) are not even named.
 *
 * @param instance without a cloudlet; an organization of cloudlets confines the choice to that operator
 * @param pools those that the organization was invited to
 */
export function findCandidates(
  context: ApiContext,
  instance: AppInst,
  pools: readonly CloudletPoolKey[],
): Candidates {
  const { cache } = context.region;
  const appKey = AppKind.keyString(instance.key.appKey);
  const app = cache.get(AppKind, appKey);
  if (app === undefined) throw notFound(AppKind, appKey);
  const flavorKey = FlavorKind.keyString(instance.flavor.name === "" ? app.defaultFlavor : instance.flavor);
  const flavor = cache.get(FlavorKind, flavorKey);
  if (flavor === undefined) throw notFound(FlavorKind, flavorKey);
  const fitting: Candidate[] = [];
  const passedOver: { key: string; reason: string }[] = [];
  const granted = new Set(pools.map((pool) => CloudletPoolKind.keyString(pool)));
  const operator = instance.key.clusterInstKey.cloudletKey.organization;
  for (const [key, cloudlet] of cache.table(CloudletKind)) {
    if (operator !== "" && cloudlet.key.organization !== operator) continue;
    const memberships = cache.referrersOfKind(CloudletKind, key, CloudletPoolKind);
    const invited = [...memberships].some((pool) => granted.has(pool));
    if (memberships.size > 0 && !invited) continue;
    try {
      const found = examine(context, { app, flavor, wanted: instance, cloudlet, key });
      if (typeof found === "string") passedOver.push({ key, reason: found });
      else fitting.push({ key, invited, ...found });
    } catch (error) {
      passedOver.push({ key, reason: RpcError.from(error).message });
    }
  }
  return { fitting, passedOver };
}

/** What one cloudlet has for an instance, or why it has nothing. */
function examine(
  context: ApiContext,
  { app, flavor, wanted, cloudlet, key }: {
    app: App;
    flavor: Flavor;
    wanted: AppInst;
    cloudlet: Cloudlet;
    key: string;
  },
): Pick<Candidate, "instance" | "hasCluster" | "room"> | string {
  const { cache } = context.region;
  const info = cache.get(CloudletInfoKind, key);
  if (isDeletePrepared(cloudlet)) return "is being deleted";
  const closed = closedBecause(cloudlet, info);
  if (closed !== undefined) return closed;
  const instance = AppInstKind.message.create(wanted);
  instance.key.clusterInstKey.cloudletKey = { ...cloudlet.key };
  instance.flavor = { ...flavor.key };
  completeKey(context, instance);
  if (cache.get(AppInstKind, AppInstKind.keyString(instance.key)) !== undefined) return "has this instance already";
  const issues = new Issues();
  checkPlatformFit(app, instance, platformOf(cloudlet), issues);
  if (issues.list.length > 0) return issues.list.map(({ rule }) => rule).join("; ");
  const rules = trustRulesOf(cache, cloudlet, AppKind.keyString(app.key));
  const distrust = rules && distrustOf(app, rules);
  if (distrust) return `has a trust policy: ${distrust}`;
  const site = siteFromCache(cache, cloudlet);
  const takings: Taking[] = [needsOfAppInst(site, instance, app, flavor, balancersOf(app).length)];
  const cluster = clusterAt(context, cache, app, instance, site);
  if (typeof cluster === "string") return cluster;
  if (!cluster.there && cluster.needed) takings.push(newCluster(site, app, instance, flavor));
  const refs = cache.get(CloudletRefsKind, key) ?? CloudletRefs.create({ key: cloudlet.key });
  const { short, room } = roomFor(usageOf(refs, site.bounds), takings, refs, cloudlet.numDynamicIps);
  if (short.length > 0) return `has not enough ${short.join(", ")} left`;
  return { instance, hasCluster: cluster.there, room };
}

/** Whether the instance needs a cluster, and one is there for it; a reason when a named one is not. */
function clusterAt(
  { platformOrg }: ApiContext,
  cache: RegionCache,
  app: App,
  instance: AppInst,
  site: Site,
): { needed: boolean; there: boolean } | string {
  const { name } = instance.key.clusterInstKey.clusterKey;
  if (site.traits.features.singleCluster) {
    const owner = site.cloudlet.singleKubernetesClusterOwner;
    if (owner !== "" && owner !== instance.key.appKey.organization) return "is one cluster, for other organizations";
    return { needed: true, there: true };
  }
  if (name === NO_CLUSTER) return { needed: false, there: false };
  const ready = (key: string) => {
    const cluster = cache.get(ClusterInstKind, key);
    return cluster?.state === TrackedState.READY && !isDeletePrepared(cluster);
  };
  if (!asksForCluster(name)) {
    const there = ready(ClusterInstKind.keyString(realKey(instance, name)));
    return there ? { needed: true, there } : `has no cluster ${name} that is ready`;
  }
  const shared = ClusterInstKind.keyString(realKey(instance, DEFAULT_MULTI_TENANT_CLUSTER));
  const clusters = [...cache.referrersOfKind(CloudletKind, site.keyString, ClusterInstKind)]
    .flatMap((key) => cache.get(ClusterInstKind, key) ?? []);
  const there = (app.allowServerless && app.deployment === "kubernetes" && ready(shared)) ||
    clusters.some((cluster) => canBeLent(cluster, { app, instance, platformOrg }));
  return { needed: true, there };
}

/** What a cluster takes that would have to be made. Throws when the site makes none like it. */
function newCluster(site: Site, app: App, instance: AppInst, flavor: Flavor): Taking {
  const cluster = clusterFor({ app, instance }, reservableName(0));
  const issues = new Issues();
  settleOnPlatform(cluster, platformOf(site.cloudlet), issues);
  return needsOfClusterInst(site, cluster, flavor);
}
