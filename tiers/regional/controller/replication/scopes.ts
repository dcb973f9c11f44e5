import { CloudletKind, getPath, kindOf, kinds, type ObjectKind } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import { referencesOf } from "../state/references.ts";
import type { ObjectChange } from "../state/region_cache.ts";

/** Which sites may see an object: their cloudlet key strings, or undefined for all. */
export type Scopes = readonly string[] | undefined;

/** One rule "an object travels with those of another kind that refer to it". */
interface Via {
  readonly target: AnyKind;
  readonly via: AnyKind;
  readonly at: string;
  readonly by: string;
  /** Cloudlets by key string of the target, with the number of objects there. */
  readonly index: Map<string, Map<string, number>>;
}

/**
 * Knows from the schema's `replicate` rules which sites may see an object. Children that are not bound to a site (the
 * DMEs) see every object of the kinds that they may ask for.
 */
export class ScopeIndex {
  readonly #vias: Via[] = [];

  constructor() {
    for (const target of kinds as readonly AnyKind[]) {
      for (const rule of siteRules(target)) {
        if (rule.via === "") continue;
        const via = kindOf(rule.via as Parameters<typeof kindOf>[0]) as AnyKind;
        const by = siteRules(via).find((viaRule) => viaRule.by !== "")?.by;
        if (by !== undefined) this.#vias.push({ target, via, at: rule.at, by, index: new Map() });
      }
    }
  }

  /** Sites that may see an object as things are. */
  scopesOf<T, K>(kind: ObjectKind<T, K>, keyString: string, object: T): Scopes {
    const rules = siteRules(kind);
    if (rules.length === 0) return [];
    const scopes = new Set<string>();
    for (const { by, via } of rules) {
      if (by === "" && via === "") return undefined;
      if (by !== "") scopes.add(CloudletKind.keyString(getPath(object as object, by) as never));
    }
    for (const via of this.#vias) {
      if (via.target.kind === kind.kind) {
        for (const scope of via.index.get(keyString)?.keys() ?? []) scopes.add(scope);
      }
    }
    return [...scopes].sort();
  }

  /** Takes changes in; returns the objects that other sites may see now than before. */
  update(changes: readonly ObjectChange[]): { kind: AnyKind; keyString: string }[] {
    const moved = new Map<string, { kind: AnyKind; keyString: string }>();
    for (const { kind, old, object } of changes) {
      for (const via of this.#vias) {
        if (via.via.kind !== kind.kind) continue;
        for (const [value, step] of [[object, 1], [old, -1]] as const) {
          if (value === undefined) continue;
          const scope = CloudletKind.keyString(getPath(value as object, via.by) as never);
          for (const keyString of targetsOf(via, value as object)) {
            if (count(via.index, keyString, scope, step)) {
              moved.set(`${via.target.kind}/${keyString}`, { kind: via.target, keyString });
            }
          }
        }
      }
    }
    return [...moved.values()];
  }
}

/** Key strings of the objects that travel with this one. */
function targetsOf({ target, via, at }: Via, object: object): string[] {
  if (at !== "") return [target.keyString(getPath(object, at))];
  return referencesOf(via, object).filter(({ kind }) => kind.kind === target.kind).map(({ keyString }) => keyString);
}

function siteRules(kind: AnyKind) {
  return kind.replicate.filter((rule) => rule.to === "TO_CRM");
}

/** Counts; true when the scope came or went. */
function count(index: Via["index"], keyString: string, scope: string, step: 1 | -1): boolean {
  let scopes = index.get(keyString);
  if (scopes === undefined) index.set(keyString, scopes = new Map());
  const before = scopes.get(scope) ?? 0;
  if (before + step > 0) scopes.set(scope, before + step);
  else scopes.delete(scope);
  if (scopes.size === 0) index.delete(keyString);
  return (before > 0) !== (before + step > 0);
}
