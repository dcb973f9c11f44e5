import { type ClusterOps, type ClusterSpec, type OperationContext, PlatformError } from "../../shared/platform/mod.ts";
import { addressAt, freePlace } from "./addresses.ts";
import { clusterAmounts, clusterMachines, type Infrastructure, requireRoom } from "./infrastructure.ts";

const DEPLOYMENTS: readonly string[] = ["kubernetes", "docker"];

/** Operations on clusters that are pretended to be there. */
export function createClusters(infrastructure: Infrastructure): ClusterOps {
  const { clusters, steps } = infrastructure;

  function check(spec: ClusterSpec): void {
    if (!DEPLOYMENTS.includes(spec.deployment)) {
      throw new PlatformError("Invalid", `A fake site has no clusters of deployment ${spec.deployment}`);
    }
    requireRoom(infrastructure, spec.key, clusterAmounts(infrastructure, spec));
  }

  async function put(spec: ClusterSpec): Promise<void> {
    const place = spec.dedicatedAddress ? clusters.get(spec.key)?.place ?? freePlace(infrastructure) : undefined;
    await clusters.put({ key: spec.key, id: spec.id, spec, place });
  }

  async function create(spec: ClusterSpec, operation: OperationContext): Promise<void> {
    if (isSame(clusters.get(spec.key)?.spec, spec)) return;
    check(spec);
    try {
      await steps.play("create-cluster", spec.key, operation, linesOf(spec));
    } catch (error) {
      if (spec.keepOnFailure) await put(spec);
      throw error;
    }
    await put(spec);
  }

  async function update(spec: ClusterSpec, operation: OperationContext): Promise<void> {
    const before = clusters.get(spec.key);
    if (!before) throw new PlatformError("NotFound", `Cluster ${spec.name} is not there`);
    check(spec);
    const [from, to] = [before.spec.nodes?.count ?? 0, spec.nodes?.count ?? 0];
    await steps.play("update-cluster", spec.key, operation, [
      ["Updating cluster", `from ${from} to ${to} nodes`],
      ["Waiting for nodes to become ready"],
    ]);
    await put(spec);
  }

  return {
    create,
    update,
    async delete(ref, operation) {
      await steps.play("delete-cluster", ref.key, operation, [["Deleting cluster"]]);
      await clusters.delete(ref.key);
    },
    list: () => Promise.resolve(clusters.all().map(({ key, id }) => ({ key, id }))),
    machines({ key }) {
      const record = clusters.get(key);
      return Promise.resolve(record ? clusterMachines(infrastructure, record.spec) : []);
    },
    address({ key }) {
      const place = clusters.get(key)?.place;
      return Promise.resolve(place === undefined ? undefined : addressAt(infrastructure, place));
    },
  };
}

function linesOf(spec: ClusterSpec): readonly (readonly [string, string?])[] {
  const count = (spec.masters?.count ?? 0) + (spec.nodes?.count ?? 0);
  const machines = Array.from({ length: count }, (_, i) => ["Creating VM", `${i + 1} of ${count}`] as const);
  return [
    ...(spec.dedicatedAddress ? [["Setting up load balancer"] as const] : []),
    ...machines,
    ["Waiting for cluster to become ready"],
  ];
}

function isSame(a: ClusterSpec | undefined, b: ClusterSpec): boolean {
  return a !== undefined && JSON.stringify({ ...a, keepOnFailure: 0 }) === JSON.stringify({ ...b, keepOnFailure: 0 });
}
