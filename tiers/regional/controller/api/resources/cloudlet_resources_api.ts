import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import { platformProperties, quotaResources } from "../../../../../shared/platform_types/mod.ts";
import {
  AppInstKind,
  type Cloudlet,
  CloudletInfoKind,
  type CloudletKey,
  CloudletKind,
  CloudletProps,
  CloudletRefs,
  CloudletRefsKind,
  CloudletResMap,
  type CloudletResourcesApi,
  CloudletResourceUsage,
  ClusterInstKind,
  FlavorKey,
  FlavorKind,
  FlavorMatch,
  InfraResource,
  matches,
  Organization,
  requiredIssues,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { notFound, refuse } from "../../faults.ts";
import { type ResourceUsage, usageOf } from "../../rules/cloudlet_usage.ts";
import { isMatch } from "../../rules/flavor_match.ts";
import { Issues } from "../../rules/issues.ts";
import { checkTables } from "../../rules/res_tag_map.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { requireReferences } from "../../state/references.ts";
import { done } from "../requests.ts";
import { findSize, siteFromCache, sizeFor } from "./site.ts";

/** Handlers of CloudletResourcesApi. */
export function cloudletResourcesApi({ region }: ApiContext): Handlers<typeof CloudletResourcesApi> {
  const { cache } = region;

  async function changeTables(request: CloudletResMap, change: (cloudlet: Cloudlet) => void): Promise<void> {
    refuse(requiredIssues(CloudletResMap, request));
    await region.change(async (tx) => {
      const cloudlet = await tx.requireUsable(CloudletKind, CloudletKind.keyString(request.key));
      const before = CloudletKind.message.create(cloudlet);
      change(cloudlet);
      const issues = new Issues();
      checkTables(cloudlet, issues);
      refuse(issues.list);
      await requireReferences(tx, CloudletKind, cloudlet, before);
      tx.put(CloudletKind, cloudlet);
    });
  }

  return {
    // deno-lint-ignore require-await -- async as calls are
    async findFlavorMatch(request) {
      refuse(requiredIssues(FlavorMatch, request));
      const cloudlet = require(cache, request.key);
      const key = CloudletKind.keyString(cloudlet.key);
      if (cache.get(CloudletInfoKind, key) === undefined) throw notFound(CloudletInfoKind, key);
      const flavor = cache.get(FlavorKind, FlavorKind.keyString({ name: request.flavorName }));
      if (flavor === undefined) throw notFound(FlavorKind, FlavorKind.keyString({ name: request.flavorName }));
      const { name, availabilityZone } = sizeFor(siteFromCache(cache, cloudlet), flavor);
      return FlavorMatch.create({ key: cloudlet.key, flavorName: name, availabilityZone });
    },
    async *showFlavorsForCloudlet(request) {
      const sites = [...cache.table(CloudletKind).values()]
        .filter(({ key }) => matches(CloudletKind.keyMessage, request, key))
        .map((cloudlet) => siteFromCache(cache, cloudlet))
        // What a site offers is not known before it has reported.
        .filter(({ info }) => info !== undefined);
      for (const key of cache.sortedKeys(FlavorKind)) {
        const flavor = cache.get(FlavorKind, key);
        if (flavor !== undefined && sites.some((site) => isMatch(findSize(site, flavor)))) {
          yield FlavorKey.create(flavor.key);
        }
      }
    },
    async addCloudletResMapping(request) {
      await changeTables(request, ({ key, resTagMap }) => {
        for (const [resource, name] of Object.entries(request.mapping)) {
          resTagMap[resource.toLowerCase()] = { name: name.toLowerCase(), organization: key.organization };
        }
      });
      return done("Added resource mapping");
    },
    async removeCloudletResMapping(request) {
      await changeTables(request, ({ resTagMap }) => {
        for (const resource of Object.keys(request.mapping)) delete resTagMap[resource.toLowerCase()];
      });
      return done("Removed resource mapping");
    },
    // deno-lint-ignore require-await -- async as calls are
    getCloudletResourceQuotaProps: async (request) => ({
      ...request,
      properties: quotaResources(request.platformType).map((resource) => InfraResource.create(resource)),
    }),
    // deno-lint-ignore require-await -- async as calls are
    getCloudletProps: async (request) =>
      CloudletProps.create({
        ...request,
        properties: Object.fromEntries(
          platformProperties(request.platformType).map((property) => [property.name, {
            name: property.name,
            description: property.description,
            value: property.default ?? "",
            secret: property.secret ?? false,
            mandatory: property.mandatory ?? false,
          }]),
        ),
      }),
    // deno-lint-ignore require-await -- async as calls are
    async getCloudletResourceUsage(request) {
      refuse(requiredIssues(CloudletResourceUsage, request));
      const cloudlet = require(cache, request.key);
      const usage = cloudletUsage(cache, cloudlet);
      return CloudletResourceUsage.create({
        key: cloudlet.key,
        infraUsage: request.infraUsage,
        info: request.infraUsage ? reported(cache, cloudlet, usage) : usage.map((each) => infoOf(each, each.used)),
      });
    },
    async *getOrganizationsOnCloudlet(request) {
      refuse(requiredIssues(CloudletKind.keyMessage, request));
      const wanted = CloudletKind.keyString(request);
      const found = new Set<string>();
      for (const { key } of cache.table(ClusterInstKind).values()) {
        if (CloudletKind.keyString(key.cloudletKey) === wanted) found.add(key.organization);
      }
      for (const { key: { appKey, clusterInstKey } } of cache.table(AppInstKind).values()) {
        if (CloudletKind.keyString(clusterInstKey.cloudletKey) !== wanted) continue;
        found.add(appKey.organization);
        found.add(clusterInstKey.organization);
      }
      found.delete("");
      for (const name of [...found].sort()) yield Organization.create({ name });
    },
  };
}

/** What is in use at a cloudlet, as the cache shows it. */
export function cloudletUsage(cache: RegionCache, cloudlet: Cloudlet): ResourceUsage[] {
  const refs = cache.get(CloudletRefsKind, CloudletKind.keyString(cloudlet.key));
  return usageOf(refs ?? CloudletRefs.create({ key: cloudlet.key }), siteFromCache(cache, cloudlet).bounds);
}

function require(cache: RegionCache, key: CloudletKey): Cloudlet {
  const keyString = CloudletKind.keyString(key);
  const cloudlet = cache.get(CloudletKind, keyString);
  if (cloudlet === undefined) throw notFound(CloudletKind, keyString);
  return cloudlet;
}

/** The site's own words, with the limits that the controller sets. */
function reported(cache: RegionCache, { key }: Cloudlet, usage: readonly ResourceUsage[]): InfraResource[] {
  const snapshot = cache.get(CloudletInfoKind, CloudletKind.keyString(key))?.resourcesSnapshot;
  return (snapshot?.info ?? []).map(({ name, value }) => infoOf(usage.find((each) => each.name === name)!, value));
}

function infoOf({ name, infraMax, quota, description, units, threshold }: ResourceUsage, value: number): InfraResource {
  return InfraResource.create({
    name,
    value,
    infraMaxValue: infraMax,
    quotaMaxValue: quota,
    description,
    units,
    alertThreshold: threshold,
  });
}
