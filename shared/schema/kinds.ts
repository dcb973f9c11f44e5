import { kindsByName } from "./generated/kinds.ts";
import type { ObjectKind } from "./object_kind.ts";

/** Object kinds by name, each with its own types. */
export type KindMap = typeof kindsByName;

/** The kind of a name that the program knows. Throws a TypeError for another one. */
export function kindOf<Name extends keyof KindMap>(name: Name): KindMap[Name] {
  const kind = findKind(name);
  if (kind === undefined) throw new TypeError(`Expected the name of an object kind, got ${name}`);
  return kind as unknown as KindMap[Name];
}

/** The kind of a name that came from outside; undefined when there is none. */
export function findKind(name: string): ObjectKind | undefined {
  return Object.hasOwn(kindsByName, name) ? kindsByName[name as keyof KindMap] : undefined;
}
