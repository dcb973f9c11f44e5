import type { DnsDriver } from "../../../../shared/dns/mod.ts";
import { PUBLIC_ADDRESS } from "../../../../shared/platform/mod.ts";
import type { Clock, Timer } from "../../../../shared/runtime/mod.ts";
import {
  type AppInst,
  AppInstKind,
  type Cloudlet,
  CloudletInfoKind,
  CloudletKind,
  type ClusterInst,
  ClusterInstKind,
  dme,
} from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { KeyedQueue } from "../operations/keyed_queue.ts";
import type { DnsZone } from "../rules/dns_labels.ts";
import { type Addresses, balancerNames, clusterNames, hasAddress, instanceNames } from "../rules/dns_targets.ts";
import type { RegionCache } from "../state/region_cache.ts";

/** Time for which resolvers may keep an address, in seconds: short, as sites move to other addresses. */
const TTL_SECONDS = 60;
/** Pause before what a provider has refused is tried again, in milliseconds. */
const RETRY_MS = 30_000;

const NOTHING: Addresses = new Map();

/** What {@linkcode maintainDns} works with. */
export interface DnsParts {
  readonly dns: DnsDriver;
  readonly cache: RegionCache;
  readonly zone: DnsZone;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Keeps the names of load balancers, clusters and instances pointing to the addresses that the sites report, and takes
 * them away with what they name. What no address is reported for has no record of ours. What a provider refuses is logged
 * and tried again.
 */
export function maintainDns({ dns, cache, zone, clock, log }: DnsParts): () => Promise<void> {
  /** What each name leads to, and whose it is: a name may pass from one object to another. */
  const wanted = new Map<string, { readonly owner: string; readonly values: readonly string[] }>();
  const byOwner = new Map<string, Addresses>();
  const retries = new Map<string, Timer>();
  /** What was said last of a name that cannot be written: it is said once. */
  const faults = new Map<string, string>();
  const queue = new KeyedQueue((task) => task());

  function settle(name: string): void {
    retries.get(name)?.cancel();
    retries.delete(name);
    queue.submit(name, async () => {
      const values = wanted.get(name)?.values;
      try {
        if (values === undefined) await dns.delete(name);
        else await dns.upsert({ name, type: typeOf(values[0]!), values, ttlSeconds: TTL_SECONDS });
        if (faults.delete(name)) log.info("DNS record is as it should be again", { name });
      } catch (error) {
        const fault = `${values}: ${error}`;
        if (faults.get(name) !== fault) log.warn("DNS record could not be written", { name, error });
        faults.set(name, fault);
        retries.set(name, clock.setTimer(() => settle(name), RETRY_MS));
      }
    });
  }

  function own(owner: string, names: Addresses): void {
    const before = byOwner.get(owner) ?? NOTHING;
    if (names.size === 0) byOwner.delete(owner);
    else byOwner.set(owner, names);
    for (const name of before.keys()) {
      if (names.has(name) || wanted.get(name)?.owner !== owner) continue;
      wanted.delete(name);
      settle(name);
    }
    for (const [name, values] of names) {
      const present = wanted.get(name);
      wanted.set(name, { owner, values });
      if (present?.values.join() !== values.join()) settle(name);
    }
  }

  function lookAtCloudlet(key: string): void {
    const cloudlet = cache.get(CloudletKind, key);
    const info = cache.get(CloudletInfoKind, key);
    const address = info?.properties[PUBLIC_ADDRESS] ?? "";
    // A site that is only coming up does not know its address yet.
    if (cloudlet && address === "" && info?.state !== dme.CloudletState.CLOUDLET_STATE_READY) return;
    own(`Cloudlet/${key}`, cloudlet ? balancerNames(cloudlet, address) : NOTHING);
  }

  const labelOf = (key: Cloudlet["key"]): string =>
    cache.get(CloudletKind, CloudletKind.keyString(key))?.dnsLabel ?? "";

  function lookAtCluster(key: string, cluster: ClusterInst | undefined): void {
    const names = cluster && hasAddress(cluster)
      ? clusterNames(cluster, labelOf(cluster.key.cloudletKey), zone)
      : NOTHING;
    if (names.size > 0 || byOwner.has(`ClusterInst/${key}`)) own(`ClusterInst/${key}`, names);
  }

  function lookAtInstance(key: string, instance: AppInst | undefined): void {
    const names = instance && hasAddress(instance)
      ? instanceNames(instance, labelOf(instance.key.clusterInstKey.cloudletKey), zone)
      : NOTHING;
    if (names.size > 0 || byOwner.has(`AppInst/${key}`)) own(`AppInst/${key}`, names);
  }

  for (const key of cache.table(CloudletKind).keys()) lookAtCloudlet(key);
  for (const [key, cluster] of cache.table(ClusterInstKind)) lookAtCluster(key, cluster);
  for (const [key, instance] of cache.table(AppInstKind)) lookAtInstance(key, instance);
  const unsubscribe = cache.subscribe(({ objects }) => {
    for (const { kind, keyString, object } of objects) {
      if (kind.kind === CloudletKind.kind || kind.kind === CloudletInfoKind.kind) lookAtCloudlet(keyString);
      if (kind.kind === ClusterInstKind.kind) lookAtCluster(keyString, object as ClusterInst | undefined);
      if (kind.kind === AppInstKind.kind) lookAtInstance(keyString, object as AppInst | undefined);
    }
  });
  return async () => {
    unsubscribe();
    await queue.settled();
    for (const timer of retries.values()) timer.cancel();
  };
}

function typeOf(address: string): "A" | "AAAA" | "CNAME" {
  if (address.includes(":")) return "AAAA";
  return /^[0-9.]+$/.test(address) ? "A" : "CNAME";
}
