import { equal, TrackedState, VM, VMNetInfo, VMPool, type VMPoolInfo, VMState } from "../../../../shared/schema/mod.ts";
import { boundedErrors } from "./site_report.ts";

/** A machine as a caller may give it, without what the platform knows of it. */
export function givenMachine({ name, netInfo, state }: VM): VM {
  return VM.create({ name, netInfo, state });
}

/**
 * The machines of a pool that no cloudlet uses, as somebody wants them: what is known of those that stay is kept, and
 * those that are to be freed by force are free.
 */
export function directMachines(current: readonly VM[], wanted: readonly VM[]): VM[] {
  return wanted.map((vm) => {
    const known = current.find(({ name }) => name === vm.name);
    if (known === undefined || vm.state === VMState.VM_FORCE_FREE) {
      return VM.create({ name: vm.name, netInfo: vm.netInfo });
    }
    // What somebody wanted of a cloudlet that is gone by now is simply so.
    return VM.create({ ...known, netInfo: vm.netInfo, state: isPending(known) ? VMState.VM_FREE : known.state });
  });
}

/**
 * The machines of a pool that a cloudlet uses, each with what the cloudlet is asked to do with it (specification 5.9);
 * undefined when there is nothing to do.
 */
export function requestedMachines(current: readonly VM[], wanted: readonly VM[]): VM[] | undefined {
  const machines: VM[] = [];
  let changes = 0;
  for (const known of current) {
    const vm = wanted.find(({ name }) => name === known.name);
    let state = known.state;
    if (vm === undefined) state = VMState.VM_REMOVE;
    else if (vm.state === VMState.VM_FORCE_FREE) state = VMState.VM_FORCE_FREE;
    else if (!equal(VMNetInfo, vm.netInfo, known.netInfo)) state = VMState.VM_UPDATE;
    // Asked for before, in a change that failed or was not waited for.
    else if (isPending(known)) state = known.state === VMState.VM_ADD ? VMState.VM_ADD : VMState.VM_UPDATE;
    if (state !== known.state || isPending(known)) changes++;
    machines.push(VM.create({ ...known, netInfo: vm?.netInfo ?? known.netInfo, state }));
  }
  for (const vm of wanted) {
    if (current.some(({ name }) => name === vm.name)) continue;
    machines.push(VM.create({ name: vm.name, netInfo: vm.netInfo, state: VMState.VM_ADD }));
    changes++;
  }
  return changes === 0 ? undefined : machines;
}

/**
 * Takes over, in place, what the cloudlet that uses a pool reports of it; false when that changes nothing. A change ends
 * only after the cloudlet has said that it is at it, so an older report cannot end it.
 */
export function applyVmPoolInfo(pool: VMPool, info: VMPoolInfo): boolean {
  const before = VMPool.create(pool);
  switch (info.state) {
    case TrackedState.UPDATING:
      if (pool.state === TrackedState.UPDATE_REQUESTED) pool.state = TrackedState.UPDATING;
      break;
    case TrackedState.UPDATE_ERROR:
      if (pool.state !== TrackedState.UPDATE_REQUESTED && pool.state !== TrackedState.UPDATING) break;
      pool.state = TrackedState.UPDATE_ERROR;
      pool.errors = boundedErrors(info.errors);
      break;
    case TrackedState.READY: {
      const ended = pool.state === TrackedState.UPDATING;
      const reported = new Map(info.vms.map((vm) => [vm.name, vm]));
      pool.vms = pool.vms.flatMap((vm) => settled(vm, reported.get(vm.name), ended));
      if (!ended) break;
      pool.state = TrackedState.TRACKED_STATE_UNKNOWN;
      pool.errors = [];
      break;
    }
  }
  return !equal(VMPool, before, pool);
}

/** A machine of the pool after a report: what is still asked for stays until the change has ended. */
function settled(vm: VM, reported: VM | undefined, ended: boolean): VM[] {
  if (isPending(vm) && !ended) return [vm];
  if (reported === undefined) {
    if (vm.state === VMState.VM_REMOVE) return [];
    return [isPending(vm) ? VM.create({ ...vm, state: VMState.VM_FREE }) : vm];
  }
  const { groupName, internalName, flavor, updatedAt } = reported;
  const state = isPending(reported) ? VMState.VM_FREE : reported.state;
  return [VM.create({ name: vm.name, netInfo: vm.netInfo, state, groupName, internalName, flavor, updatedAt })];
}

/** Whether the cloudlet was asked to do something with the machine. */
function isPending({ state }: VM): boolean {
  switch (state) {
    case VMState.VM_ADD:
    case VMState.VM_REMOVE:
    case VMState.VM_UPDATE:
    case VMState.VM_FORCE_FREE:
      return true;
    default:
      return false;
  }
}
