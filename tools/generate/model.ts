import type { ScalarType } from "../../shared/schema/descriptor.ts";

/** Value of a custom option as its message's JSON: snake_case keys, enums by name. */
export type OptionValue = Readonly<Record<string, unknown>>;

/** A field of a message, its type resolved. */
export interface FieldModel {
  name: string;
  property: string;
  number: number;
  doc: string;
  type: { kind: "scalar"; scalar: ScalarType } | { kind: "enum" | "message"; fullName: string };
  repeated: boolean;
  map: boolean;
  /** Undefined unless the field belongs to a oneof or is `optional`. */
  oneof?: string;
  optional: boolean;
  rules?: OptionValue;
}

/** A message, top-level or nested. */
export interface MessageModel {
  kind: "message";
  name: string;
  fullName: string;
  /** Name in TypeScript: `Outer_Inner` for nested ones. */
  typeName: string;
  doc: string;
  fields: FieldModel[];
  oneofs: string[];
  reserved: { from: number; to: number }[];
  nested: (MessageModel | EnumModel)[];
  object?: OptionValue;
}

/** An enum, top-level or nested. */
export interface EnumModel {
  kind: "enum";
  name: string;
  fullName: string;
  typeName: string;
  doc: string;
  values: { name: string; number: number; doc: string }[];
}

/** One call of a service. */
export interface MethodModel {
  name: string;
  doc: string;
  input: string;
  output: string;
  requestStream: boolean;
  responseStream: boolean;
  api?: OptionValue;
}

/** A service. */
export interface ServiceModel {
  name: string;
  fullName: string;
  doc: string;
  methods: MethodModel[];
}

/** One .proto file. */
export interface FileModel {
  /** Name under which other files import it and reflection knows it. */
  name: string;
  package: string;
  /** Folder below `proto/` and `generated/`. */
  folder: string;
  /** Name of the generated module without folder and suffix. */
  module: string;
  imports: string[];
  /** Holds the custom options; nothing is generated for it. */
  definesOptions: boolean;
  types: (MessageModel | EnumModel)[];
  services: ServiceModel[];
}

/** A mistake in a .proto file. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** Full name of a message beside another one. */
export function siblingName(type: MessageModel, name: string): string {
  return type.fullName.slice(0, type.fullName.lastIndexOf(".") + 1) + name;
}

/** Full name of the message that is an object's key. */
export function keyMessageOf(type: MessageModel): string {
  const named = type.object!["key_message"];
  if (named !== undefined) return siblingName(type, String(named));
  const keyField = type.fields.find((field) => field.name === type.object!["key"])!;
  return (keyField.type as { fullName: string }).fullName;
}

/** All types of a file, nested ones before the message that holds them. */
export function allTypes(file: FileModel): (MessageModel | EnumModel)[] {
  const result: (MessageModel | EnumModel)[] = [];
  const visit = (type: MessageModel | EnumModel) => {
    if (type.kind === "message") type.nested.forEach(visit);
    result.push(type);
  };
  file.types.forEach(visit);
  return result;
}
