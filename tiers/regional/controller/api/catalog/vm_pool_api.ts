import type { CallContext, Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  applyMask,
  CloudletKind,
  CRMOverride,
  type Result,
  TrackedState,
  type VM,
  VMPool,
  type VMPoolApi,
  VMPoolKind,
  type VMPoolMember,
  VMState,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { type AnyKind, refuse } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { directMachines, givenMachine, requestedMachines } from "../../operations/vm_pool_changes.ts";
import { Issues } from "../../rules/issues.ts";
import { checkMachines, checkNewVmPool } from "../../rules/vm_pool.ts";
import { done, finish, readKey } from "../requests.ts";
import { siteFailure, timedOut } from "../site_work.ts";
import { catalog } from "./catalog.ts";

/** Makes the machines that are wanted from those that are there. */
type Edit = (machines: readonly VM[], issues: Issues) => VM[];

/** Handlers of VMPoolApi. */
export function vmPoolApi(context: ApiContext): Handlers<typeof VMPoolApi> {
  const pools = catalog(context, VMPoolKind, {
    defaults(pool) {
      pool.state = TrackedState.READY;
    },
    check(pool, issues) {
      checkNewVmPool(pool, issues);
      checkMachines(pool.vms, issues);
    },
    // deno-lint-ignore require-await -- async as the transaction is
    async within(_, pool) {
      pool.vms = directMachines([], pool.vms);
    },
  });

  async function change(pool: VMPool, edit: Edit, call: CallContext, text: string): Promise<Result> {
    const key = readKey(VMPoolKind, pool);
    const progress = context.operations.run(
      VMPoolKind as AnyKind,
      key,
      "update",
      (operation) => changeMachines(context, operation, key, pool.crmOverride, edit),
    );
    await finish(progress, call);
    return done(text);
  }

  function changeMember(request: VMPoolMember, edit: Edit, call: CallContext, text: string): Promise<Result> {
    return change(VMPool.create({ key: request.key, crmOverride: request.crmOverride }), edit, call, text);
  }

  return {
    createVMPool: pools.create,
    deleteVMPool: pools.remove,
    showVMPool: pools.show,
    updateVMPool(request, call) {
      return change(
        request,
        (machines, issues) => {
          if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
          const wanted = VMPool.create({ key: request.key, vms: [...machines] });
          const { changed, refused } = applyMask(VMPool, wanted, request, request.fields);
          for (const { field, rule } of refused) issues.add(field, undefined, rule);
          if (changed.length === 0) return [...machines].map(kept);
          issues.check(wanted.vms.length > 0, "vms", undefined, "must hold at least one machine");
          return wanted.vms.map(givenMachine);
        },
        call,
        "Updated VM pool",
      );
    },
    async addVMPoolMember(request, call) {
      return await changeMember(
        request,
        (machines, issues) => {
          const absent = !machines.some(({ name }) => name === request.vm.name);
          issues.check(absent, "vm.name", request.vm.name, "already exists in the pool");
          return [...machines.map(kept), givenMachine(request.vm)];
        },
        call,
        "Added machine to the VM pool",
      );
    },
    async removeVMPoolMember(request, call) {
      return await changeMember(
        request,
        (machines, issues) => {
          const present = machines.some(({ name }) => name === request.vm.name);
          issues.check(present, "vm.name", request.vm.name, "must be a machine of the pool");
          return machines.filter(({ name }) => name !== request.vm.name).map(kept);
        },
        call,
        "Removed machine from the VM pool",
      );
    },
  };
}

/** A machine that stays as it is, as a caller would give it. */
function kept(vm: VM): VM {
  return { ...givenMachine(vm), state: VMState.VM_FREE };
}

/** Changes the machines of a pool: at once, or through the cloudlet that uses it (specification 5.9). */
async function changeMachines(
  { region, timeouts }: ApiContext,
  operation: Operation,
  key: string,
  override: CRMOverride,
  edit: Edit,
): Promise<void> {
  const direct = override === CRMOverride.IGNORE_CRM || override === CRMOverride.IGNORE_CRM_AND_TRANSIENT_STATE;
  const before = await region.change(async (tx) => {
    await operation.claim(tx);
    const pool = await tx.requireUsable(VMPoolKind, key);
    const issues = new Issues();
    const wanted = edit(pool.vms.filter(({ state }) => state !== VMState.VM_REMOVE), issues);
    checkMachines(wanted, issues);
    refuse(issues.list);
    const users = region.cache.referrersOfKind(VMPoolKind as AnyKind, key, CloudletKind as AnyKind);
    if (direct || users.size === 0) {
      tx.put(VMPoolKind, {
        ...pool,
        vms: directMachines(pool.vms, wanted),
        state: TrackedState.READY,
        errors: [],
      });
      return undefined;
    }
    const vms = requestedMachines(pool.vms, wanted);
    if (vms === undefined) return undefined;
    tx.put(VMPoolKind, { ...pool, vms, state: TrackedState.UPDATE_REQUESTED, errors: [] });
    return pool.vms;
  });
  if (before === undefined) return;
  const outcome = await operation.wait(VMPoolKind, key, (pool) => {
    if (pool === undefined) return { errors: ["the VM pool was removed"] };
    if (pool.state === TrackedState.UPDATE_ERROR) return { errors: pool.errors };
    const working = pool.state === TrackedState.UPDATE_REQUESTED || pool.state === TrackedState.UPDATING;
    return working ? undefined : "done";
  }, timeouts.updateVmPoolMs);
  if (outcome === "done") return;
  if (outcome === "timeout") throw timedOut("the cloudlet did not take over the VM pool; it does when it can");
  await region.change(async (tx) => {
    const pool = await tx.get(VMPoolKind, key);
    if (pool?.state === TrackedState.UPDATE_ERROR) tx.put(VMPoolKind, { ...pool, vms: before });
  });
  if (override !== CRMOverride.IGNORE_CRM_ERRORS) throw siteFailure(outcome.errors);
}
