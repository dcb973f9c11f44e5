import { type ClusterInst, type Flavor, FlavorKind, IpAccess, SettingsKind } from "../../../../../shared/schema/mod.ts";
import { failedPrecondition } from "../../faults.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { SETTINGS_KEY } from "../../state/settings.ts";
import { needsOfClusterInst, type Site, takeResources } from "../resources/mod.ts";

/** A cluster's address of the site's pool. */
const DYNAMIC = "dynamic";

/**
 * Finds the sizes of a cluster's machines on the infrastructure, and takes what they need, in the place of what the cluster
 * had before (specification 3.9 steps 7 and 8, 4.6, 4.7). Throws when nothing fits, or not so much is left.
 */
export async function takeForCluster(tx: ObjectTx, site: Site, cluster: ClusterInst): Promise<void> {
  const flavor = await tx.requireUsable(FlavorKind, FlavorKind.keyString(cluster.flavor));
  const taking = needsOfClusterInst(site, cluster, flavor, await masterFlavor(tx, cluster, flavor));
  requireGpuDriver(site, cluster);
  await takeResources(tx, site, taking);
  cluster.allocatedIp = taking.needs.dynamicIps > 0 && cluster.ipAccess === IpAccess.IP_ACCESS_DEDICATED ? DYNAMIC : "";
}

/** Masters that leave the work to workers may be of another flavor; without workers they do it themselves. */
async function masterFlavor(tx: ObjectTx, cluster: ClusterInst, flavor: Flavor): Promise<Flavor> {
  if (cluster.numMasters === 0 || cluster.numNodes === 0) return flavor;
  const name = (await tx.get(SettingsKind, SETTINGS_KEY))?.masterNodeFlavor ?? "";
  return name === "" ? flavor : await tx.get(FlavorKind, FlavorKind.keyString({ name })) ?? flavor;
}

/** Nodes with an accelerator are of no use without its driver. */
function requireGpuDriver({ cloudlet, keyString }: Site, { optRes }: ClusterInst): void {
  if (optRes !== "gpu" || (cloudlet.gpuConfig?.driver.name ?? "") !== "") return;
  throw failedPrecondition(`Cloudlet ${keyString} has no GPU driver, which nodes with GPUs need`);
}
