import fc from "fast-check";
import type { FieldDescriptor } from "../descriptor.ts";
import { type MessageType, type Properties, setEntry } from "../message_type.ts";

/** Arbitrary messages of a type: every field any value that its type allows, unset ones included. Enums keep to known values. */
export function arbitraryMessage<T>(type: MessageType<T>): fc.Arbitrary<T> {
  const fields = type.descriptor.fields;
  const record = fc.record(Object.fromEntries(fields.map((field) => [field.property, arbitraryField(field)])));
  return record.map((parts) => {
    const message = type.create() as Properties;
    const taken = new Set<string>();
    for (const field of fields) {
      const value = (parts as Properties)[field.property];
      if (value === undefined) continue;
      if (field.oneof !== undefined) {
        if (taken.has(field.oneof)) continue;
        taken.add(field.oneof);
      }
      message[field.property] = value;
    }
    return message as T;
  });
}

function arbitraryField(field: FieldDescriptor): fc.Arbitrary<unknown> {
  if (field.mapValue !== undefined) {
    return fc.array(fc.tuple(text(), arbitraryItem(field.mapValue)), { maxLength: 3 }).map((entries) => {
      const map: Properties = {};
      for (const [key, value] of entries) setEntry(map, key, value);
      return map;
    });
  }
  if (field.repeated) return fc.array(arbitraryItem(field), { maxLength: 3 });
  if (field.kind === "message" || field.oneof !== undefined) {
    return field.rules.present ? arbitraryItem(field) : fc.option(arbitraryItem(field), { nil: undefined });
  }
  return arbitraryItem(field);
}

/** Well-formed text with the characters that trip codecs, and keys that trip objects. */
function text(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.constantFrom(
      "",
      "__proto__",
      "constructor",
      "é".repeat(63),
      "x".repeat(127),
      "x".repeat(128),
      "\0".repeat(2048),
    ),
  );
}

/** Decimals in their canonical form. */
function decimal(): fc.Arbitrary<string> {
  return fc.tuple(fc.nat(), fc.stringMatching(/^(\d{0,8}[1-9])?$/)).map(([whole, fraction]) =>
    fraction !== "" ? `${whole}.${fraction}` : whole === 0 ? "" : String(whole)
  );
}

function arbitraryItem(field: FieldDescriptor): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return arbitraryMessage(field.message);
  if (field.enum !== undefined) return fc.constantFrom(...field.enum.values.map((value) => value.number));
  switch (field.scalar!) {
    case "string":
      return field.rules.meaning === "DECIMAL" ? decimal() : text();
    case "bool":
      return fc.boolean();
    case "bytes":
      return fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes));
    case "double":
      return fc.double();
    case "float":
      return fc.float();
    case "uint32":
    case "fixed32":
      return fc.nat({ max: 0xffffffff });
    case "int32":
    case "sint32":
    case "sfixed32":
      return fc.integer({ min: -0x80000000, max: 0x7fffffff });
    case "uint64":
    case "fixed64":
      return fc.oneof(fc.nat(), fc.maxSafeNat());
    case "int64":
    case "sint64":
    case "sfixed64":
      return fc.oneof(fc.integer(), fc.maxSafeInteger());
  }
}
