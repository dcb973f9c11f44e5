import {
  type CloudletPlatform,
  type ClusterOps,
  type InfraMachine,
  infrastructureName,
  type OperationContext,
  PlatformError,
} from "../../../shared/platform/mod.ts";
import { type ClusterInst, ClusterInstInfo, ClusterInstKind } from "../../../shared/schema/mod.ts";
import type { Replicas } from "./replicas.ts";
import { clusterSpec } from "./specs.ts";
import type { TrackedActions } from "./tracked_work.ts";
import { versionOf } from "./object_version.ts";

/** What is done with cluster instances. `platform` gives the one in use. */
export function clusterActions(replicas: Replicas, platform: () => CloudletPlatform): TrackedActions<ClusterInst> {
  const { clusters, clusterInfo, lookup } = replicas;
  const ops = (): ClusterOps => {
    const found = platform().clusters;
    if (!found) throw new PlatformError("Invalid", `Platform ${platform().meta.type} has no clusters`);
    return found;
  };
  const machines = new Map<string, readonly InfraMachine[]>();
  const idOf = (key: string): string => {
    const parsed = ClusterInstKind.parseKey(key);
    return infrastructureName([parsed.organization, parsed.clusterKey.name], key);
  };
  /** What a cluster consists of is for people only: not to know it is no reason to fail. */
  const look = async (key: string): Promise<void> => {
    const found = await platform().clusters?.machines?.({ key, id: idOf(key) }).catch(() => []);
    if (found !== undefined) machines.set(key, found);
  };
  const deploy =
    (action: "create" | "update") =>
    async (key: string, cluster: ClusterInst, operation: OperationContext): Promise<void> => {
      const spec = clusterSpec(cluster, lookup);
      const found = ops();
      await (action === "update" && found.update ? found.update(spec, operation) : found.create(spec, operation));
      await look(key);
    };
  return {
    object: (key) => clusters.getByString(key),
    create: deploy("create"),
    update: deploy("update"),
    async delete(key, operation) {
      await ops().delete({ key, id: idOf(key) }, operation);
      machines.delete(key);
    },
    found: (key) => look(key),
    report(key, { state, errors, status }) {
      const vms = machines.get(key)?.map(({ name, type, status, flavor }) => ({
        name,
        type,
        status,
        infraFlavor: flavor,
      }));
      clusterInfo.put(ClusterInstInfo.create({
        key: ClusterInstKind.parseKey(key),
        state,
        errors: [...errors],
        status,
        resources: vms && { vms },
        answeredRequest: versionOf(clusters.getByString(key)),
      }));
    },
    retract(key) {
      machines.delete(key);
      clusterInfo.delete(ClusterInstKind.parseKey(key));
    },
  };
}
