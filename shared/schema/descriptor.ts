import type { EnumDescriptor } from "./enum_type.ts";
import type { MessageType } from "./message_type.ts";

/** Who may write a field, or is the source of truth of an object (`Writer` of options.proto). */
export type Writer = "CALLER" | "CONTROLLER" | "CRM";

/** Who receives replicated objects (`Audience` of options.proto). */
export type Audience = "NOBODY" | "TO_DME" | "TO_CRM" | "TO_AUTO_PROVISIONER" | "TO_CONTROLLER" | "TO_SITE_DME";

/** Scalar types of proto3. */
export type ScalarType =
  | "double"
  | "float"
  | "int32"
  | "int64"
  | "uint32"
  | "uint64"
  | "sint32"
  | "sint64"
  | "fixed32"
  | "fixed64"
  | "sfixed32"
  | "sfixed64"
  | "bool"
  | "string"
  | "bytes";

/** Rules of one field (`FieldRules` of options.proto, where each is explained). */
export interface FieldRules {
  readonly setBy: Writer;
  readonly fixed: boolean;
  readonly required: boolean;
  readonly secret: boolean;
  readonly hidden: boolean;
  readonly modifier: boolean;
  readonly present: boolean;
  readonly arg: string;
  readonly meaning: "PLAIN" | "DURATION" | "DECIMAL";
  readonly partArgs: readonly string[];
}

/** What is known of one field. */
export interface FieldDescriptor {
  /** Proto and JSON name, e.g. `cloudlet_loc`. */
  readonly name: string;
  /** Property of the TypeScript object, e.g. `cloudletLoc`. */
  readonly property: string;
  readonly number: number;
  readonly doc: string;
  /** A map's values are described by `mapValue`; its keys are strings. */
  readonly kind: "scalar" | "enum" | "message" | "map";
  readonly scalar?: ScalarType;
  readonly repeated: boolean;
  /** Name of the oneof that the field belongs to; such fields are undefined when not set. */
  readonly oneof?: string;
  readonly message?: MessageType<object>;
  readonly enum?: EnumDescriptor;
  readonly mapValue?: FieldDescriptor;
  readonly rules: FieldRules;
}

/** One replication rule of an object (`Replicate` of options.proto). */
export interface ReplicateRule {
  readonly to: Audience;
  readonly by: string;
  readonly via: string;
  readonly at: string;
  /** Fields, by their names in the schema, that are sent besides the key. @default all */
  readonly only?: readonly string[];
}

/** One reference of an object (`Need` of options.proto). */
export interface NeedRule {
  readonly kind: string;
  readonly at: string;
  readonly optional: boolean;
  /** Other parts of the key, as `part=path in the referring object`. */
  readonly with: readonly string[];
  readonly late: boolean;
}

/** Type that an organization must have to own an object; empty: the platform owns it, or the type does not matter. */
export type OwnerType = "" | "developer" | "operator";

/** Rules of an object (`ObjectOptions` of options.proto). */
export interface ObjectRules {
  /** Fields of the object that are its key: one of a message type, or with `flatKey` those that together are the key. */
  readonly keyFields: readonly string[];
  readonly flatKey: boolean;
  readonly owner: string;
  readonly ownerType: OwnerType;
  readonly source: Writer;
  readonly stored: boolean;
  readonly replicate: readonly ReplicateRule[];
  readonly needs: readonly NeedRule[];
  readonly noun: string;
  readonly cli: string;
  readonly order: number;
}

/** What is known of a message. */
export interface MessageDescriptor {
  /** Full proto name, e.g. `archipelago.AppInst`. */
  readonly name: string;
  /** Name without the package; nested ones as `Outer_Inner`. */
  readonly typeName: string;
  readonly doc: string;
  /** In the order of declaration. */
  readonly fields: readonly FieldDescriptor[];
  /** A field by its proto name. */
  field(name: string): FieldDescriptor | undefined;
  /** A field by its number. */
  fieldByNumber(number: number): FieldDescriptor | undefined;
  /** Rules, when the message is an object of the region. */
  readonly object?: ObjectRules;
  /** Whether the message is a moment of `seconds` and `nanos`. */
  readonly isTimestamp: boolean;
}

/** Whether a top-level field of a message is the object's key, or a part of it. */
export function isKeyField(descriptor: MessageDescriptor, name: string): boolean {
  return descriptor.object?.keyFields.includes(name) ?? false;
}

/** Facts of a field as generated code states them: what is left out has its default. */
export interface FieldFacts {
  readonly name: string;
  readonly property: string;
  readonly number: number;
  readonly doc?: string;
  readonly scalar?: ScalarType;
  /** A function, because messages may refer to ones that are defined later. */
  readonly message?: () => MessageType<object>;
  readonly enum?: () => EnumDescriptor;
  readonly map?: boolean;
  readonly repeated?: boolean;
  readonly oneof?: string;
  readonly rules?: Partial<FieldRules>;
}

const NO_RULES: FieldRules = Object.freeze({
  setBy: "CALLER",
  fixed: false,
  required: false,
  secret: false,
  hidden: false,
  modifier: false,
  present: false,
  arg: "",
  meaning: "PLAIN",
  partArgs: [],
});

class Field implements FieldDescriptor {
  readonly name: string;
  readonly property: string;
  readonly number: number;
  readonly doc: string;
  readonly kind: "scalar" | "enum" | "message" | "map";
  readonly scalar?: ScalarType;
  readonly repeated: boolean;
  readonly oneof?: string;
  readonly mapValue?: FieldDescriptor;
  readonly rules: FieldRules;
  readonly #message?: () => MessageType<object>;
  readonly #enum?: () => EnumDescriptor;

  constructor(facts: FieldFacts) {
    this.name = facts.name;
    this.property = facts.property;
    this.number = facts.number;
    this.doc = facts.doc ?? "";
    this.kind = facts.map ? "map" : facts.message ? "message" : facts.enum ? "enum" : "scalar";
    this.scalar = facts.map ? undefined : facts.scalar;
    this.repeated = facts.repeated ?? false;
    this.oneof = facts.oneof;
    this.rules = facts.rules === undefined ? NO_RULES : { ...NO_RULES, ...facts.rules };
    this.#message = facts.map ? undefined : facts.message;
    this.#enum = facts.map ? undefined : facts.enum;
    if (facts.map) this.mapValue = new Field({ ...facts, map: false, name: "value", property: "value", number: 2 });
  }

  get message(): MessageType<object> | undefined {
    return this.#message?.();
  }

  get enum(): EnumDescriptor | undefined {
    return this.#enum?.();
  }
}

/** Builds the descriptor of a message from generated facts. */
export function describeMessage(
  facts: { name: string; typeName: string; doc: string; fields: readonly FieldFacts[]; object?: ObjectRules },
): MessageDescriptor {
  const fields = facts.fields.map((field) => new Field(field));
  const byName = new Map(fields.map((field) => [field.name, field]));
  const byNumber = new Map(fields.map((field) => [field.number, field]));
  return {
    name: facts.name,
    typeName: facts.typeName,
    doc: facts.doc,
    fields,
    field: (name) => byName.get(name),
    fieldByNumber: (number) => byNumber.get(number),
    object: facts.object,
    isTimestamp: facts.typeName === "Timestamp" && byName.has("seconds") && byName.has("nanos"),
  };
}
