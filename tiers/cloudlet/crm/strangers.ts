import type { CloudletPlatform, ObjectRef, OperationContext } from "../../../shared/platform/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";

/**
 * Removes what the infrastructure holds for this site and the region does not know: left by deletions while this
 * process was away. Only to be called when the region's objects are completely known. Returns how many were removed.
 */
export async function removeStrangers(
  { platform, isKnown, operation, log }: {
    platform: CloudletPlatform;
    isKnown: (kind: "AppInst" | "ClusterInst", key: string) => boolean;
    operation: OperationContext;
    log: Logger;
  },
): Promise<number> {
  let removed = 0;
  const remove = async (
    kind: "AppInst" | "ClusterInst",
    found: readonly ObjectRef[],
    end: (ref: ObjectRef) => Promise<void>,
  ) => {
    for (const ref of found) {
      if (isKnown(kind, ref.key)) continue;
      log.warn("Removing what the region does not know", { kind, key: ref.key, id: ref.id });
      await end({ key: ref.key, id: ref.id });
      removed++;
    }
  };
  await remove("AppInst", await platform.apps.list(operation), (ref) => platform.apps.delete(ref, operation));
  const { clusters } = platform;
  if (clusters) await remove("ClusterInst", await clusters.list(operation), (ref) => clusters.delete(ref, operation));
  return removed;
}
