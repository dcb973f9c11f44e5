import protobuf from "protobufjs";
import type { ScalarType } from "../../shared/schema/descriptor.ts";
import { propertyName } from "../../shared/schema/names.ts";
import {
  allTypes,
  type EnumModel,
  type FieldModel,
  type FileModel,
  type MessageModel,
  type OptionValue,
  SchemaError,
  type ServiceModel,
} from "./model.ts";

/** A .proto file to parse. */
export interface Source {
  /** Name under which other files import it. */
  name: string;
  folder: string;
  module: string;
  text: string;
}

const SCALARS = new Set<string>(
  "double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes".split(" "),
);

/** Parses the files and resolves every type name. Throws SchemaError, naming the file, for what the schema may not contain. */
export function parseSources(sources: readonly Source[]): FileModel[] {
  const files = sources.map(parseSource);
  const kinds = new Map<string, "enum" | "message">();
  for (const file of files) {
    for (const type of allTypes(file)) {
      if (kinds.has(type.fullName)) throw new SchemaError(`${file.name}: ${type.fullName} is defined twice`);
      kinds.set(type.fullName, type.kind);
    }
  }
  const names = new Set(files.map((file) => file.name));
  for (const file of files) {
    for (const name of file.imports) {
      if (!names.has(name) && !name.startsWith("google/")) {
        throw new SchemaError(`${file.name}: imports ${name}, which does not exist`);
      }
    }
    resolveFile(file, kinds);
  }
  return files;
}

function parseSource(source: Source): FileModel {
  let parsed: protobuf.IParserResult;
  try {
    parsed = protobuf.parse(source.text, new protobuf.Root(), {
      keepCase: true,
      alternateCommentMode: true,
      preferTrailingComment: false,
    });
  } catch (cause) {
    throw new SchemaError(`${source.name}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!/^\s*syntax\s*=\s*"proto3"/m.test(source.text)) {
    throw new SchemaError(`${source.name}: expected syntax = "proto3"`);
  }
  const space = parsed.package === undefined ? parsed.root : parsed.root.lookup(parsed.package);
  if (parsed.package === undefined || !(space instanceof protobuf.Namespace)) {
    throw new SchemaError(`${source.name}: expected a package`);
  }
  const file: FileModel = {
    name: source.name,
    package: parsed.package,
    folder: source.folder,
    module: source.module,
    imports: parsed.imports ?? [],
    definesOptions: false,
    types: [],
    services: [],
  };
  for (const item of space.nestedArray) {
    if (item instanceof protobuf.Type) file.types.push(messageModel(item, file.package, ""));
    else if (item instanceof protobuf.Enum) file.types.push(enumModel(item, file.package, ""));
    else if (item instanceof protobuf.Service) file.services.push(serviceModel(item, file.package));
    else if (item instanceof protobuf.Field) file.definesOptions = true;
    else throw new SchemaError(`${source.name}: ${item.fullName} is of a kind that the generator does not know`);
  }
  return file;
}

/** Comments are one paragraph: line breaks are where the source wraps, not where readers see them. */
function docOf(comment: string | null | undefined): string {
  return (comment ?? "").replace(/\s*\n\s*/g, " ").trim();
}

/** The only boundary with the parser's untyped options: the value of one custom option, e.g. `(field)`. */
function optionOf(object: protobuf.ReflectionObject, name: string): OptionValue | undefined {
  const parts = (object.parsedOptions ?? []) as Record<string, unknown>[];
  const found = parts.filter((part) => `(${name})` in part).map((part) => part[`(${name})`] as OptionValue);
  if (found.length === 0) return undefined;
  return Object.assign({}, ...found) as OptionValue;
}

function messageModel(type: protobuf.Type, scope: string, prefix: string): MessageModel {
  const fullName = `${scope}.${type.name}`;
  const typeName = prefix + type.name;
  const nested = type.nestedArray.map((item) => {
    if (item instanceof protobuf.Type) return messageModel(item, fullName, `${typeName}_`);
    if (item instanceof protobuf.Enum) return enumModel(item, fullName, `${typeName}_`);
    throw new SchemaError(`${fullName}.${item.name} is of a kind that the generator does not know`);
  });
  const fields = type.fieldsArray.map((field) => fieldModel(field, fullName));
  const reserved = (type.reserved ?? []).flatMap((range) =>
    Array.isArray(range) ? [{ from: range[0]!, to: range[1]! }] : []
  );
  const properties = new Set<string>();
  for (const field of fields) {
    if (properties.has(field.property)) throw new SchemaError(`${fullName}: two fields become ${field.property}`);
    properties.add(field.property);
    if (reserved.some((range) => field.number >= range.from && field.number <= range.to)) {
      throw new SchemaError(`${fullName}.${field.name}: number ${field.number} is reserved`);
    }
  }
  const oneofs = (type.oneofsArray ?? []).map((oneof) => oneof.name).filter((name) => !name.startsWith("_"));
  return {
    kind: "message",
    name: type.name,
    fullName,
    typeName,
    doc: docOf(type.comment),
    fields,
    oneofs,
    reserved,
    nested,
    object: optionOf(type, "object"),
  };
}

function fieldModel(field: protobuf.FieldBase, scope: string): FieldModel {
  const where = `${scope}.${field.name}`;
  const map = field instanceof protobuf.MapField;
  if (map && field.keyType !== "string") throw new SchemaError(`${where}: only string keys are supported in maps`);
  const optional = field.options?.["proto3_optional"] === true;
  const repeated = !map && field instanceof protobuf.Field && field.repeated;
  if (field.options?.["packed"] === false) throw new SchemaError(`${where}: unpacked lists are not supported`);
  const scalar = SCALARS.has(field.type);
  return {
    name: field.name,
    property: propertyName(field.name),
    number: field.id,
    doc: docOf(field.comment),
    // Names are resolved when all files are known.
    type: scalar ? { kind: "scalar", scalar: field.type as ScalarType } : { kind: "message", fullName: field.type },
    repeated,
    map,
    oneof: optional ? undefined : field.partOf?.name ?? undefined,
    optional,
    rules: optionOf(field, "field"),
  };
}

function enumModel(type: protobuf.Enum, scope: string, prefix: string): EnumModel {
  const fullName = `${scope}.${type.name}`;
  const values = Object.entries(type.values).map(([name, number]) => ({
    name,
    number,
    doc: docOf(type.comments[name]),
  }));
  if (values[0]?.number !== 0) throw new SchemaError(`${fullName}: the first value of an enum must be 0`);
  return { kind: "enum", name: type.name, fullName, typeName: prefix + type.name, doc: docOf(type.comment), values };
}

function serviceModel(service: protobuf.Service, scope: string): ServiceModel {
  return {
    name: service.name,
    fullName: `${scope}.${service.name}`,
    doc: docOf(service.comment),
    methods: service.methodsArray.map((method) => ({
      name: method.name,
      doc: docOf(method.comment),
      input: method.requestType,
      output: method.responseType,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      api: optionOf(method, "api"),
    })),
  };
}

function resolveFile(file: FileModel, kinds: ReadonlyMap<string, "enum" | "message">): void {
  const resolve = (name: string, scope: string, where: string): string => {
    if (name.startsWith(".")) return name.slice(1);
    const parts = scope.split(".");
    for (let length = parts.length; length >= 0; length--) {
      const candidate = [...parts.slice(0, length), name].join(".");
      if (kinds.has(candidate)) return candidate;
    }
    throw new SchemaError(`${file.name}: ${where} has the unknown type ${name}`);
  };
  for (const type of allTypes(file)) {
    if (type.kind === "enum") continue;
    for (const field of type.fields) {
      if (field.type.kind === "scalar") continue;
      const fullName = resolve(field.type.fullName, type.fullName, `${type.fullName}.${field.name}`);
      field.type = { kind: kinds.get(fullName)!, fullName };
    }
  }
  for (const service of file.services) {
    for (const method of service.methods) {
      method.input = resolve(method.input, file.package, `${service.fullName}.${method.name}`);
      method.output = resolve(method.output, file.package, `${service.fullName}.${method.name}`);
    }
  }
}
