import {
  differences,
  fromJson,
  type JsonValue,
  Liveness,
  maskFromJson,
  matches,
  toJson,
} from "../../../shared/schema/mod.ts";
import type { ApplicableKind, WantedObject } from "./document.ts";

/** What is to be done about one object. */
export interface Step {
  readonly action: "create" | "update" | "delete" | "keep" | "refuse";
  readonly kind: ApplicableKind;
  readonly region: string;
  readonly keyString: string;
  /** The object of a request: as the document has it, or the key alone. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Fields that an update changes, dotted names. */
  readonly fields: readonly string[];
  /** The same as dotted numbers. */
  readonly mask: readonly string[];
  /** Why a step is refused. */
  readonly reason?: string;
}

/** The objects of one kind and region as they are, by key string. */
export type LiveObjects = ReadonlyMap<string, object>;

/** Finds out what has to be done to bring what is there to what is wanted. */
export function planObject(wanted: WantedObject, live: object | undefined): Step {
  const { kind, region, keyString, json, object } = wanted;
  const base = { kind, region, keyString, json };
  const type = kind.kind.message;
  if (live === undefined) {
    if (kind.create !== undefined) return { ...base, action: "create", fields: [], mask: [] };
    return { ...base, action: "update", fields: [], mask: maskFromJson(type, json) };
  }
  const different = differences(type, live, object, maskFromJson(type, json));
  const fixed = different.filter(({ remedy }) => remedy === "fixed");
  if (fixed.length > 0) {
    const fields = fixed.map(({ path }) => path).join(", ");
    return {
      ...base,
      action: "refuse",
      fields: [],
      mask: [],
      reason: `${fields} may be set at creation only and differs: take it back, or delete the object first`,
    };
  }
  const changed = different.filter(({ remedy }) => remedy === "update");
  if (changed.length === 0) return { ...base, action: "keep", fields: [], mask: [] };
  if (kind.update === undefined) {
    const reason = `${changed.map(({ path }) => path).join(", ")} differs, and such objects cannot be updated`;
    return { ...base, action: "refuse", fields: [], mask: [], reason };
  }
  // A secret that stands in the document goes along: nobody can tell whether it is the same.
  return {
    ...base,
    action: "update",
    fields: changed.map(({ path }) => path),
    mask: different.map(({ mask }) => mask),
  };
}

/**
 * The object that a document means. Parts of a key that it leaves out are filled in by the platform, as the cluster of an
 * app instance that needs none; so one object that agrees in all parts given is the one.
 */
export function findLive(wanted: WantedObject, live: LiveObjects): string | undefined {
  if (live.has(wanted.keyString)) return wanted.keyString;
  const { key, keyMessage } = wanted.kind.kind;
  const example = key(wanted.object);
  const similar = [...live].filter(([, object]) => matches(keyMessage, example, key(object)));
  return similar.length === 1 ? similar[0]![0] : undefined;
}

/**
 * What is there but not wanted, of the kinds and organizations that the document speaks of; the last in dependency order
 * first. What the platform made by itself is the platform's to remove.
 */
export function planPrune(wanted: readonly WantedObject[], liveOf: (wanted: WantedObject) => LiveObjects): Step[] {
  const steps: Step[] = [];
  for (const [, group] of Map.groupBy(wanted, ({ kind, region }) => `${region}/${kind.section}`)) {
    const { kind, region } = group[0]!;
    if (kind.remove === undefined) continue;
    const live = liveOf(group[0]!);
    const named = new Set(group.map((each) => findLive(each, live)));
    const owners = new Set(group.map(({ object }) => kind.kind.owner(object)));
    for (const [keyString, object] of live) {
      if (named.has(keyString) || !owners.has(kind.kind.owner(object)) || isMadeByPlatform(object)) continue;
      steps.push({ action: "delete", kind, region, keyString, json: keyJson(kind, object), fields: [], mask: [] });
    }
  }
  return steps.sort((a, b) => b.kind.kind.order - a.kind.kind.order);
}

/** An object of nothing but its key. */
function keyJson({ kind }: ApplicableKind, object: object): Record<string, JsonValue> {
  const key = toJson(kind.keyMessage, kind.key(object)) as Record<string, JsonValue>;
  const { flatKey, keyFields } = kind.message.descriptor.object!;
  return flatKey ? key : { [keyFields[0]!]: key };
}

function isMadeByPlatform(object: object): boolean {
  const { liveness, auto } = object as { liveness?: Liveness; auto?: boolean };
  return auto === true || liveness === Liveness.LIVENESS_DYNAMIC || liveness === Liveness.LIVENESS_AUTOPROV;
}

/** The objects of a show's answer. */
export function liveObjects(kind: ApplicableKind, items: readonly unknown[]): LiveObjects {
  const { message, key, keyString } = kind.kind;
  const objects = items.map((item) => fromJson(message, item) as object);
  return new Map(objects.map((object) => [keyString(key(object)), object]));
}
