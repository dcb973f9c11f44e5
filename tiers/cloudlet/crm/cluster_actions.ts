import {
  type CloudletPlatform,
  type ClusterOps,
  type InfraMachine,
  infrastructureName,
  type OperationContext,
  PlatformError,
} from "../../../shared/platform/mod.ts";
import { type ClusterInst, ClusterInstInfo, ClusterInstKind, TrackedState } from "../../../shared/schema/mod.ts";
import type { Replicas } from "./replicas.ts";
import { clusterSpec } from "./specs.ts";
import type { TrackedActions } from "./tracked_work.ts";
import { versionOf } from "./object_version.ts";

/** What is done with cluster instances. */
export interface ClusterActions extends TrackedActions<ClusterInst> {
  /** Looks at a cluster that is ready, and reports it when its address is another than before. */
  lookAgain(key: string): Promise<void>;
}

/** Makes the actions. `platform` gives the one in use. */
export function clusterActions(replicas: Replicas, platform: () => CloudletPlatform): ClusterActions {
  const { clusters, clusterInfo, lookup } = replicas;
  const ops = (): ClusterOps => {
    const found = platform().clusters;
    if (!found) throw new PlatformError("Invalid", `Platform ${platform().meta.type} has no clusters`);
    return found;
  };
  const machines = new Map<string, readonly InfraMachine[]>();
  const addresses = new Map<string, string>();
  const idOf = (key: string): string => {
    const parsed = ClusterInstKind.parseKey(key);
    return infrastructureName([parsed.organization, parsed.clusterKey.name], key);
  };
  /** Not to know what a cluster consists of, or its address just now, is no reason to fail. */
  const look = async (key: string): Promise<void> => {
    const ref = { key, id: idOf(key) };
    const found = await platform().clusters?.machines?.(ref).catch(() => []);
    if (found !== undefined) machines.set(key, found);
    const address = await platform().clusters?.address?.(ref).catch(() => undefined);
    if (address !== undefined) addresses.set(key, address);
  };
  const forget = (key: string): void => {
    machines.delete(key);
    addresses.delete(key);
  };
  const deploy =
    (action: "create" | "update") =>
    async (key: string, cluster: ClusterInst, operation: OperationContext): Promise<void> => {
      const spec = clusterSpec(cluster, lookup);
      const found = ops();
      await (action === "update" && found.update ? found.update(spec, operation) : found.create(spec, operation));
      await look(key);
    };
  const actions: ClusterActions = {
    object: (key) => clusters.getByString(key),
    create: deploy("create"),
    update: deploy("update"),
    async delete(key, operation) {
      await ops().delete({ key, id: idOf(key) }, operation);
      forget(key);
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
        address: addresses.get(key) ?? "",
        answeredRequest: versionOf(clusters.getByString(key)),
      }));
    },
    retract(key) {
      forget(key);
      clusterInfo.delete(ClusterInstKind.parseKey(key));
    },
    async lookAgain(key) {
      const before = addresses.get(key);
      await look(key);
      if (addresses.get(key) === before) return;
      actions.report(key, { state: TrackedState.READY, errors: [], status: undefined });
    },
  };
  return actions;
}
