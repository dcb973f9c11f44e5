import { getPath, isEmpty, kindOf, kinds } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { ObjectTx } from "./object_tx.ts";
import type { RegionCache } from "./region_cache.ts";

/** One reference of an object: the kind and the key that it points to. */
export interface Reference {
  readonly kind: AnyKind;
  readonly keyString: string;
}

/** The references that the schema's `needs` give an object; unset optional ones are left out. */
export function referencesOf(kind: AnyKind, object: unknown): Reference[] {
  const rules = kind.needs as readonly { kind: string; at: string; optional: boolean }[];
  const references: Reference[] = [];
  for (const { kind: name, at, optional } of rules) {
    const target = kindOf(name as Parameters<typeof kindOf>[0]) as AnyKind;
    const value = getPath(object as object, at);
    // A reference by name alone is the only string part of the key.
    const key = typeof value === "string" ? target.keyMessage.create({ name: value }) : value;
    if (optional && isEmpty(target.keyMessage, key)) continue;
    references.push({ kind: target, keyString: target.keyString(key) });
  }
  return references;
}

/**
 * Checks, inside the transaction that adds them, that all references of an object resolve. Being read there, a target
 * that goes at the same moment makes the transaction run again.
 */
export async function requireReferences(tx: ObjectTx, kind: AnyKind, object: unknown): Promise<void> {
  for (const reference of referencesOf(kind, object)) await tx.requireUsable(reference.kind, reference.keyString);
}

/** Objects that refer to this one, in dependency order; reports of sites do not count. */
export function referrersOf(cache: RegionCache, kind: AnyKind, keyString: string): Reference[] {
  const found: Reference[] = [];
  for (const referrer of kinds as readonly AnyKind[]) {
    if (!referrer.stored || referrer.source === "CRM") continue;
    if (!referrer.needs.some((need: { kind: string }) => need.kind === kind.kind)) continue;
    for (const [referrerKey, object] of cache.table(referrer)) {
      const refers = referencesOf(referrer, object)
        .some((reference) => reference.kind.kind === kind.kind && reference.keyString === keyString);
      if (refers) found.push({ kind: referrer, keyString: referrerKey });
    }
  }
  return found;
}
