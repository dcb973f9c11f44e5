import { type ClusterOps, infrastructureName, type ObjectRef, PlatformError } from "../../shared/platform/mod.ts";
import type { Engine } from "./engine.ts";
import { LABEL, refOf, type Site, siteFilter, siteLabels } from "./labels.ts";
import { createNetwork, removeNetwork } from "./networks.ts";

interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Record<string, string> | null;
}

/** Name of the network of a cluster. */
export function networkName(site: Site, cluster: ObjectRef): string {
  return infrastructureName([cluster.id], `${site.region}/${site.cloudlet}/${cluster.key}`);
}

/** Operations on clusters: each is a bridge network, so that instances of different clusters do not see each other. */
export function createClusterOps(engine: () => Engine, site: () => Site): ClusterOps {
  async function networks(filter: string): Promise<Network[]> {
    return await engine().call({ path: "/networks", query: { filters: filter } }) as Network[];
  }
  return {
    async create(spec, operation) {
      if (spec.deployment !== "docker") {
        throw new PlatformError(
          "Invalid",
          `Clusters of deployment "${spec.deployment}" cannot run on this site, it runs docker`,
        );
      }
      operation.signal.throwIfAborted();
      if ((await networks(siteFilter(site(), LABEL.clusterInst, spec.key))).length > 0) return;
      operation.progress("Creating the network");
      const labels = { ...siteLabels(site()), [LABEL.clusterInst]: spec.key, [LABEL.id]: spec.id };
      await createNetwork(engine(), networkName(site(), spec), labels, operation.signal);
    },
    async delete(ref, operation) {
      for (const { Id } of await networks(siteFilter(site(), LABEL.clusterInst, ref.key))) {
        operation.progress("Removing the network");
        await removeNetwork(engine(), Id, operation.signal);
      }
    },
    async list() {
      const found = await networks(siteFilter(site(), LABEL.clusterInst));
      return found.map(({ Labels }) => refOf(Labels ?? {}, LABEL.clusterInst));
    },
  };
}
