import type { AnyKind } from "../faults.ts";
import { type Reference, referencesOf } from "./references.ts";
import type { ObjectChange } from "./region_cache.ts";

/** Key strings of referrers, by their kind's name, by the target's key string. */
type Referrers = Map<string, Map<string, Set<string>>>;

/**
 * Who refers to an object, by the schema's `needs`; reports of sites do not count. The first question about a kind looks
 * through all that can refer to it, and from then on changes are followed: most kinds are never asked about, and those
 * that are must not cost a walk through the region each time.
 */
export class ReferenceIndex {
  readonly #kinds: readonly AnyKind[];
  readonly #table: (kind: AnyKind) => ReadonlyMap<string, unknown>;
  readonly #targets = new Map<string, Referrers>();

  constructor(kinds: readonly AnyKind[], table: (kind: AnyKind) => ReadonlyMap<string, unknown>) {
    this.#kinds = kinds.filter((kind) => kind.stored && kind.source !== "CRM" && kind.needs.length > 0);
    this.#table = table;
  }

  /** Objects that refer to this one, in dependency order. */
  referrers(target: AnyKind, keyString: string): Reference[] {
    const byKind = this.#referrersTo(target).get(keyString);
    if (byKind === undefined) return [];
    return this.#kinds.flatMap((kind) =>
      [...byKind.get(kind.kind) ?? []].map((referrer) => ({ kind, keyString: referrer }))
    );
  }

  /** Objects of one kind that refer to this one; not to be changed, and to be copied before anything is waited for. */
  referrersOf(target: AnyKind, keyString: string, kind: AnyKind): ReadonlySet<string> {
    return this.#referrersTo(target).get(keyString)?.get(kind.kind) ?? NOBODY;
  }

  /** Takes a change in. */
  apply({ kind, keyString, object, old }: ObjectChange): void {
    if (this.#targets.size === 0 || !this.#kinds.includes(kind)) return;
    if (old !== undefined) this.#note(kind, keyString, old, false);
    if (object !== undefined) this.#note(kind, keyString, object, true);
  }

  #referrersTo(target: AnyKind): Referrers {
    let referrers = this.#targets.get(target.kind);
    if (referrers === undefined) {
      this.#targets.set(target.kind, referrers = new Map());
      for (const kind of this.#kinds) {
        if (!kind.needs.some((need: { kind: string }) => need.kind === target.kind)) continue;
        for (const [keyString, object] of this.#table(kind)) this.#note(kind, keyString, object, true, target.kind);
      }
    }
    return referrers;
  }

  /** Adds or removes what an object refers to, in the index of one target kind or of all that are followed. */
  #note(kind: AnyKind, keyString: string, object: unknown, present: boolean, only?: string): void {
    for (const reference of referencesOf(kind, object as object)) {
      if (only !== undefined && reference.kind.kind !== only) continue;
      const referrers = this.#targets.get(reference.kind.kind);
      if (referrers === undefined) continue;
      let byKind = referrers.get(reference.keyString);
      if (present) {
        if (byKind === undefined) referrers.set(reference.keyString, byKind = new Map());
        const set = byKind.get(kind.kind);
        if (set === undefined) byKind.set(kind.kind, new Set([keyString]));
        else set.add(keyString);
      } else if (byKind !== undefined) {
        byKind.get(kind.kind)?.delete(keyString);
        if (byKind.get(kind.kind)?.size === 0) byKind.delete(kind.kind);
        if (byKind.size === 0) referrers.delete(reference.keyString);
      }
    }
  }
}

const NOBODY: ReadonlySet<string> = new Set();
