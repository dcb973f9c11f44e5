import { isBlank } from "./compare.ts";
import { isKeyField, type MessageDescriptor } from "./descriptor.ts";
import type { Issue } from "./json/mod.ts";
import type { MessageType, Properties } from "./message_type.ts";

/** Blanks, in place and at every depth, what a caller may not set: fields of other writers, and modifiers. */
export function clearUnset<T>(type: MessageType<T>, object: T): void {
  clearMessage(type.descriptor, object as Properties, type.create() as Properties);
}

function clearMessage(descriptor: MessageDescriptor, object: Properties, empty: Properties): void {
  for (const field of descriptor.fields) {
    const value = object[field.property];
    if (field.rules.setBy !== "CALLER" || field.rules.modifier) object[field.property] = empty[field.property];
    else if (field.message !== undefined && value !== undefined) {
      for (const item of field.repeated ? value as object[] : [value as object]) {
        clearMessage(field.message.descriptor, item as Properties, field.message.create() as Properties);
      }
    }
  }
}

/**
 * Required fields that are missing, by JSON path. Looks into the key, into required messages and into messages that hold
 * something; a message that is neither may stay empty whatever its own fields require.
 */
export function requiredIssues<T>(type: MessageType<T>, object: T): Issue[] {
  const issues: Issue[] = [];
  collectMissing(type.descriptor, object as Properties, "", issues);
  return issues;
}

function collectMissing(descriptor: MessageDescriptor, object: Properties, prefix: string, issues: Issue[]): void {
  for (const field of descriptor.fields) {
    const value = object[field.property];
    const path = `${prefix}${field.name}`;
    const missing = isBlank(field, value);
    const inner = field.kind === "message" && !field.repeated ? field.message! : undefined;
    if (missing && field.rules.required && !hasRequired(inner?.descriptor)) {
      issues.push({ path, value: "", rule: "is required" });
    } else if (inner !== undefined && (!missing || field.rules.required || prefixIsKey(descriptor, field.name))) {
      collectMissing(inner.descriptor, (value ?? inner.create()) as Properties, `${path}.`, issues);
    }
  }
}

/** Whether naming the message's own missing fields says more than naming the message. */
function hasRequired(descriptor: MessageDescriptor | undefined): boolean {
  return descriptor?.fields.some((field) => field.rules.required) ?? false;
}

/** An object's key, and the parts of a key, are looked into even when empty. */
function prefixIsKey(descriptor: MessageDescriptor, name: string): boolean {
  return descriptor.object === undefined ? descriptor.typeName.endsWith("Key") : isKeyField(descriptor, name);
}
