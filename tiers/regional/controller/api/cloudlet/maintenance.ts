import {
  AutoProvInfo,
  AutoProvInfoKind,
  type Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  dme,
  enumText,
} from "../../../../../shared/schema/mod.ts";
import { RpcError, Status } from "../../../../../shared/rpc/mod.ts";
import type { ApiContext } from "../../context.ts";
import { failedPrecondition } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { overrideOf } from "../../rules/crm_override.ts";
import type { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { siteFailure, timedOut } from "../site_work.ts";

const {
  NORMAL_OPERATION,
  MAINTENANCE_START,
  FAILOVER_REQUESTED,
  FAILOVER_DONE,
  FAILOVER_ERROR,
  MAINTENANCE_START_NO_FAILOVER,
  CRM_REQUESTED,
  CRM_UNDER_MAINTENANCE,
  CRM_ERROR,
  NORMAL_OPERATION_INIT,
  UNDER_MAINTENANCE,
} = dme.MaintenanceState;

type State = dme.MaintenanceState;

/** What callers may ask for. */
const ASKED: readonly State[] = [NORMAL_OPERATION, MAINTENANCE_START, MAINTENANCE_START_NO_FAILOVER];

/**
 * Checks a change of the maintenance state and takes it in: what is asked for becomes the first state on the way there
 * (specification 3.8, 5.6).
 */
export function checkMaintenance(
  before: Cloudlet,
  cloudlet: Cloudlet,
  masked: ReadonlySet<string>,
  issues: Issues,
): void {
  const path = "maintenance_state";
  if (!masked.has(path)) return;
  const asked = cloudlet.maintenanceState;
  const text = enumText(dme.MaintenanceState, asked);
  issues.check(ASKED.includes(asked), path, text, `must be one of ${ASKED.map(nameOf).join(", ")}`);
  for (const other of ["env_var", "trust_policy", "enable_default_serverless_cluster"]) {
    issues.check(!masked.has(other), path, text, `may not be updated together with ${other}`);
  }
  if (!ASKED.includes(asked) || asked === before.maintenanceState) return;
  if (asked === NORMAL_OPERATION) cloudlet.maintenanceState = NORMAL_OPERATION_INIT;
  else {
    const isOpen = before.maintenanceState === NORMAL_OPERATION;
    issues.check(
      isOpen,
      path,
      text,
      `can only be set from NormalOperation, not from ${nameOf(before.maintenanceState)}`,
    );
    cloudlet.maintenanceState = asked === MAINTENANCE_START ? FAILOVER_REQUESTED : CRM_REQUESTED;
  }
}

/**
 * Leads a cloudlet from whatever state on the way it is in to the end of its maintenance or the beginning of it. What
 * fails, or is not answered in time, puts it back into the state from which it was asked to go.
 */
export async function driveMaintenance(context: ApiContext, operation: Operation, key: string): Promise<void> {
  for (;;) {
    switch (context.region.cache.get(CloudletKind, key)?.maintenanceState) {
      case FAILOVER_REQUESTED:
      case FAILOVER_DONE:
        await failOver(context, operation, key);
        break;
      case CRM_REQUESTED:
        await askSite(context, operation, key, {
          by: CRM_UNDER_MAINTENANCE,
          to: UNDER_MAINTENANCE,
          back: NORMAL_OPERATION,
        });
        context.log.info("Cloudlet maintenance start", { cloudlet: key });
        return operation.progress.line("Cloudlet is under maintenance");
      case NORMAL_OPERATION_INIT:
        await askSite(context, operation, key, { by: NORMAL_OPERATION, to: NORMAL_OPERATION, back: UNDER_MAINTENANCE });
        context.log.info("Cloudlet maintenance done", { cloudlet: key });
        return operation.progress.line("Cloudlet is back in normal operation");
      default:
        return;
    }
  }
}

/** Has the auto-provisioner find other places for the instances that it is responsible for. */
async function failOver(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { region, timeouts, autoProvisioner } = context;
  if (!autoProvisioner.isConnected()) {
    await move(context, operation, key, FAILOVER_REQUESTED, NORMAL_OPERATION);
    throw new RpcError(
      Status.UNAVAILABLE,
      "No auto-provisioner is connected that could fail instances over; MaintenanceStartNoFailover goes without",
    );
  }
  operation.progress.line("Waiting for the auto-provisioner to fail instances over");
  await region.change((tx) => operation.note(tx, { timeoutMs: timeouts.cloudletMaintenanceMs }));
  const outcome = await operation.wait(AutoProvInfoKind, key, (info) => {
    return info?.maintenanceState === FAILOVER_DONE || info?.maintenanceState === FAILOVER_ERROR ? info : undefined;
  }, timeouts.cloudletMaintenanceMs);
  if (outcome === "timeout") {
    await move(context, operation, key, FAILOVER_REQUESTED, NORMAL_OPERATION);
    throw timedOut("the auto-provisioner did not say that instances have failed over");
  }
  for (const line of [...outcome.completed, ...outcome.errors]) operation.progress.line(line);
  const failed = outcome.maintenanceState === FAILOVER_ERROR || outcome.errors.length > 0;
  await move(context, operation, key, FAILOVER_REQUESTED, failed ? NORMAL_OPERATION : CRM_REQUESTED);
  if (failed) throw siteFailure(outcome.errors);
}

/** Has the site follow, unless the call goes without it. */
async function askSite(
  context: ApiContext,
  operation: Operation,
  key: string,
  { by, to, back }: { by: State; to: State; back: State },
): Promise<void> {
  const { region, timeouts } = context;
  const override = overrideOf(operation.override);
  const from = to === UNDER_MAINTENANCE ? CRM_REQUESTED : NORMAL_OPERATION_INIT;
  if (override.ignoresSite) return await move(context, operation, key, from, to);
  operation.progress.line("Waiting for the cloudlet's resource manager");
  await region.change((tx) => operation.note(tx, { timeoutMs: timeouts.cloudletMaintenanceMs }));
  const outcome = await operation.wait(CloudletInfoKind, key, (info) => {
    if (info?.maintenanceState === by) return "done";
    return info?.maintenanceState === CRM_ERROR ? { errors: info.errors } : undefined;
  }, timeouts.cloudletMaintenanceMs);
  if (outcome === "done") return await move(context, operation, key, from, to);
  if (outcome !== "timeout" && override.ignoresErrors) {
    for (const error of outcome.errors) operation.progress.line(`Ignored: ${error}`);
    return await move(context, operation, key, from, to);
  }
  await move(context, operation, key, from, back);
  if (outcome === "timeout") throw timedOut(`the cloudlet did not answer; it is in ${nameOf(back)} as before`);
  throw siteFailure(outcome.errors);
}

async function move(context: ApiContext, operation: Operation, key: string, from: State, to: State): Promise<void> {
  await context.region.change(async (tx) => {
    await operation.hold(tx);
    const cloudlet = await tx.get(CloudletKind, key);
    if (cloudlet === undefined) throw failedPrecondition("The cloudlet was removed");
    if (cloudlet.maintenanceState !== from && cloudlet.maintenanceState !== FAILOVER_DONE) return;
    tx.put(CloudletKind, { ...cloudlet, maintenanceState: to });
  });
}

/** Forgets, in the transaction that asks, what was answered to earlier requests. */
export function prepareMaintenance(tx: ObjectTx, { key, maintenanceState }: Cloudlet, info: CloudletInfo): void {
  if (maintenanceState === FAILOVER_REQUESTED) {
    tx.put(AutoProvInfoKind, AutoProvInfo.create({ key, maintenanceState: NORMAL_OPERATION }));
  }
  if (info.maintenanceState === CRM_ERROR) {
    tx.put(CloudletInfoKind, {
      ...info,
      maintenanceState: maintenanceState === NORMAL_OPERATION_INIT ? CRM_UNDER_MAINTENANCE : NORMAL_OPERATION,
    });
  }
}

function nameOf(state: State): string {
  return enumText(dme.MaintenanceState, state);
}
