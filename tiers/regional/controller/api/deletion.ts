import type { ObjectKind } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { inUse } from "../faults.ts";
import type { Operation } from "../operations/operation.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import type { Reference } from "../state/references.ts";

/** An object that can be marked as about to go. */
interface Markable {
  deletePrepare: boolean;
}

/** What else there is to deleting an object. */
export interface DeletionOptions<T> {
  /** Refuses the deletion for other reasons, before anything is written. */
  check?(tx: ObjectTx, object: T): Promise<void>;
  /** Referrers that the schema does not know of. */
  referrers?(): Reference[];
  /** Referrers that do not keep the object, as they go with it. */
  along?: {
    includes(referrer: Reference): boolean;
    /** Deletes them, once it is known that there are no others. When it throws, the object stays. */
    remove(referrers: readonly Reference[]): Promise<void>;
  };
}

/**
 * First half of deleting an object that others may refer to (specification 4.1): takes it for the operation, marks it so
 * that nothing new can refer to it, and then looks for referrers. Whoever added a reference before the mark is in the
 * cache by now, and whoever comes after is refused. Throws E_INUSE, with the mark taken back.
 */
export async function prepareDeletion<T extends Markable, K>(
  { region }: ApiContext,
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  options: DeletionOptions<T> = {},
): Promise<void> {
  await region.change(async (tx) => {
    await operation.claim(tx);
    const object = await tx.require(kind, keyString);
    await options.check?.(tx, object);
    object.deletePrepare = true;
    tx.put(kind, object);
  });
  const { along } = options;
  const referrers = [...region.cache.referrers(kind, keyString), ...options.referrers?.() ?? []];
  const staying = referrers.filter((referrer) => along?.includes(referrer) !== true);
  try {
    if (staying.length > 0) throw inUse(kind, staying);
    if (referrers.length > 0) await along!.remove(referrers);
  } catch (error) {
    await region.change(async (tx) => {
      operation.release(tx);
      const object = await tx.get(kind, keyString);
      if (object === undefined) return;
      object.deletePrepare = false;
      tx.put(kind, object);
    });
    throw error;
  }
}

/** Deletes an object that lives in the store alone: {@linkcode prepareDeletion}, then the object and what hangs on it. */
export async function deleteStored<T extends Markable, K>(
  context: ApiContext,
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  options: DeletionOptions<T> & {
    /** Removes, in the last transaction, what hangs on the object. */
    remove?(tx: ObjectTx, object: T): Promise<void>;
  } = {},
): Promise<void> {
  await prepareDeletion(context, operation, kind, keyString, options);
  await context.region.change(async (tx) => {
    operation.release(tx);
    const object = await tx.get(kind, keyString);
    if (object === undefined) return;
    await options.remove?.(tx, object);
    tx.remove(kind, keyString);
  });
}
