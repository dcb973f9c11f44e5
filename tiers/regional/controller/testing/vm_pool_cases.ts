import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { createNotifyClient, roundRobin, typedOwned, typedReplica } from "../../../../shared/notify/mod.ts";
import {
  type Cloudlet,
  CloudletKind,
  CRMOverride,
  type DeepPartial,
  PlatformType,
  TrackedState,
  type VM,
  VMPool,
  VMPoolInfo,
  VMPoolInfoKind,
  VMPoolKind,
  VMPoolMember,
  VMState,
} from "../../../../shared/schema/mod.ts";
import { type Store, transaction } from "../../../../shared/store/mod.ts";
import { encodeObject } from "../state/rows.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, cloudlet, until, World } from "./world.ts";

const KEY = { organization: "Bayline Inc.", name: "machines" };

function machine(name: string, last: number, more: DeepPartial<VM> = {}): DeepPartial<VM> {
  return { name, netInfo: { internalIp: `10.0.0.${last}`, externalIp: `192.0.2.${last}` }, ...more };
}

function pool(vms: DeepPartial<VM>[], more: DeepPartial<VMPool> = {}): VMPool {
  return VMPool.create({ key: KEY, vms, ...more });
}

function member(vm: DeepPartial<VM>, crmOverride: CRMOverride = CRMOverride.NO_OVERRIDE): VMPoolMember {
  return VMPoolMember.create({ key: KEY, vm, crmOverride });
}

async function shown(world: World): Promise<VMPool> {
  return (await all(world.api.vmPools.showVMPool(VMPool.create())))[0]!;
}

function states({ vms }: VMPool): Record<string, number> {
  return Object.fromEntries(vms.map(({ name, state }) => [name, state]));
}

/** Puts a cloudlet that uses the pool into the store, as no platform here has machines. */
async function useCloudlet(store: Store): Promise<Cloudlet> {
  const user = cloudlet({ vmPool: KEY.name, platformType: PlatformType.PLATFORM_TYPE_FAKE_VM_POOL });
  const value = encodeObject(CloudletKind, user);
  await transaction(store, (tx) => Promise.resolve(tx.put(CloudletKind.storeKey(user.key), value)));
  return user;
}

/** A resource manager that knows of VM pools alone. */
function startManager(world: World, of: Cloudlet) {
  const client = createNotifyClient({
    service: "crm",
    region: "eu",
    cloudlet: CloudletKind.keyString(of.key),
    wants: [VMPoolKind.kind],
    owns: [VMPoolInfoKind.kind],
    connect: roundRobin([world.notifyAddress], () => ({})),
    backoff: { initialMs: 10, maxMs: 100 },
  });
  const info = typedOwned(client.own(VMPoolInfoKind.kind), VMPoolInfoKind);
  const pools = typedReplica(client.replica(VMPoolKind.kind), VMPoolKind);
  client.start();
  return {
    report(state: TrackedState, vms: DeepPartial<VM>[], more: DeepPartial<VMPoolInfo> = {}) {
      info.put(VMPoolInfo.create({ key: KEY, state, vms, ...more }));
    },
    sees: () => client.replica(VMPoolKind.kind).size,
    /** Calls `answer` with the pool when a change of it is under way. */
    onChange(answer: (state: TrackedState, pool: VMPool) => void) {
      pools.subscribe({ update: (found) => answer(found.state, found) });
    },
    stop: () => client.stop(),
  };
}

/** Rules about pools of machines. */
export const vmPoolCases: ApiCase[] = [
  {
    name: "VM pools: machines are checked, and change at once while no cloudlet uses them",
    async run(store) {
      await using world = await World.start({ store });
      const { vmPools } = world.api;
      const error = await refused(
        vmPools.createVMPool(pool([
          machine("a", 1),
          machine("a", 2, { netInfo: { internalIp: "10.0.0.1", externalIp: "" } }),
          machine("", 3, { state: VMState.VM_IN_USE }),
          machine("b", 4, { netInfo: { internalIp: "127.0.0.1", externalIp: "somewhere" } }),
          { name: "c" },
        ])),
        Status.INVALID_ARGUMENT,
        /vms\[1\]\.name.*twice/,
      );
      for (
        const part of [
          /vms\[1\]\.net_info\.internal_ip.*twice/,
          /vms\[2\]\.name.*required/,
          /vms\[2\]\.state.*Free or ForceFree/,
          /vms\[3\]\.net_info\.internal_ip.*address of a machine/,
          /vms\[3\]\.net_info\.external_ip/,
          /vms\[4\]\.net_info\.internal_ip.*required/,
        ]
      ) assert.match(error.message, part);
      await vmPools.createVMPool(pool([machine("a", 1, { groupName: "mine" }), machine("b", 2)]));
      assert.equal((await shown(world)).state, TrackedState.READY);
      assert.equal((await shown(world)).vms[0]!.groupName, "");
      await vmPools.addVMPoolMember(member(machine("c", 3)));
      await refused(vmPools.addVMPoolMember(member(machine("c", 4))), Status.INVALID_ARGUMENT, /already exists/);
      await refused(vmPools.addVMPoolMember(member(machine("d", 3))), Status.INVALID_ARGUMENT, /internal_ip.*twice/);
      await vmPools.removeVMPoolMember(member({ name: "b" }));
      await refused(vmPools.removeVMPoolMember(member({ name: "b" })), Status.INVALID_ARGUMENT, /machine of the pool/);
      assert.deepEqual(states(await shown(world)), { a: VMState.VM_FREE, c: VMState.VM_FREE });
      await refused(vmPools.updateVMPool(pool([])), Status.INVALID_ARGUMENT, /fields.*what to update/);
      await refused(vmPools.updateVMPool(pool([], { fields: ["3"] })), Status.INVALID_ARGUMENT, /at least one machine/);
      await refused(vmPools.updateVMPool(pool([], { fields: ["4"] })), Status.INVALID_ARGUMENT, /state.*platform/);
      await vmPools.updateVMPool(pool([machine("z", 9)], { fields: ["3"] }));
      assert.deepEqual(states(await shown(world)), { z: VMState.VM_FREE });
      await vmPools.deleteVMPool(pool([]));
    },
  },
  {
    name: "VM pools in use: the cloudlet takes changes over, one at a time, and tells what it uses",
    async run(store) {
      await using world = await World.start({ store, timeouts: { updateVmPoolMs: 20_000 } });
      const { vmPools } = world.api;
      await vmPools.createVMPool(pool([machine("a", 1), machine("b", 2)]));
      const user = await useCloudlet(store);
      const manager = startManager(world, user);
      const stranger = startManager(world, cloudlet({ key: { organization: "Bayline Inc.", name: "Other" } }));
      try {
        await until(() => manager.sees() === 1, "the cloudlet sees its pool");
        assert.equal(stranger.sees(), 0);
        await refused(vmPools.deleteVMPool(pool([])), Status.FAILED_PRECONDITION, /VMPool in use by Cloudlet/);
        // Machines that it takes into use without being asked.
        manager.report(TrackedState.READY, [{ name: "a", state: VMState.VM_IN_USE, groupName: "cluster" }, {
          name: "b",
        }]);
        await until(async () => (await shown(world)).vms[0]!.groupName === "cluster", "the use is known");
        stranger.report(TrackedState.READY, [{ name: "a", state: VMState.VM_IN_USE, groupName: "stolen" }]);

        const adding = vmPools.addVMPoolMember(member(machine("c", 3)));
        await until(
          async () => (await shown(world)).state === TrackedState.UPDATE_REQUESTED,
          "the change is asked for",
        );
        assert.deepEqual(states(await shown(world)), {
          a: VMState.VM_IN_USE,
          b: VMState.VM_FREE,
          c: VMState.VM_ADD,
        });
        await refused(
          vmPools.removeVMPoolMember(member({ name: "b" })),
          Status.FAILED_PRECONDITION,
          /action is already in progress/,
        );
        const used: DeepPartial<VM>[] = [
          { name: "a", state: VMState.VM_IN_USE, groupName: "cluster" },
          { name: "b" },
          { name: "c" },
        ];
        manager.onChange((state) => {
          if (state === TrackedState.UPDATE_REQUESTED) manager.report(TrackedState.UPDATING, used);
          if (state === TrackedState.UPDATING) manager.report(TrackedState.READY, used);
        });
        manager.report(TrackedState.UPDATING, used);
        await adding;
        const after = await shown(world);
        assert.equal(after.state, TrackedState.TRACKED_STATE_UNKNOWN);
        assert.deepEqual(states(after), { a: VMState.VM_IN_USE, b: VMState.VM_FREE, c: VMState.VM_FREE });
        assert.equal(after.vms[0]!.groupName, "cluster", "another cloudlet has no say");
        used.splice(1, 1);
        await vmPools.removeVMPoolMember(member({ name: "b" }));
        assert.deepEqual(Object.keys(states(await shown(world))), ["a", "c"]);
        used[0] = { name: "a" };
        await vmPools.updateVMPool(
          pool([machine("a", 1, { state: VMState.VM_FORCE_FREE }), machine("c", 3)], { fields: ["3"] }),
        );
        const freed = (await shown(world)).vms[0]!;
        assert.deepEqual([freed.state, freed.groupName], [VMState.VM_FREE, ""]);
      } finally {
        await manager.stop();
        await stranger.stop();
      }
    },
  },
  {
    name: "VM pools in use: a change that the cloudlet cannot take over is undone; the cloudlet can be left out",
    async run(store) {
      await using world = await World.start({ store });
      const { vmPools } = world.api;
      await vmPools.createVMPool(pool([machine("a", 1)]));
      const manager = startManager(world, await useCloudlet(store));
      try {
        await until(() => manager.sees() === 1, "the cloudlet sees its pool");
        manager.onChange((state) => {
          if (state === TrackedState.UPDATE_REQUESTED) {
            manager.report(TrackedState.UPDATE_ERROR, [], { errors: ["no route to 10.0.0.2"] });
          }
        });
        await refused(
          vmPools.addVMPoolMember(member(machine("b", 2))),
          Status.UNKNOWN,
          /Encountered failures: no route to 10\.0\.0\.2/,
        );
        const failed = await shown(world);
        assert.deepEqual([failed.state, states(failed)], [TrackedState.UPDATE_ERROR, { a: VMState.VM_FREE }]);
        await vmPools.addVMPoolMember(member(machine("b", 2), CRMOverride.IGNORE_CRM));
        const forced = await shown(world);
        assert.deepEqual([forced.state, states(forced), forced.errors], [
          TrackedState.READY,
          { a: VMState.VM_FREE, b: VMState.VM_FREE },
          [],
        ]);
      } finally {
        await manager.stop();
      }
    },
  },
];
