import { equalFields } from "./compare.ts";
import { isKeyField } from "./descriptor.ts";
import { clearUnset } from "./rules.ts";
import { chainOf, defaultOf } from "./mask.ts";
import type { MessageType, Properties } from "./message_type.ts";

/** A field in which two objects differ. */
export interface FieldDifference {
  /** Dotted numbers, as an update's mask takes them. */
  readonly mask: string;
  /** Dotted names, as JSON has them. */
  readonly path: string;
  /**
   * What can be done about it: `update` it, or nothing as it may be set at creation only (`fixed`). A `secret` is never
   * shown, so whether it differs is not known.
   */
  readonly remedy: "update" | "fixed" | "secret";
}

/**
 * In which of the masked fields an object is not as wanted. Keys, modifiers of requests and what the platform writes are
 * left out, as a caller has no say in them. An entry of the mask that names no field is left out too.
 */
export function differences<T>(type: MessageType<T>, actual: T, wanted: T, mask: readonly string[]): FieldDifference[] {
  const found: FieldDifference[] = [];
  // Inside of lists too there are fields that the platform fills in.
  [actual, wanted] = [actual, wanted].map((object) => {
    const own = structuredClone(object);
    clearUnset(type, own);
    return own;
  }) as [T, T];
  for (const entry of mask) {
    const chain = chainOf(type.descriptor, entry);
    if (chain === undefined || isKeyField(type.descriptor, chain[0]!.name)) continue;
    if (chain.some(({ rules }) => rules.modifier || rules.setBy !== "CALLER")) continue;
    const path = chain.map(({ name }) => name).join(".");
    const last = chain.at(-1)!;
    const valueIn = (object: T) =>
      chain.reduce<unknown>((value, field) => (value as Properties | undefined)?.[field.property], object) ??
        defaultOf(last);
    if (chain.some(({ rules }) => rules.secret)) found.push({ mask: entry, path, remedy: "secret" });
    else if (!equalFields(last, valueIn(actual), valueIn(wanted))) {
      found.push({ mask: entry, path, remedy: chain.some(({ rules }) => rules.fixed) ? "fixed" : "update" });
    }
  }
  return found;
}
