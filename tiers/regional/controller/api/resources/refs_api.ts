import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  AppInstKind,
  AppInstRefs,
  type AppInstRefsApi,
  AppKind,
  CloudletKind,
  CloudletRefs,
  type CloudletRefsApi,
  CloudletRefsKind,
  ClusterInstKind,
  ClusterRefs,
  type ClusterRefsApi,
  dme,
  matches,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { reservableNumber } from "../../rules/cluster_names.ts";
import { isDeleting } from "../../operations/transitions.ts";
import { holderLists, optionalResources } from "../../rules/cloudlet_refs.ts";
import type { RegionCache } from "../../state/region_cache.ts";

// Lists that can be told from the objects are: kept in rows of their own they would grow with every instance, be written
// with every creation, and could be wrong.

/** Handlers of CloudletRefsApi. */
export function cloudletRefsApi({ region: { cache } }: ApiContext): Handlers<typeof CloudletRefsApi> {
  return {
    async *showCloudletRefs(request) {
      const ports = sharedPorts(cache);
      const numbers = autoClusterNumbers(cache);
      for (const key of cache.sortedKeys(CloudletKind)) {
        const stored = cache.get(CloudletRefsKind, key);
        const rootLbPorts = ports.get(key);
        if (stored === undefined && rootLbPorts === undefined) continue;
        const refs = CloudletRefs.create({ key: CloudletKind.parseKey(key), ...stored, rootLbPorts });
        Object.assign(refs, holderLists(refs), {
          optResUsedMap: optionalResources(refs),
          reservedAutoClusterIds: numbers.get(key) ?? [],
        });
        if (matches(CloudletRefs, request, refs)) yield refs;
      }
    },
  };
}

/** Handlers of ClusterRefsApi. */
export function clusterRefsApi({ region: { cache } }: ApiContext): Handlers<typeof ClusterRefsApi> {
  return {
    async *showClusterRefs(request) {
      const found = new Map<string, ClusterRefs>();
      for (const { key: { appKey, clusterInstKey }, realClusterName } of cache.table(AppInstKind).values()) {
        const { clusterKey, cloudletKey, organization } = clusterInstKey;
        const virtual = realClusterName !== "" && realClusterName !== clusterKey.name ? clusterKey.name : "";
        const real = { clusterKey: { name: realClusterName || clusterKey.name }, cloudletKey, organization };
        const keyString = ClusterInstKind.keyString(real);
        if (cache.get(ClusterInstKind, keyString) === undefined) continue;
        let refs = found.get(keyString);
        if (refs === undefined) found.set(keyString, refs = ClusterRefs.create({ key: real }));
        refs.apps.push({ appKey, vClusterName: virtual });
      }
      for (const refs of found.values()) if (matches(ClusterRefs, request, refs)) yield refs;
    },
  };
}

/** Handlers of AppInstRefsApi. */
export function appInstRefsApi({ region: { cache } }: ApiContext): Handlers<typeof AppInstRefsApi> {
  return {
    async *showAppInstRefs(request) {
      const found = new Map([...cache.table(AppKind)].map(([key, app]) => [key, AppInstRefs.create({ key: app.key })]));
      for (const [keyString, { key, state }] of cache.table(AppInstKind)) {
        const refs = found.get(AppKind.keyString(key.appKey));
        if (refs === undefined) continue;
        refs.insts[keyString] = 1;
        if (isDeleting(state)) refs.deleteRequestedInsts[keyString] = 1;
      }
      for (const refs of found.values()) if (matches(AppInstRefs, request, refs)) yield refs;
    },
  };
}

/** Numbers of the clusters that were made for instances, by cloudlet. */
function autoClusterNumbers(cache: RegionCache): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const { key } of cache.table(ClusterInstKind).values()) {
    const number = reservableNumber(key.clusterKey.name);
    if (number === undefined) continue;
    const cloudletKey = CloudletKind.keyString(key.cloudletKey);
    numbers.set(cloudletKey, [...numbers.get(cloudletKey) ?? [], number].sort((a, b) => a - b));
  }
  return numbers;
}

const TCP = 1;
const UDP = 2;

/** Ports of the cloudlets' shared load balancers that instances hold: bit 1 tcp, bit 2 udp. */
function sharedPorts(cache: RegionCache): Map<string, Record<string, number>> {
  const ports = new Map<string, Record<string, number>>();
  for (const { key, mappedPorts, uri } of cache.table(AppInstKind).values()) {
    const cloudletKey = CloudletKind.keyString(key.clusterInstKey.cloudletKey);
    if (uri === "" || uri !== cache.get(CloudletKind, cloudletKey)?.rootLbFqdn) continue;
    let taken = ports.get(cloudletKey);
    if (taken === undefined) ports.set(cloudletKey, taken = {});
    for (const { proto, publicPort } of mappedPorts) {
      const bit = proto === dme.LProto.L_PROTO_UDP ? UDP : TCP;
      taken[publicPort] = (taken[publicPort] ?? 0) | bit;
    }
  }
  return ports;
}
