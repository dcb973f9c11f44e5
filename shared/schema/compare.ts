import type { FieldDescriptor, MessageDescriptor } from "./descriptor.ts";
import { isZero } from "./json/mod.ts";
import type { MessageType, Properties } from "./message_type.ts";

/** Whether two messages hold the same values. */
export function equal<T>(type: MessageType<T>, a: T, b: T): boolean {
  return equalMessages(type.descriptor, a as Properties, b as Properties);
}

/** Whether a message holds nothing but defaults: no field is set, and sub-messages are absent or empty themselves. */
export function isEmpty<T>(type: MessageType<T>, value: T): boolean {
  return type.descriptor.fields.every((field) => isBlank(field, (value as Properties)[field.property]));
}

/** Whether a field's value says nothing: zero, absent, or a message of nothing but such values. */
export function isBlank(field: FieldDescriptor, value: unknown): boolean {
  if (value === undefined) return true;
  if (field.oneof !== undefined) return false;
  if (field.kind === "message" && !field.repeated) return isEmpty(field.message!, value as object);
  return isZero(field, value);
}

/**
 * Whether an object matches an example (controller spec 0.5): zero values of the example match all, others must be equal;
 * of a list every element must be present, of a map every entry. Modifiers and secrets are not compared.
 */
export function matches<T>(type: MessageType<T>, filter: T, object: T): boolean {
  return matcher(type, filter)(object);
}

/** {@linkcode matches} for many objects: what the example leaves open is looked at once, not for each of them. */
export function matcher<T>(type: MessageType<T>, filter: T): (object: T) => boolean {
  const matched = messageMatcher(type.descriptor, filter as Properties);
  return (object) => matched(object as Properties);
}

function messageMatcher(
  descriptor: MessageDescriptor,
  filter: Properties,
): (object: Properties | undefined) => boolean {
  const checks: ((object: Properties | undefined) => boolean)[] = [];
  for (const field of descriptor.fields) {
    const { property, rules } = field;
    const wanted = filter[property];
    if (rules.modifier || rules.secret || isBlank(field, wanted)) continue;
    if (field.kind === "message" && !field.repeated) {
      const inner = messageMatcher(field.message!.descriptor, wanted as Properties);
      checks.push((object) => object?.[property] !== undefined && inner(object[property] as Properties));
    } else {
      checks.push((object) => {
        const actual = object?.[property];
        return actual !== undefined && matchesField(field, wanted, actual);
      });
    }
  }
  return (object) => checks.every((check) => check(object));
}

function matchesMessage(descriptor: MessageDescriptor, filter: Properties, object: Properties | undefined): boolean {
  return messageMatcher(descriptor, filter)(object);
}

function matchesField(field: FieldDescriptor, wanted: unknown, actual: unknown): boolean {
  if (field.repeated) {
    return (wanted as unknown[]).every((item) =>
      (actual as unknown[]).some((other) => matchesItem(field, item, other))
    );
  }
  const value = field.mapValue;
  if (value !== undefined) {
    return Object.entries(wanted as Properties).every(([key, item]) =>
      Object.hasOwn(actual as object, key) && matchesItem(value, item, (actual as Properties)[key])
    );
  }
  return matchesItem(field, wanted, actual);
}

function matchesItem(field: FieldDescriptor, wanted: unknown, actual: unknown): boolean {
  if (field.kind !== "message") return equalItems(field, wanted, actual);
  return matchesMessage(field.message!.descriptor, wanted as Properties, actual as Properties);
}

function equalMessages(descriptor: MessageDescriptor, a: Properties, b: Properties): boolean {
  return descriptor.fields.every((field) => equalFields(field, a[field.property], b[field.property]));
}

/** Whether two values of a field are the same. */
export function equalFields(field: FieldDescriptor, a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (field.repeated) {
    const [left, right] = [a as unknown[], b as unknown[]];
    return left.length === right.length && left.every((item, index) => equalItems(field, item, right[index]));
  }
  const value = field.mapValue;
  if (value !== undefined) {
    const [left, right] = [Object.entries(a as Properties), b as Properties];
    return left.length === Object.keys(right).length &&
      left.every(([key, item]) => Object.hasOwn(right, key) && equalItems(value, item, right[key]));
  }
  return equalItems(field, a, b);
}

function equalItems(field: FieldDescriptor, a: unknown, b: unknown): boolean {
  if (field.kind === "message") return equalMessages(field.message!.descriptor, a as Properties, b as Properties);
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  return Object.is(a, b);
}
