import type { ScalarType } from "../../shared/schema/descriptor.ts";
import { Writer } from "../../shared/schema/wire/mod.ts";
import type { EnumModel, FieldModel, FileModel, MessageModel, ServiceModel } from "./model.ts";

/** Numbers of google.protobuf.FieldDescriptorProto.Type. */
const TYPE_NUMBERS: Readonly<Record<ScalarType | "message" | "enum", number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
const LABEL_OPTIONAL = 1;
const LABEL_REPEATED = 3;

/** Files that a file's descriptor depends on: the custom options are not part of what reflection tells. */
export function descriptorDependencies(file: FileModel, files: readonly FileModel[]): string[] {
  return file.imports.filter((name) => files.some((other) => other.name === name && !other.definesOptions));
}

/** The google.protobuf.FileDescriptorProto of a file, encoded, without custom options. */
export function encodeFileDescriptor(file: FileModel, dependencies: readonly string[]): Uint8Array {
  const writer = new Writer();
  text(writer, 1, file.name);
  text(writer, 2, file.package);
  for (const dependency of dependencies) text(writer, 3, dependency);
  for (const type of file.types) {
    if (type.kind === "message") part(writer, 4, () => message(writer, type));
    else part(writer, 5, () => enumType(writer, type));
  }
  for (const item of file.services) part(writer, 6, () => service(writer, item));
  text(writer, 12, "proto3");
  return writer.finish();
}

function text(writer: Writer, number: number, value: string): void {
  writer.uint32(number * 8 + 2);
  writer.string(value);
}

function integer(writer: Writer, number: number, value: number): void {
  writer.uint32(number * 8);
  writer.int32(value);
}

function part(writer: Writer, number: number, write: () => void): void {
  writer.uint32(number * 8 + 2);
  const mark = writer.begin();
  write();
  writer.end(mark);
}

function message(writer: Writer, type: MessageModel): void {
  text(writer, 1, type.name);
  // A field that is `optional` is the only member of a oneof of its own, after all others.
  const optional = type.fields.filter((field) => field.optional);
  const oneofs = [...type.oneofs, ...optional.map((field) => `_${field.name}`)];
  for (const item of type.fields) part(writer, 2, () => field(writer, type, item, oneofs));
  for (const item of type.nested) if (item.kind === "message") part(writer, 3, () => message(writer, item));
  for (const item of type.fields) if (item.map) part(writer, 3, () => mapEntry(writer, type, item));
  for (const item of type.nested) if (item.kind === "enum") part(writer, 4, () => enumType(writer, item));
  for (const name of oneofs) part(writer, 8, () => text(writer, 1, name));
  for (const { from, to } of type.reserved) {
    part(writer, 9, () => {
      integer(writer, 1, from);
      integer(writer, 2, to + 1);
    });
  }
}

function entryName(field: FieldModel): string {
  return `${field.property.slice(0, 1).toUpperCase()}${field.property.slice(1)}Entry`;
}

function field(writer: Writer, type: MessageModel, item: FieldModel, oneofs: readonly string[]): void {
  const name = item.map ? `.${type.fullName}.${entryName(item)}` : undefined;
  const oneof = item.optional ? `_${item.name}` : item.oneof;
  fieldParts(writer, item, item.repeated || item.map ? LABEL_REPEATED : LABEL_OPTIONAL, name);
  if (oneof !== undefined) integer(writer, 9, oneofs.indexOf(oneof));
  text(writer, 10, item.property);
  if (item.optional) integer(writer, 17, 1);
}

function fieldParts(writer: Writer, item: FieldModel, label: number, entry: string | undefined): void {
  text(writer, 1, item.name);
  integer(writer, 3, item.number);
  integer(writer, 4, label);
  const kind = entry !== undefined ? "message" : item.type.kind === "scalar" ? item.type.scalar : item.type.kind;
  integer(writer, 5, TYPE_NUMBERS[kind]);
  if (entry !== undefined) text(writer, 6, entry);
  else if (item.type.kind !== "scalar") text(writer, 6, `.${item.type.fullName}`);
}

function mapEntry(writer: Writer, type: MessageModel, item: FieldModel): void {
  text(writer, 1, entryName(item));
  const key: FieldModel = {
    ...item,
    name: "key",
    property: "key",
    number: 1,
    type: { kind: "scalar", scalar: "string" },
  };
  const value: FieldModel = { ...item, name: "value", property: "value", number: 2 };
  for (const side of [key, value]) {
    part(writer, 2, () => field(writer, type, { ...side, map: false, repeated: false, oneof: undefined }, []));
  }
  part(writer, 7, () => integer(writer, 7, 1));
}

function enumType(writer: Writer, type: EnumModel): void {
  text(writer, 1, type.name);
  for (const value of type.values) {
    part(writer, 2, () => {
      text(writer, 1, value.name);
      integer(writer, 2, value.number);
    });
  }
}

function service(writer: Writer, item: ServiceModel): void {
  text(writer, 1, item.name);
  for (const method of item.methods) {
    part(writer, 2, () => {
      text(writer, 1, method.name);
      text(writer, 2, `.${method.input}`);
      text(writer, 3, `.${method.output}`);
      if (method.requestStream) integer(writer, 5, 1);
      if (method.responseStream) integer(writer, 6, 1);
    });
  }
}
