import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  type AppInst,
  type AppInstApi,
  AppInstKind,
  CloudletKind,
  matches,
  requiredIssues,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { alreadyExists, refuse } from "../faults.ts";
import type { Operation } from "../operations/operations.ts";
import { checkAppInst, defaultAppInstKey } from "../rules/app_inst.ts";
import { cloudletRefsRow } from "../state/rows.ts";
import { placeAppInst, removeAppInst } from "./app_inst_placement.ts";
import { readNew, show } from "./requests.ts";
import {
  requireWorkingCloudlet,
  siteFailure,
  STILL_IN_PROGRESS,
  timedOut,
  waitCreated,
  waitDeleted,
} from "./site_work.ts";

/** Handlers of AppInstApi. */
export function appInstApi(context: ApiContext): Handlers<typeof AppInstApi> {
  const { region, operations } = context;
  return {
    createAppInst(request, call) {
      const instance = readNew(AppInstKind, request, { defaults: defaultAppInstKey, check: checkAppInst });
      const key = AppInstKind.keyString(instance.key);
      return operations.run(AppInstKind, key, "create", (operation) => create(context, operation, key, instance))
        .read(call.signal);
    },
    deleteAppInst(request, call) {
      const instance = AppInstKind.message.create(request);
      defaultAppInstKey(instance);
      refuse(requiredIssues(AppInstKind.message, instance).filter(({ path }) => path.startsWith("key.")));
      const key = AppInstKind.keyString(instance.key);
      return operations.run(AppInstKind, key, "delete", (operation) => remove(context, operation, key))
        .read(call.signal);
    },
    showAppInst: (request, call) =>
      show(region.cache, AppInstKind, (instance) => matches(AppInstKind.message, request, instance), call),
  };
}

async function create(context: ApiContext, operation: Operation, key: string, wanted: AppInst): Promise<void> {
  const { region, zone, timeouts } = context;
  const { uri } = await region.change(async (tx) => {
    await operation.claim(tx);
    const before = await tx.get(AppInstKind, key);
    if (before && before.state !== TrackedState.DELETE_ERROR) {
      for (const error of before.errors) operation.progress.line(`Previous error: ${error}`);
      throw alreadyExists(AppInstKind, key);
    }
    const instance = await placeAppInst(tx, zone, AppInstKind.message.create(wanted), before);
    tx.put(AppInstKind, instance);
    return instance;
  }, cloudletRefsRow(CloudletKind.keyString(wanted.key.clusterInstKey.cloudletKey)));
  operation.progress.line(uri === "" ? "Creating app instance" : `Creating app instance at ${uri}`);
  const outcome = await waitCreated(operation, AppInstKind, key, timeouts.createAppInstMs);
  switch (outcome.kind) {
    case "ready":
      return operation.progress.line("Created app instance");
    case "working":
      return operation.progress.line("The cloudlet is still creating the app instance", STILL_IN_PROGRESS);
    case "failed":
    case "silent":
    case "gone":
      await undoCreate(context, key);
      throw outcome.kind === "failed" ? siteFailure(outcome.errors) : timedOut("the cloudlet did not begin");
  }
}

/** Removes an instance that its site failed to make; the site has cleaned up behind itself. */
async function undoCreate({ region }: ApiContext, key: string): Promise<void> {
  await region.change(async (tx) => {
    const instance = await tx.get(AppInstKind, key);
    if (instance?.state === TrackedState.CREATE_ERROR || instance?.state === TrackedState.CREATE_REQUESTED) {
      await removeAppInst(tx, instance);
    }
  });
}

async function remove(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { region, timeouts } = context;
  // Whatever state the instance is in: nobody else is working on it, as the claim has shown.
  await region.change(async (tx) => {
    await operation.claim(tx);
    const instance = await tx.require(AppInstKind, key);
    await requireWorkingCloudlet(tx, instance.key.clusterInstKey.cloudletKey, { deleting: true });
    tx.put(AppInstKind, { ...instance, state: TrackedState.DELETE_REQUESTED, errors: [] });
  });
  const outcome = await waitDeleted(operation, AppInstKind, key, timeouts.deleteAppInstMs);
  switch (outcome.kind) {
    case "gone":
      return operation.progress.line("Deleted app instance");
    case "working":
      return operation.progress.line("The cloudlet is still deleting the app instance", STILL_IN_PROGRESS);
    case "silent":
      throw timedOut("the cloudlet did not begin; it deletes the app instance when it can");
    case "failed":
    case "ready":
      await region.change(async (tx) => {
        const instance = await tx.get(AppInstKind, key);
        if (instance?.state !== TrackedState.DELETE_ERROR) return;
        tx.put(AppInstKind, { ...instance, state: TrackedState.READY, errors: [] });
      });
      throw siteFailure(outcome.kind === "failed" ? outcome.errors : []);
  }
}
