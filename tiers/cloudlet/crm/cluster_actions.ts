import {
  type CloudletPlatform,
  type ClusterOps,
  infrastructureName,
  PlatformError,
} from "../../../shared/platform/mod.ts";
import { type ClusterInst, ClusterInstInfo, ClusterInstKind } from "../../../shared/schema/mod.ts";
import type { Replicas } from "./replicas.ts";
import { clusterSpec } from "./specs.ts";
import type { TrackedActions } from "./tracked_work.ts";

/** What is done with cluster instances. `platform` gives the one in use. */
export function clusterActions(replicas: Replicas, platform: () => CloudletPlatform): TrackedActions<ClusterInst> {
  const { clusters, clusterInfo, lookup } = replicas;
  const ops = (): ClusterOps => {
    const found = platform().clusters;
    if (!found) throw new PlatformError("Invalid", `Platform ${platform().meta.type} has no clusters`);
    return found;
  };
  return {
    object: (key) => clusters.getByString(key),
    async create(_key, cluster, operation) {
      await ops().create(clusterSpec(cluster, lookup), operation);
    },
    async update(_key, cluster, operation) {
      await ops().create(clusterSpec(cluster, lookup), operation);
    },
    async delete(key, operation) {
      const parsed = ClusterInstKind.parseKey(key);
      const id = infrastructureName([parsed.organization, parsed.clusterKey.name], key);
      await ops().delete({ key, id }, operation);
    },
    found: () => Promise.resolve(),
    report(key, { state, errors, status }) {
      clusterInfo.put(
        ClusterInstInfo.create({ key: ClusterInstKind.parseKey(key), state, errors: [...errors], status }),
      );
    },
    retract: (key) => clusterInfo.delete(ClusterInstKind.parseKey(key)),
  };
}
