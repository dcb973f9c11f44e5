import { equalFields } from "./compare.ts";
import { type FieldDescriptor, isKeyField, type MessageDescriptor } from "./descriptor.ts";
import { fieldOfKey, isJsonObject, type Issue, JsonError, shownValue } from "./json/mod.ts";
import type { MessageType, Properties } from "./message_type.ts";

/**
 * Mask of an update: dotted numbers of the fields that its JSON names, down to the leaves. Lists, maps and empty or null
 * messages are leaves. An explicit, non-empty `fields` list in the JSON wins. Throws JsonError for a bad explicit list.
 */
export function maskFromJson<T>(type: MessageType<T>, json: unknown): string[] {
  if (!isJsonObject(json)) return [];
  for (const key of Object.keys(json)) {
    const explicit = json[key];
    if (fieldOfKey(type.descriptor, key)?.rules.modifier !== true || !Array.isArray(explicit)) continue;
    if (explicit.length > 0) return checkedMask(type.descriptor, explicit);
  }
  const mask: string[] = [];
  collect(type.descriptor, json, "", mask);
  return mask;
}

function checkedMask(descriptor: MessageDescriptor, mask: readonly unknown[]): string[] {
  const issues: Issue[] = [];
  mask.forEach((path, index) => {
    if (typeof path === "string" && chainOf(descriptor, path) !== undefined) return;
    issues.push({ path: `fields[${index}]`, value: shownValue(path), rule: "must be the dotted numbers of a field" });
  });
  if (issues.length > 0) throw new JsonError(issues);
  return [...mask] as string[];
}

function collect(descriptor: MessageDescriptor, json: Record<string, unknown>, prefix: string, mask: string[]): void {
  for (const key of Object.keys(json)) {
    const field = fieldOfKey(descriptor, key);
    if (field === undefined || field.rules.modifier) continue;
    const value = json[key];
    const path = `${prefix}${field.number}`;
    const nested = field.kind === "message" && !field.repeated && !field.message!.descriptor.isTimestamp;
    if (nested && isJsonObject(value) && Object.keys(value).length > 0) {
      collect(field.message!.descriptor, value, `${path}.`, mask);
    } else mask.push(path);
  }
}

/** Fields along a dotted path of numbers; undefined when the path leads nowhere. */
export function chainOf(descriptor: MessageDescriptor, path: string): FieldDescriptor[] | undefined {
  const chain: FieldDescriptor[] = [];
  let current: MessageDescriptor | undefined = descriptor;
  for (const part of path.split(".")) {
    const field: FieldDescriptor | undefined = /^\d+$/.test(part) ? current?.fieldByNumber(Number(part)) : undefined;
    if (field === undefined) return undefined;
    chain.push(field);
    current = field.kind === "message" && !field.repeated ? field.message!.descriptor : undefined;
  }
  return chain;
}

/** A masked field that may not be changed. */
export interface Refusal {
  /** JSON path of the field, or the mask entry that names no field. */
  readonly field: string;
  readonly rule: string;
}

/** What applying a mask did. */
export interface MaskResult {
  /** JSON paths of the fields whose value is another now. */
  readonly changed: string[];
  /** When not empty, the target is as it was. */
  readonly refused: Refusal[];
}

/**
 * Copies the masked fields of `source` into `target`, in place (controller spec 0.3). Key fields and modifiers are ignored;
 * fields of other writers and fixed ones are refused. A message that is named without any of its leaves is copied whole.
 */
export function applyMask<T>(type: MessageType<T>, target: T, source: T, mask: readonly string[]): MaskResult {
  const refused: Refusal[] = [];
  const chains: FieldDescriptor[][] = [];
  for (const path of mask) {
    const chain = chainOf(type.descriptor, path);
    const named = chain?.map((field) => field.name).join(".") ?? path;
    const rule = chain === undefined ? "names no field" : refusalOf(type.descriptor, chain);
    if (rule !== undefined) refused.push({ field: named, rule });
    else if (chain !== undefined && isApplied(type.descriptor, chain)) chains.push(chain);
  }
  if (refused.length > 0) return { changed: [], refused };
  const changed: string[] = [];
  for (const chain of chains) {
    const withLeaves = chains.some((other) => other.length > chain.length && chain.every((f, i) => other[i] === f));
    if (!withLeaves && copy(target as Properties, source as Properties, chain)) {
      changed.push(chain.map((field) => field.name).join("."));
    }
  }
  return { changed: [...new Set(changed)], refused };
}

function isApplied(descriptor: MessageDescriptor, chain: readonly FieldDescriptor[]): boolean {
  return !isKeyField(descriptor, chain[0]!.name) && !chain.some((field) => field.rules.modifier);
}

function refusalOf(descriptor: MessageDescriptor, chain: readonly FieldDescriptor[]): string | undefined {
  if (!isApplied(descriptor, chain)) return undefined;
  if (chain.some((field) => field.rules.setBy !== "CALLER")) return "is set by the platform";
  return chain.some((field) => field.rules.fixed) ? "may be set at creation only" : undefined;
}

function copy(target: Properties, source: Properties, chain: readonly FieldDescriptor[]): boolean {
  let to = target;
  let from: Properties | undefined = source;
  for (const field of chain.slice(0, -1)) {
    from = from?.[field.property] as Properties | undefined;
    if (to[field.property] === undefined) {
      // Setting a default inside an absent message would only make the message appear.
      if (from === undefined) return false;
      to[field.property] = field.message!.create();
    }
    to = to[field.property] as Properties;
  }
  const field = chain.at(-1)!;
  const value = from === undefined ? defaultOf(field) : from[field.property];
  if (equalFields(field, to[field.property], value)) return false;
  to[field.property] = structuredClone(value);
  return true;
}

/** The value of a field that was not set. */
export function defaultOf(field: FieldDescriptor): unknown {
  if (field.repeated) return [];
  switch (field.kind) {
    case "map":
      return {};
    case "message":
      return field.rules.present ? field.message!.create() : undefined;
    case "enum":
      return field.oneof === undefined ? 0 : undefined;
    case "scalar":
      if (field.oneof !== undefined) return undefined;
      if (field.scalar === "string") return "";
      if (field.scalar === "bool") return false;
      return field.scalar === "bytes" ? new Uint8Array(0) : 0;
  }
}
