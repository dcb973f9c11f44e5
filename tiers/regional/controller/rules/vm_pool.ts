import { isIP } from "node:net";
import { type VM, type VMPool, VMState } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";

/** Most machines in one pool. */
const MAX_MACHINES = 1000;

/** Addresses that are no machine's. */
const NO_MACHINE = ["0.0.0.0", "127.0.0.1", "::", "::1"];

/** Checks the key of a new pool. */
export function checkNewVmPool(pool: VMPool, issues: Issues): void {
  checkName(issues, "key.organization", pool.key.organization);
  checkName(issues, "key.name", pool.key.name);
}

/** Checks machines as a caller gives them (specification 3.11). */
export function checkMachines(machines: readonly VM[], issues: Issues, path = "vms"): void {
  issues.check(machines.length <= MAX_MACHINES, path, machines.length, `must hold at most ${MAX_MACHINES} machines`);
  const kinds = [["internal_ip", "internalIp"], ["external_ip", "externalIp"]] as const;
  machines.slice(0, MAX_MACHINES).forEach(({ name, netInfo, state }, i) => {
    const at = `${path}[${i}]`;
    issues.check(name !== "", `${at}.name`, undefined, "is required");
    checkName(issues, `${at}.name`, name);
    issues.check(!machines.slice(0, i).some((vm) => vm.name === name), `${at}.name`, name, "must not be there twice");
    const free = state === VMState.VM_FREE || state === VMState.VM_FORCE_FREE;
    issues.check(free, `${at}.state`, undefined, "must be Free or ForceFree");
    issues.check(netInfo.internalIp !== "", `${at}.net_info.internal_ip`, undefined, "is required");
    for (const [field, property] of kinds) {
      const address = netInfo[property];
      if (address === "") continue;
      const where = `${at}.net_info.${field}`;
      const sound = isIP(address) !== 0 && !address.includes("%") && !NO_MACHINE.includes(address);
      issues.check(sound, where, address, "must be the address of a machine");
      const taken = machines.slice(0, i).some((vm) => vm.netInfo[property] === address);
      issues.check(!taken, where, address, "must not be there twice");
    }
  });
}
