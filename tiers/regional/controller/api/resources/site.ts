import { platformFeatures } from "../../../../../shared/platform_types/mod.ts";
import {
  type App,
  type AppInst,
  type Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  type ClusterInst,
  type Flavor,
  ResTagTableKind,
} from "../../../../../shared/schema/mod.ts";
import { failedPrecondition } from "../../faults.ts";
import { appInstHolder, clusterHolder, type Holder } from "../../rules/cloudlet_refs.ts";
import type { UsageBounds } from "../../rules/cloudlet_usage.ts";
import {
  hasAccelerator,
  isMatch,
  matchFlavor,
  type NoMatch,
  type SiteOffer,
  type SiteSize,
} from "../../rules/flavor_match.ts";
import {
  appInstNeeds,
  clusterNeeds,
  platformNeeds,
  type ResourceNeeds,
  type SiteTraits,
} from "../../rules/resource_needs.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import type { ObjectTx } from "../../state/object_tx.ts";

/** A cloudlet with all that decides what fits on it and how much of it things take. */
export interface Site {
  readonly cloudlet: Cloudlet;
  readonly keyString: string;
  readonly info: CloudletInfo | undefined;
  readonly offer: SiteOffer;
  readonly traits: SiteTraits;
  readonly bounds: UsageBounds;
}

/** Something on a cloudlet, and what it takes there. */
export interface Taking {
  readonly holder: Holder;
  readonly needs: ResourceNeeds;
}

/** Memory, processors and disk of a load balancer's machine: MB, count, GB. */
const LOAD_BALANCER = { name: "", ramMb: 4096, vcpus: 2, diskGb: 40, optional: {} };

/** Reads a site in the transaction that takes something of it. */
export async function readSite(tx: ObjectTx, cloudlet: Cloudlet): Promise<Site> {
  const info = await tx.get(CloudletInfoKind, CloudletKind.keyString(cloudlet.key));
  const tables: Record<string, Record<string, string>> = {};
  for (const [resource, key] of Object.entries(cloudlet.resTagMap)) {
    const table = await tx.get(ResTagTableKind, ResTagTableKind.keyString(key));
    if (table !== undefined) tables[resource] = table.tags;
  }
  return siteOf(cloudlet, info, tables);
}

/** A site as the cache shows it, for calls that take nothing. */
export function siteFromCache(cache: RegionCache, cloudlet: Cloudlet): Site {
  const tables: Record<string, Record<string, string>> = {};
  for (const [resource, key] of Object.entries(cloudlet.resTagMap)) {
    const table = cache.get(ResTagTableKind, ResTagTableKind.keyString(key));
    if (table !== undefined) tables[resource] = table.tags;
  }
  return siteOf(cloudlet, cache.get(CloudletInfoKind, CloudletKind.keyString(cloudlet.key)), tables);
}

/** A site from its parts. `tables` are the tags of optional resources, by resource. */
export function siteOf(
  cloudlet: Cloudlet,
  info: CloudletInfo | undefined,
  tables: SiteOffer["tables"],
): Site {
  const features = platformFeatures(cloudlet.platformType, cloudlet.key.organization);
  const offer: SiteOffer = {
    // Where instances themselves are counted, each takes what its flavor says.
    flavors: features.counts === "instances" ? [] : info?.flavors ?? [],
    tables,
    zones: info?.availabilityZones.map(({ name }) => name) ?? [],
    images: info?.osImages.map(({ name }) => name) ?? [],
  };
  const balancer = matchFlavor(LOAD_BALANCER, offer);
  const type = cloudlet.platformType;
  const { envVar, ipSupport } = cloudlet;
  return {
    cloudlet,
    keyString: CloudletKind.keyString(cloudlet.key),
    info,
    offer,
    traits: {
      type,
      features,
      ipSupport,
      envVar,
      // Where no size is large enough the balancer's machine counts as what it needs at least.
      loadBalancer: isMatch(balancer) ? balancer : anySize(LOAD_BALANCER),
    },
    bounds: {
      type,
      quotas: cloudlet.resourceQuotas,
      defaultThreshold: cloudlet.defaultResourceAlertThreshold,
      snapshot: info?.resourcesSnapshot,
      platform: platformNeeds(
        info?.resourcesSnapshot?.platformVms ?? [],
        (name) => sizeNamed(offer, name),
        { type, envVar },
      ),
    },
  };
}

/** The site's size for a flavor. Throws E_NOFLAVOR or E_NOGPU, saying what was asked for. */
export function sizeFor(site: Site, flavor: Flavor): SiteSize {
  const match = findSize(site, flavor);
  if (isMatch(match)) return match;
  throw failedPrecondition(`Cloudlet ${site.keyString} cannot take flavor ${flavor.key.name}: ${match.reason}`);
}

/** The site's size for a flavor, or why there is none. */
export function findSize(site: Site, flavor: Flavor): SiteSize | NoMatch {
  return matchFlavor({
    name: flavor.key.name,
    ramMb: flavor.ram,
    vcpus: flavor.vcpus,
    diskGb: flavor.disk,
    optional: flavor.optResMap,
  }, site.offer);
}

/**
 * What a cluster takes, and its fields that say so: node flavor, master node flavor, volume, zone and optional resource.
 * Throws E_NOFLAVOR or E_NOGPU.
 *
 * @param master flavor of the masters, when it is not that of the nodes
 */
export function needsOfClusterInst(
  site: Site,
  cluster: ClusterInst,
  flavor: Flavor,
  master: Flavor = flavor,
): Taking {
  const sizes = { node: sizeFor(site, flavor), master: sizeFor(site, master) };
  cluster.nodeFlavor = sizes.node.name;
  cluster.masterNodeFlavor = cluster.numMasters > 0 ? sizes.master.name : "";
  cluster.externalVolumeSize = sizes.node.externalVolumeGb;
  cluster.availabilityZone = sizes.node.availabilityZone;
  cluster.imageName ||= sizes.node.image;
  cluster.optRes = sizes.node.optRes;
  return { holder: clusterHolder(cluster.key), needs: clusterNeeds(cluster, sizes, site.traits) };
}

/**
 * What an app instance takes beside its cluster, and its fields that say so. Throws E_NOFLAVOR or E_NOGPU.
 *
 * @param loadBalancerServices services of the app that are load balancers, which count on kubernetes-only platforms
 */
export function needsOfAppInst(
  site: Site,
  instance: AppInst,
  app: App,
  flavor: Flavor,
  loadBalancerServices = 0,
): Taking {
  const size = sizeFor(site, flavor);
  if (app.deployment === "vm") {
    instance.vmFlavor = size.name;
    instance.externalVolumeSize = size.externalVolumeGb;
    instance.availabilityZone = size.availabilityZone;
  }
  instance.optRes = size.optRes;
  const { deployment } = app;
  return {
    holder: appInstHolder(instance.key, deployment),
    needs: appInstNeeds({ deployment, loadBalancerServices }, size, site.traits),
  };
}

/** What an instance takes where instances themselves are counted. */
export function instanceNeeds(site: Site, flavor: Flavor): ResourceNeeds {
  return appInstNeeds({ deployment: "", loadBalancerServices: 0 }, sizeFor(site, flavor), site.traits);
}

function sizeNamed(offer: SiteOffer, name: string): SiteSize | undefined {
  const found = offer.flavors.find((flavor) => flavor.name === name);
  if (found === undefined) return undefined;
  const size = anySize({ name, vcpus: found.vcpus, ramMb: found.ram, diskGb: found.disk });
  return hasAccelerator(found, offer) ? { ...size, optRes: "gpu" } : size;
}

function anySize(size: Pick<SiteSize, "name" | "vcpus" | "ramMb" | "diskGb">): SiteSize {
  const { name, vcpus, ramMb, diskGb } = size;
  return { name, vcpus, ramMb, diskGb, externalVolumeGb: 0, availabilityZone: "", image: "", optRes: "" };
}
