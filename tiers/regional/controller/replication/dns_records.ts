import type { DnsDriver } from "../../../../shared/dns/mod.ts";
import { type Cloudlet, CloudletInfoKind, CloudletKind } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { KeyedQueue } from "../operations/keyed_queue.ts";
import type { RegionCache } from "../state/region_cache.ts";

/** Property in a site's report with the address under which the world reaches its load balancer. */
export const PUBLIC_ADDRESS = "public_address";

/** Time for which resolvers may keep a site's address, in seconds: short, as sites move to other addresses. */
const TTL_SECONDS = 60;

/**
 * Keeps the names of the sites' load balancers pointing to the addresses that the sites report. A site that reports none
 * has no record. What a provider refuses is logged and tried again with the site's next change.
 */
export function maintainDns(dns: DnsDriver, cache: RegionCache, log: Logger): () => Promise<void> {
  const queue = new KeyedQueue(async (task) => {
    try {
      await task();
    } catch (error) {
      log.warn("DNS record of a cloudlet could not be written", { error });
    }
  });

  function refresh(key: string, gone: Cloudlet | undefined): void {
    queue.submit(key, async () => {
      const cloudlet = cache.get(CloudletKind, key);
      const name = (cloudlet ?? gone)?.rootLbFqdn ?? "";
      if (name === "") return;
      const address = cloudlet && cache.get(CloudletInfoKind, key)?.properties[PUBLIC_ADDRESS];
      if (address === undefined || address === "") await dns.delete(name);
      else await dns.upsert({ name, type: typeOf(address), values: [address], ttlSeconds: TTL_SECONDS });
    });
  }

  for (const key of cache.table(CloudletKind).keys()) refresh(key, undefined);
  const unsubscribe = cache.subscribe(({ objects }) => {
    for (const { kind, keyString, object, old } of objects) {
      if (kind.kind === CloudletKind.kind) refresh(keyString, object === undefined ? old as Cloudlet : undefined);
      if (kind.kind === CloudletInfoKind.kind && object !== undefined) refresh(keyString, undefined);
    }
  });
  return async () => {
    unsubscribe();
    await queue.settled();
  };
}

function typeOf(address: string): "A" | "AAAA" | "CNAME" {
  if (address.includes(":")) return "AAAA";
  return /^[0-9.]+$/.test(address) ? "A" : "CNAME";
}
