import { RpcError } from "../../../../shared/rpc/mod.ts";
import { isEmpty, kindOf, setPath, valuesAt } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { ObjectTx } from "./object_tx.ts";

/** One reference of an object: the kind and the key that it points to. */
export interface Reference {
  readonly kind: AnyKind;
  readonly keyString: string;
}

/** A rule of the schema's `needs`, read once for its kind. */
interface Rule {
  readonly target: AnyKind;
  readonly at: string;
  readonly optional: boolean;
  /** Parts of the target's key that other fields of the object tell. */
  readonly parts: readonly { readonly part: string; readonly from: string }[];
  /** The part of the target's key that a text at the path stands for. */
  readonly named: string;
}

const rulesOfKind = new Map<string, readonly Rule[]>();

function rulesOf(kind: AnyKind): readonly Rule[] {
  let rules = rulesOfKind.get(kind.kind);
  if (rules === undefined) {
    rules = (kind.needs as readonly { kind: string; at: string; optional: boolean; with: readonly string[] }[])
      .map((need) => {
        const target = kindOf(need.kind as Parameters<typeof kindOf>[0]) as AnyKind;
        const parts = need.with.map((text) => {
          const [part, from] = text.split("=");
          return { part: part!, from: from! };
        });
        const told = new Set(parts.map(({ part }) => part));
        const open = target.keyMessage.descriptor.fields
          .find((field) => field.scalar === "string" && !told.has(field.name));
        return { target, at: need.at, optional: need.optional, parts, named: open?.name ?? "" };
      });
    rulesOfKind.set(kind.kind, rules);
  }
  return rules;
}

/** The references that the schema's `needs` give an object, each once; unset optional ones are left out. */
export function referencesOf(kind: AnyKind, object: object): Reference[] {
  const references: Reference[] = [];
  for (const rule of rulesOf(kind)) {
    const { target } = rule;
    for (const value of valuesAt(kind.message.descriptor, object, rule.at)) {
      const isName = typeof value === "string";
      if (rule.optional && (isName ? value === "" : isEmpty(target.keyMessage, value))) continue;
      const keyString = target.keyString(keyOf(kind, object, rule, value));
      if (!references.some((other) => other.keyString === keyString && other.kind.kind === target.kind)) {
        references.push({ kind: target, keyString });
      }
    }
  }
  return references;
}

function keyOf(kind: AnyKind, object: object, rule: Rule, value: unknown): unknown {
  const isName = typeof value === "string";
  if (!isName && rule.parts.length === 0) return value;
  const key = rule.target.keyMessage.create(isName ? {} : value);
  for (const { part, from } of rule.parts) {
    setPath(key, part, valuesAt(kind.message.descriptor, object, from)[0]);
  }
  if (isName && rule.named !== "") setPath(key, rule.named, value);
  return key;
}

/**
 * Checks, inside the transaction that adds them, that all references of an object resolve; those that it had before need
 * not. Being read there, a target that goes at the same moment makes the transaction run again. All faults are told
 * together, with the code of the first.
 */
export async function requireReferences(tx: ObjectTx, kind: AnyKind, object: object, before?: object): Promise<void> {
  const had = new Set((before ? referencesOf(kind, before) : []).map(nameOf));
  const faults: RpcError[] = [];
  for (const reference of referencesOf(kind, object)) {
    if (had.has(nameOf(reference))) continue;
    try {
      await tx.requireUsable(reference.kind, reference.keyString);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      faults.push(error);
    }
  }
  if (faults.length > 0) throw new RpcError(faults[0]!.code, faults.map(({ message }) => message).join("; "));
}

function nameOf({ kind, keyString }: Reference): string {
  return `${kind.kind}/${keyString}`;
}
