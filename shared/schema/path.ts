import type { FieldDescriptor, MessageDescriptor } from "./descriptor.ts";
import { propertyName } from "./names.ts";

const MAX_REMEMBERED_PATHS = 4096;
const parsed = new Map<string, readonly string[]>();

/** Property names of a dotted path of proto names. */
function properties(path: string): readonly string[] {
  let names = parsed.get(path);
  if (names === undefined) {
    names = path === "" ? [] : path.split(".").map(propertyName);
    if (parsed.size < MAX_REMEMBERED_PATHS) parsed.set(path, names);
  }
  return names;
}

/**
 * All values at a dotted path of proto names in an object of a message; lists and maps on the way, and at the end, stand
 * for their elements and values. What is absent gives nothing.
 */
export function valuesAt(descriptor: MessageDescriptor, object: object, path: string): unknown[] {
  let values: unknown[] = [object];
  let current: MessageDescriptor | undefined = descriptor;
  for (const name of path.split(".")) {
    const field: FieldDescriptor | undefined = current?.field(name);
    if (field === undefined) throw new TypeError(`Expected ${path} to lead through ${descriptor.name}`);
    values = values.flatMap((value) => itemsOf(field, (value as Record<string, unknown>)[field.property]));
    current = (field.mapValue ?? field).message?.descriptor;
  }
  return values;
}

function itemsOf(field: FieldDescriptor, value: unknown): unknown[] {
  if (value === undefined) return [];
  if (field.repeated) return value as unknown[];
  return field.mapValue === undefined ? [value] : Object.values(value as object);
}

/** The value at a dotted path of proto names, e.g. `key.app_key.organization`; undefined when something on the way is absent. */
export function getPath(object: object, path: string): unknown {
  let current: unknown = object;
  for (const name of properties(path)) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<string, unknown>)[name];
  }
  return current;
}

/** Sets the value at a dotted path of proto names. Throws a TypeError when a message on the way is absent. */
export function setPath(object: object, path: string, value: unknown): void {
  const names = properties(path);
  const last = names.at(-1);
  let current: unknown = object;
  for (const name of names.slice(0, -1)) current = (current as Record<string, unknown> | undefined)?.[name];
  if (last === undefined || typeof current !== "object" || current === null) {
    throw new TypeError(`Expected every message on the path ${path} to be present`);
  }
  (current as Record<string, unknown>)[last] = value;
}
