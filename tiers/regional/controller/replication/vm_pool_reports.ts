import { type NotifyHub, onOwnedObject } from "../../../../shared/notify/mod.ts";
import { CloudletKind, VMPoolInfoKind, VMPoolKind } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { Operations } from "../operations/operations.ts";
import { applyVmPoolInfo } from "../operations/vm_pool_changes.ts";
import type { Region } from "../state/region.ts";
import type { SiteReports } from "./site_reports.ts";

/** Takes what cloudlets report of the VM pools that they use; a cloudlet has no say in another one's. */
export function receiveVmPoolReports(
  hub: NotifyHub,
  region: Region,
  operations: Operations,
  reports: SiteReports,
): void {
  onOwnedObject(hub, VMPoolInfoKind, {
    update(info, key) {
      operations.report(VMPoolKind as AnyKind, key, info.status);
      reports.submit(`VMPool/${key}`, () =>
        region.change(async (tx) => {
          const pool = await tx.get(VMPoolKind, key);
          if (pool !== undefined && applyVmPoolInfo(pool, info)) tx.put(VMPoolKind, pool);
        }));
    },
    remove() {},
  }, {
    scopeOf: (key) => [...region.cache.referrersOfKind(VMPoolKind as AnyKind, key, CloudletKind as AnyKind)][0],
  });
}
