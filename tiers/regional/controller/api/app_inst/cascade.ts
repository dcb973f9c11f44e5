import { AppInstKind, AppKind, CRMOverride, Liveness } from "../../../../../shared/schema/mod.ts";
import { RpcError, Status } from "../../../../../shared/rpc/mod.ts";
import type { ApiContext } from "../../context.ts";
import { isBusy } from "../../faults.ts";
import type { Progress } from "../../operations/progress.ts";
import { type Override, overrideOf } from "../../rules/crm_override.ts";
import { isSidecar } from "../../rules/deployments.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { deleteAppInst } from "./remove.ts";

/** Pause before the deletion of a busy instance is tried again, in milliseconds (specification 4.1). */
const BUSY_RETRY_MS = 500;

/**
 * Whether an instance keeps what it depends on from being deleted. Those that were made by themselves, or are the
 * platform's own, go along; those made by policy only when their own organization deletes (specification 4.1).
 *
 * @param deletingOrg organization that owns the object to be deleted
 */
export function staysWithoutOwner(cache: RegionCache, instanceKey: string, deletingOrg: string): boolean {
  const instance = cache.get(AppInstKind, instanceKey);
  if (instance === undefined || instance.liveness === Liveness.LIVENESS_DYNAMIC) return false;
  const app = cache.get(AppKind, AppKind.keyString(instance.key.appKey));
  if (app !== undefined && isSidecar(app)) return false;
  return instance.liveness !== Liveness.LIVENESS_AUTOPROV || deletingOrg !== instance.key.appKey.organization;
}

/**
 * Deletes instances along with what they depend on, one after another in the order of their keys. Without an override of
 * the caller's, failures of the site are ignored. One that is busy is tried until it is not, as long as a deletion may take.
 */
export async function deleteWithOwner(
  context: ApiContext,
  progress: Progress,
  instanceKeys: readonly string[],
  { override, withCloudlet }: { override: Override; withCloudlet?: boolean },
): Promise<void> {
  const inherited = override.value === CRMOverride.NO_OVERRIDE ? overrideOf(CRMOverride.IGNORE_CRM_ERRORS) : override;
  for (const key of instanceKeys) {
    progress.line(`Deleting app instance ${key}`);
    await deleteWhenIdle(context, key, inherited, withCloudlet ?? false);
  }
}

async function deleteWhenIdle(
  context: ApiContext,
  key: string,
  override: Override,
  withCloudlet: boolean,
): Promise<void> {
  const { operations, clock, timeouts } = context;
  const untilMs = clock.monotonic() + timeouts.deleteAppInstMs;
  for (;;) {
    try {
      const progress = operations.run(
        AppInstKind,
        key,
        "delete",
        (operation) => deleteAppInst(context, operation, key, { override, ready: !withCloudlet }),
        { override: override.value },
      );
      for await (const _ of progress.read(new AbortController().signal));
      return;
    } catch (error) {
      const failure = RpcError.from(error);
      if (failure.code === Status.NOT_FOUND) return;
      if (!isBusy(failure) || clock.monotonic() >= untilMs) throw failure;
    }
    await clock.sleep(BUSY_RETRY_MS);
  }
}
