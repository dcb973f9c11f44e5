import {
  type AppInst,
  AppInstKind,
  AppKind,
  matches,
  requiredIssues,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import { RpcError } from "../../../../../shared/rpc/mod.ts";
import type { ApiContext } from "../../context.ts";
import { notFound, refuse } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { Progress } from "../../operations/progress.ts";
import { type Override, overrideOf } from "../../rules/crm_override.ts";
import { requireUpdatable } from "../cluster_inst/update.ts";
import { openSite, siteTimeout } from "../site_work.ts";
import { readInstanceKey } from "./key.ts";
import { awaitAppInstUpdate } from "./update.ts";

/** Instances that one call refreshes at the same time. */
const PARALLEL = 16;
/** Instances after which a call that refreshes many says how far it is. */
const TOLD_EVERY = 10;

/** How the refresh of one instance went. */
type Outcome = "updated" | "skipped";

/** RefreshAppInst: one instance by its key, or all that are like an example (specification 2.5). */
export function refreshAppInst(context: ApiContext, request: AppInst): Progress {
  if (request.updateMultiple) return refreshMany(context, request);
  return refreshOne(context, readInstanceKey(context, request), request).progress;
}

function refreshOne(
  context: ApiContext,
  key: string,
  { forceUpdate, crmOverride }: AppInst,
): { progress: Progress; outcome(): Outcome } {
  const override = overrideOf(crmOverride);
  let outcome: Outcome = "skipped";
  const progress = context.operations.run(AppInstKind, key, "update", async (operation) => {
    if (!await requestRefresh(context, operation, key, forceUpdate, override)) {
      return operation.progress.line("The app instance is up to date");
    }
    outcome = "updated";
    if (override.ignoresSite) return operation.progress.line("Updated app instance, without its site");
    await awaitAppInstUpdate(context, operation, key, override);
  }, { override: crmOverride });
  return { progress, outcome: () => outcome };
}

/** Asks the site to deploy an instance anew. False when it is as the app is already. */
async function requestRefresh(
  context: ApiContext,
  operation: Operation,
  key: string,
  force: boolean,
  override: Override,
): Promise<boolean> {
  return await context.region.change(async (tx) => {
    await operation.claim(tx, {
      timeoutMs: siteTimeout(context, AppInstKind.parseKey(key).clusterInstKey.cloudletKey, "updateAppInstMs"),
    });
    const instance = await tx.require(AppInstKind, key);
    const app = await tx.requireUsable(AppKind, AppKind.keyString(instance.key.appKey));
    requireUpdatable(`AppInst ${key}`, instance.state, override);
    const failed = instance.state === TrackedState.UPDATE_ERROR;
    if (instance.revision === app.revision && !force && !failed) return false;
    await openSite(tx, instance.key.clusterInstKey.cloudletKey, { override });
    const state = override.ignoresSite ? TrackedState.READY : TrackedState.UPDATE_REQUESTED;
    tx.put(AppInstKind, { ...instance, revision: app.revision, state, errors: [] });
    return true;
  });
}

/** Refreshes many at once; that some fail is told, and does not fail the call. It goes on when its caller hangs up. */
function refreshMany(context: ApiContext, request: AppInst): Progress {
  const { cache } = context.region;
  refuse(
    requiredIssues(AppKind.keyMessage, request.key.appKey).map((issue) => ({
      ...issue,
      path: `key.app_key.${issue.path}`,
    })),
  );
  const appKey = AppKind.keyString(request.key.appKey);
  if (cache.get(AppKind, appKey) === undefined) throw notFound(AppKind, appKey);
  const keys = [...cache.referrersOfKind(AppKind, appKey, AppInstKind)].sort().filter((key) => {
    const instance = cache.get(AppInstKind, key);
    return instance !== undefined && matches(AppInstKind.message, request, instance);
  });
  const progress = new Progress();
  const counts = { updated: 0, skipped: 0, failed: 0 };
  const waiting = [...keys];
  progress.line(`Updating ${keys.length} app instances`);
  async function worker(): Promise<void> {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      try {
        const { progress: one, outcome } = refreshOne(context, key, request);
        for await (const _ of one.read(new AbortController().signal));
        counts[outcome()]++;
      } catch (error) {
        counts.failed++;
        progress.line(`Failed for ${key}: ${RpcError.from(error).message}`);
      }
      const done = counts.updated + counts.skipped + counts.failed;
      if (done % TOLD_EVERY === 0 && done < keys.length) progress.line(`${done} of ${keys.length} done`);
    }
  }
  Promise.all(Array.from({ length: Math.min(PARALLEL, keys.length) }, worker)).then(() => {
    const { updated, skipped, failed } = counts;
    progress.line(`${keys.length} in all: ${updated} updated, ${skipped} skipped, ${failed} failed`);
    progress.end();
  });
  return progress;
}
