import { camelWords, commonPrefix, looseName } from "./names.ts";

/** One value of an enum. */
export interface EnumValue {
  /** Proto name, e.g. `UPDATE_REQUESTED`. */
  readonly name: string;
  readonly number: number;
  /** What people and JSON see: CamelCase without the prefix that all names of the enum share, e.g. `UpdateRequested`. */
  readonly text: string;
  readonly doc: string;
}

/** What is known of an enum. */
export interface EnumDescriptor {
  /** Full proto name, e.g. `archipelago.TrackedState`. */
  readonly name: string;
  /** Name without the package; nested ones as `Outer_Inner`. */
  readonly typeName: string;
  readonly doc: string;
  readonly values: readonly EnumValue[];
  /** The value of a number, or undefined when the schema has none (enums are open on the wire). */
  byNumber(number: number): EnumValue | undefined;
  /** The value of a text in any accepted form: proto name or text, in any case, with or without prefix and underscores. */
  parse(text: string): EnumValue | undefined;
}

/** The constant object of an enum: proto name to number. */
export type EnumObject = Readonly<Record<string, number>>;

const descriptors = new WeakMap<EnumObject, EnumDescriptor>();

/** Builds the descriptor of an enum and remembers it under its constant object. Called by generated code only. */
export function describeEnum(
  object: EnumObject,
  facts: { name: string; typeName: string; doc: string; docs: Readonly<Record<string, string>> },
): EnumDescriptor {
  const names = Object.keys(object);
  const prefix = commonPrefix(names);
  const values = names.map((name): EnumValue => ({
    name,
    number: object[name]!,
    text: camelWords(name.slice(prefix.length)),
    doc: facts.docs[name] ?? "",
  }));
  const numbers = new Map(values.map((value) => [value.number, value]));
  const texts = new Map<string, EnumValue>();
  for (const value of values) texts.set(looseName(value.text), value);
  for (const value of values) texts.set(looseName(value.name), value);
  const descriptor: EnumDescriptor = {
    name: facts.name,
    typeName: facts.typeName,
    doc: facts.doc,
    values,
    byNumber: (number) => numbers.get(number),
    parse: (text) => texts.get(looseName(text)),
  };
  descriptors.set(object, descriptor);
  return descriptor;
}

/** Descriptor of an enum, by its constant object. Throws a TypeError for any other object. */
export function enumDescriptor(object: EnumObject): EnumDescriptor {
  const descriptor = descriptors.get(object);
  if (descriptor === undefined) throw new TypeError("Expected the constant object of a schema enum");
  return descriptor;
}

/** Proto name of an enum value, e.g. `UPDATE_REQUESTED`; the number as text when the schema has no name for it. */
export function enumName(object: EnumObject, number: number): string {
  return enumDescriptor(object).byNumber(number)?.name ?? String(number);
}

/** Text of an enum value for people and JSON, e.g. `UpdateRequested`; the number as text when the schema has no name for it. */
export function enumText(object: EnumObject, number: number): string {
  return enumDescriptor(object).byNumber(number)?.text ?? String(number);
}
