import { platformFeatures } from "../../../../../shared/platform_types/mod.ts";
import { RpcError, Status } from "../../../../../shared/rpc/mod.ts";
import {
  type AppInst,
  type CloudletKey,
  CloudletKind,
  CloudletRefs,
  CloudletRefsKind,
  type ClusterInst,
  FlavorKind,
} from "../../../../../shared/schema/mod.ts";
import { addToSums, appInstHolder, clusterHolder, hold, type Holder, letGo } from "../../rules/cloudlet_refs.ts";
import { hasDynamicIp, shortagesOf, shortageText, usageOf } from "../../rules/cloudlet_usage.ts";
import type { ResourceNeeds } from "../../rules/resource_needs.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { instanceNeeds, type Site, siteOf, type Taking } from "./site.ts";

/** The cloudlet's bookkeeping as it stands in this transaction; empty when nothing was ever given away. */
export async function readRefs(tx: ObjectTx, cloudletKey: CloudletKey): Promise<CloudletRefs> {
  const refs = await tx.get(CloudletRefsKind, CloudletKind.keyString(cloudletKey));
  return refs ?? CloudletRefs.create({ key: cloudletKey });
}

/**
 * Checks, in the transaction that will take them, that a cloudlet can give resources: against its quotas, what its
 * infrastructure has, and its addresses. Throws E_RESOURCE or E_INFRA_RESOURCE naming all that is short.
 *
 * @param holder who is to have them; what it has already counts as given
 */
export async function requireResources(tx: ObjectTx, site: Site, { holder, needs }: Taking): Promise<void> {
  check(await readRefs(tx, site.cloudlet.key), site, holder, needs);
}

/**
 * Takes resources for something that is created or changed, in the transaction that stores it: afterwards the holder has
 * exactly `needs`, whatever it had before. As every taking reads and writes one row of the cloudlet, of two callers who
 * want the last of a resource one is refused. Throws as {@linkcode requireResources} does.
 */
export async function takeResources(tx: ObjectTx, site: Site, { holder, needs }: Taking): Promise<void> {
  const refs = await readRefs(tx, site.cloudlet.key);
  check(refs, site, holder, needs);
  if (site.traits.features.counts === "instances") addToSums(refs, needs, 1);
  else hold(refs, holder, needs);
  tx.put(CloudletRefsKind, refs);
}

/** Gives back what a cluster had, in the transaction that removes it. Nothing happens when it had nothing. */
export async function giveBackClusterInst(tx: ObjectTx, { key }: ClusterInst): Promise<void> {
  await giveBack(tx, key.cloudletKey, [clusterHolder(key)]);
}

/** Gives back what an app instance had, in the transaction that removes it, or before it is placed anew. */
export async function giveBackAppInst(tx: ObjectTx, { key, flavor }: AppInst): Promise<void> {
  const { cloudletKey } = key.clusterInstKey;
  const cloudlet = await tx.get(CloudletKind, CloudletKind.keyString(cloudletKey));
  if (cloudlet === undefined) return;
  if (platformFeatures(cloudlet.platformType).counts === "machines") {
    // Its app, which would tell the deployment, may be gone.
    return await giveBack(tx, cloudletKey, [appInstHolder(key, "vm"), appInstHolder(key, "")]);
  }
  const size = await tx.get(FlavorKind, FlavorKind.keyString(flavor));
  if (size === undefined) return;
  const refs = await readRefs(tx, cloudletKey);
  addToSums(refs, instanceNeeds(siteOf(cloudlet, undefined, {}), size), -1);
  tx.put(CloudletRefsKind, refs);
}

async function giveBack(tx: ObjectTx, cloudletKey: CloudletKey, holders: readonly Holder[]): Promise<void> {
  const refs = await readRefs(tx, cloudletKey);
  const having = holders.filter((holder) => refs.held[holder] !== undefined);
  if (having.length === 0) return;
  for (const holder of having) letGo(refs, holder);
  tx.put(CloudletRefsKind, refs);
}

function check(refs: CloudletRefs, site: Site, holder: Holder, needs: ResourceNeeds): void {
  const before = refs.held[holder];
  const shortages = shortagesOf(usageOf(refs, site.bounds), needs, before?.amounts);
  if (shortages.length > 0) throw new RpcError(Status.FAILED_PRECONDITION, shortageText(shortages));
  const { numDynamicIps } = site.cloudlet;
  if (needs.dynamicIps > (before?.dynamicIps ?? 0) && !hasDynamicIp(refs, numDynamicIps)) {
    throw new RpcError(
      Status.FAILED_PRECONDITION,
      `Not enough resources available: all ${numDynamicIps} dynamic addresses of cloudlet ${site.keyString} are in use, ` +
        "one of them by its shared load balancer",
    );
  }
}
