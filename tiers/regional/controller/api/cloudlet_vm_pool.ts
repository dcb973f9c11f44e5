import { type Cloudlet, CloudletKind, VMPoolKind } from "../../../../shared/schema/mod.ts";
import { type AnyKind, inUse } from "../faults.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { vmPoolUserRow } from "../state/rows.ts";

/** The row of a cloudlet's pool of machines; undefined when it has none. */
function rowOf({ key, vmPool }: Cloudlet): string | undefined {
  if (vmPool === "") return undefined;
  return vmPoolUserRow(VMPoolKind.keyString({ organization: key.organization, name: vmPool }));
}

/** A pool of machines belongs to one cloudlet: throws E_INUSE when it has another one (specification 3.8). */
export async function holdVmPool(tx: ObjectTx, cloudlet: Cloudlet): Promise<void> {
  const row = rowOf(cloudlet);
  if (row === undefined) return;
  const key = CloudletKind.keyString(cloudlet.key);
  const user = await tx.getRow(row);
  if (typeof user === "string" && user !== key) {
    throw inUse(VMPoolKind as AnyKind, [{ kind: CloudletKind as AnyKind, keyString: user }]);
  }
  tx.putRow(row, key);
}

/** Gives the pool of a cloudlet that goes to others. */
export function freeVmPool(tx: ObjectTx, cloudlet: Cloudlet): void {
  const row = rowOf(cloudlet);
  if (row !== undefined) tx.removeRow(row);
}
