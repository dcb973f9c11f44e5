import type { TrackedState } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import { isDeletePrepared } from "../state/object_tx.ts";
import type { Region } from "../state/region.ts";
import type { Operation } from "./operation.ts";
import { isDeleting } from "./transitions.ts";

/**
 * Carries on an operation that leaves nothing behind but the mark of a deletion, as those do that work in the store
 * alone: the mark goes, so that the object can be used, and deleted, again.
 */
export async function undoMark(
  region: Region,
  operation: Operation,
  kind: AnyKind,
  keyString: string,
): Promise<void> {
  await region.change(async (tx) => {
    await operation.hold(tx);
    operation.release(tx);
    const object = await tx.get(kind, keyString);
    if (!isOrphan(object)) return;
    (object as { deletePrepare: boolean }).deletePrepare = false;
    tx.put(kind, object);
  });
}

/** Whether a deletion has marked the object but not begun. */
export function isOrphan(object: unknown): boolean {
  return isDeletePrepared(object ?? {}) && !isDeleting((object as { state?: TrackedState }).state ?? 0);
}
