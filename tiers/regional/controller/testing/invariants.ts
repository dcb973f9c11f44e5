import { isDeepStrictEqual } from "node:util";
import { platformFeatures } from "../../../../shared/platform_types/mod.ts";
import {
  type AppInst,
  AppInstKind,
  type Cloudlet,
  CloudletKind,
  type CloudletRefs,
  CloudletRefsKind,
  type ClusterInst,
  ClusterInstKind,
  type Flavor,
  FlavorKind,
  kinds,
  type TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { Store, StoreEntry } from "../../../../shared/store/mod.ts";
import type { AnyKind } from "../faults.ts";
import { isTransient } from "../operations/transitions.ts";
import { referencesOf } from "../state/references.ts";
import { decodeObject, decodeRow } from "../state/rows.ts";

/** Kinds that sites and services tell by themselves: their references follow the objects a moment later. */
const REPORTED: readonly string[] = ["CloudletInfo", "Alert", "Node", "Controller"];

/**
 * What is wrong with a region at rest, as it stands in the store: references to what is gone, rows that belong to nobody,
 * resources that are taken by nobody, objects left in the middle of something. Empty when all is well.
 */
export async function faultsOf(store: Store): Promise<string[]> {
  const { entries } = await store.scan("/v1/");
  const faults: string[] = [];
  const objects = new Map<string, { kind: AnyKind; object: object }>();
  for (const kind of (kinds as readonly AnyKind[]).filter(({ stored }) => stored)) {
    for (const { key, value } of entries.filter(({ key }) => key.startsWith(kind.storePrefix))) {
      objects.set(key, { kind, object: decodeObject<object>(kind, value) });
    }
  }
  for (const [key, { kind, object }] of objects) {
    const { deletePrepare, state } = object as { deletePrepare?: boolean; state?: TrackedState };
    if (deletePrepare) faults.push(`${key} is marked for deletion`);
    if (["AppInst", "ClusterInst", "Cloudlet"].includes(kind.kind) && isTransient(state!)) {
      faults.push(`${key} is stuck in ${state}`);
    }
    if (REPORTED.includes(kind.kind)) continue;
    for (const { kind: target, keyString } of referencesOf(kind, object)) {
      if (!target.stored || objects.has(target.storePrefix + keyString)) continue;
      faults.push(`${key} refers to ${target.kind} ${keyString}, which is gone`);
    }
  }
  const all = <T>(kind: AnyKind): T[] =>
    [...objects.values()].filter((found) => found.kind.kind === kind.kind).map(({ object }) => object as T);
  const region: Held = {
    instances: all<AppInst>(AppInstKind),
    clusters: all<ClusterInst>(ClusterInstKind),
    cloudlets: all<Cloudlet>(CloudletKind),
    flavors: all<Flavor>(FlavorKind),
    refs: all<CloudletRefs>(CloudletRefsKind),
  };
  const row = (prefix: string) => entries.filter(({ key }) => key.startsWith(prefix));
  faults.push(...row("/v1/Operation/").map(({ key }) => `${key} is held by nobody`));
  faults.push(...identifierFaults(region, row), ...portFaults(region, row), ...memberFaults(region, row));
  faults.push(...reservationFaults(region), ...resourceFaults(region));
  return faults;
}

interface Held {
  readonly instances: readonly AppInst[];
  readonly clusters: readonly ClusterInst[];
  readonly cloudlets: readonly Cloudlet[];
  readonly flavors: readonly Flavor[];
  readonly refs: readonly CloudletRefs[];
}

/** Clusters among the holders of resources. */
const CLUSTER_HOLDER = "ClusterInst/";

type Rows = (prefix: string) => StoreEntry[];

/** What is in one list and not in the other. */
function differences(what: string, held: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...held.filter((name) => !wanted.includes(name)).map((name) => `${what} ${name} is held by nobody`),
    ...wanted.filter((name) => !held.includes(name)).map((name) => `${what} ${name} is not held`),
  ];
}

function names(rows: readonly StoreEntry[], prefix: string): string[] {
  return rows.map(({ key }) => key.slice(prefix.length));
}

function identifierFaults({ instances, clusters, cloudlets }: Held, row: Rows): string[] {
  const labelOf = (key: AppInst["key"]["clusterInstKey"]["cloudletKey"]) =>
    cloudlets.find((cloudlet) => CloudletKind.keyString(cloudlet.key) === CloudletKind.keyString(key))?.dnsLabel;
  const objectLabels = [
    ...instances.filter(({ dnsLabel }) => dnsLabel !== "").map(({ key, dnsLabel }) =>
      `${labelOf(key.clusterInstKey.cloudletKey)}/${dnsLabel}`
    ),
    ...clusters.filter(({ dnsLabel }) => dnsLabel !== "").map(({ key, dnsLabel }) =>
      `${labelOf(key.cloudletKey)}/${dnsLabel}`
    ),
  ];
  const held = (prefix: string) => names(row(prefix), prefix);
  return [
    ...differences("identifier", held("/v1/AppInstId/"), instances.map(({ uniqueId }) => uniqueId)),
    ...differences("label of a cloudlet", held("/v1/CloudletDnsLabel/"), cloudlets.map(({ dnsLabel }) => dnsLabel)),
    ...differences("label", held("/v1/CloudletObjectDnsLabel/"), objectLabels),
  ];
}

/** Public ports, as "tcp:443" of an identifier; instances in clusters with a balancer of their own have theirs there. */
function portFaults({ instances }: Held, row: Rows): string[] {
  const held = row("/v1/CloudletPorts/").flatMap(({ value }) =>
    Object.keys((decodeRow(value) as { ports: Record<string, string[]> }).ports)
  );
  const holders = instances.filter(({ mappedPorts }) => mappedPorts.length > 0).map(({ uniqueId }) => uniqueId);
  return differences("ports of", held, holders);
}

function memberFaults({ instances, clusters }: Held, row: Rows): string[] {
  const prefix = "/v1/ClusterRefs/";
  const faults: string[] = [];
  const ids = instances.map(({ uniqueId }) => uniqueId);
  const keys = clusters.map(({ key }) => ClusterInstKind.keyString(key));
  for (const { key, value } of row(prefix)) {
    if (!keys.includes(key.slice(prefix.length))) faults.push(`members of ${key}, which is gone`);
    for (const id of Object.keys(decodeRow(value) as object)) {
      if (!ids.includes(id)) faults.push(`${id} is a member of ${key} and is gone`);
    }
  }
  return faults;
}

function reservationFaults({ instances, clusters }: Held): string[] {
  return clusters.filter(({ reservable, reservedBy, key }) =>
    reservable && reservedBy !== "" &&
    !instances.some(({ realClusterName, key: { appKey, clusterInstKey } }) =>
      appKey.organization === reservedBy && (realClusterName || clusterInstKey.clusterKey.name) === key.clusterKey.name
    )
  ).map(({ key, reservedBy }) => `${ClusterInstKind.keyString(key)} is lent to ${reservedBy} for nothing`);
}

/** Clusters hold what they take, and nobody else does; the sums are those of the holders. */
function resourceFaults({ instances, clusters, cloudlets, flavors, refs }: Held): string[] {
  const faults: string[] = [];
  for (const { key, held, used, usedDynamicIps } of refs) {
    const name = CloudletKind.keyString(key);
    const cloudlet = cloudlets.find((one) => CloudletKind.keyString(one.key) === name);
    if (cloudlet === undefined) {
      faults.push(`resources of ${name}, which is gone`);
      continue;
    }
    const countsMachines = platformFeatures(cloudlet.platformType).counts === "machines";
    const holders = Object.keys(held).filter((holder) => holder.startsWith(CLUSTER_HOLDER))
      .map((holder) =>
        (JSON.parse(holder.slice(CLUSTER_HOLDER.length)) as { cluster_key: { name: string } }).cluster_key.name
      );
    const there = clusters.filter((cluster) => CloudletKind.keyString(cluster.key.cloudletKey) === name)
      .map((cluster) => cluster.key.clusterKey.name);
    faults.push(...differences(`resources at ${name} of cluster`, holders, countsMachines ? there : []));
    const sums: Record<string, number> = {};
    const count = (amounts: Readonly<Record<string, number>>) => {
      for (const [resource, amount] of Object.entries(amounts)) sums[resource] = (sums[resource] ?? 0) + amount;
    };
    for (const { amounts } of Object.values(held)) count(amounts);
    // Elsewhere instances are counted, in the sums alone.
    const counted = countsMachines
      ? []
      : instances.filter((one) => CloudletKind.keyString(one.key.clusterInstKey.cloudletKey) === name);
    for (const { flavor } of counted) {
      const size = flavors.find((one) => one.key.name === flavor.name);
      count({ RAM: size?.ram ?? 0, vCPUs: size?.vcpus ?? 0, Disk: size?.disk ?? 0 });
    }
    const addresses = Object.values(held).reduce((sum, { dynamicIps }) => sum + dynamicIps, 0);
    if (!isDeepStrictEqual({ ...used }, sums) || usedDynamicIps !== addresses) {
      faults.push(`sums of ${name}: ${JSON.stringify({ used, usedDynamicIps, sums, addresses })}`);
    }
  }
  return faults;
}
