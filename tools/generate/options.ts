import {
  allTypes,
  type EnumModel,
  type FieldModel,
  type FileModel,
  keyMessageOf,
  type MessageModel,
  type OptionValue,
  SchemaError,
  siblingName,
} from "./model.ts";

/** Types by full name. */
export type TypeIndex = ReadonlyMap<string, MessageModel | EnumModel>;

/** Index of all types of all files. */
export function indexTypes(files: readonly FileModel[]): TypeIndex {
  return new Map(files.flatMap(allTypes).map((type) => [type.fullName, type]));
}

/**
 * Checks the custom options of all files against the messages of options.proto, because the parser does not, and the
 * paths, kinds and references in them against the schema. Throws SchemaError.
 */
export function checkOptions(files: readonly FileModel[], types: TypeIndex): void {
  const objects = new Map<string, MessageModel>();
  const check = (value: OptionValue | undefined, message: string, where: string) => {
    if (value !== undefined) checkValue(value, messageOf(types, `archipelago.${message}`, where), types, where);
  };
  for (const file of files) {
    for (const type of allTypes(file)) {
      if (type.kind === "enum") continue;
      check(type.object, "ObjectOptions", type.fullName);
      for (const field of type.fields) check(field.rules, "FieldRules", `${type.fullName}.${field.name}`);
      if (type.object !== undefined) objects.set(type.name, type);
    }
    for (const service of file.services) {
      for (const method of service.methods) {
        const where = `${service.fullName}.${method.name}`;
        check(method.api, "ApiOptions", where);
        const org = method.api?.["org"];
        if (typeof org === "string") resolvePath(messageOf(types, method.input, where), org, types, where);
      }
    }
  }
  for (const type of objects.values()) checkObject(type, objects, types);
  checkCommands(files);
}

function checkObject(type: MessageModel, objects: ReadonlyMap<string, MessageModel>, types: TypeIndex): void {
  const options = type.object!;
  const path = (owner: MessageModel, value: unknown, what: string) => {
    if (typeof value === "string" && value !== "") return resolvePath(owner, value, types, `${type.fullName}, ${what}`);
    return undefined;
  };
  checkKey(type, types);
  path(type, options["owner"], "owner");
  if (typeof options["order"] !== "number") throw new SchemaError(`${type.fullName}: an object needs an order`);
  for (const need of (options["needs"] ?? []) as OptionValue[]) {
    const kind = objects.get(String(need["kind"]));
    if (kind === undefined) throw new SchemaError(`${type.fullName}: needs ${need["kind"]}, which is no object`);
    path(type, need["at"], "needs");
    for (const part of (need["with"] ?? []) as string[]) {
      const [left, right] = part.split("=");
      if (!right) throw new SchemaError(`${type.fullName}: needs with ${part}, expected part=path`);
      const keyMessage = messageOf(types, keyMessageOf(kind), type.fullName);
      resolvePath(keyMessage, left!, types, `${type.fullName}, needs with`);
      path(type, right, "needs with");
    }
    if (need["late"] !== true && (kind.object!["order"] as number) >= options["order"]) {
      throw new SchemaError(`${type.fullName}: needs ${kind.name}, which must come earlier in the order`);
    }
  }
  for (const rule of (options["replicate"] ?? []) as OptionValue[]) {
    path(type, rule["by"], "replicate");
    for (const field of (rule["only"] ?? []) as string[]) {
      path(type, field, "replicate");
      if (field.includes(".")) {
        throw new SchemaError(`${type.fullName}: replicate only ${field}, which is no own field`);
      }
    }
    if (rule["via"] === undefined) continue;
    const via = objects.get(String(rule["via"]));
    if (via === undefined) throw new SchemaError(`${type.fullName}: travels via ${rule["via"]}, which is no object`);
    path(via, rule["at"], "replicate");
  }
}

function checkKey(type: MessageModel, types: TypeIndex): void {
  const names = String(type.object!["key"] ?? "").split(",").filter((name) => name !== "");
  const fields = names.map((name) => type.fields.find((field) => field.name === name));
  if (type.object!["key_message"] === undefined) {
    if (fields.length !== 1 || fields[0]?.type.kind !== "message") {
      throw new SchemaError(`${type.fullName}: the key must name a message field`);
    }
    return;
  }
  const key = messageOf(types, siblingName(type, String(type.object!["key_message"])), type.fullName);
  const shape = (field: FieldModel | undefined) =>
    field && JSON.stringify([field.name, field.type, field.repeated, field.map]);
  if (key.fields.map(shape).join() !== fields.map(shape).join()) {
    throw new SchemaError(`${type.fullName}: the key's fields must be those of ${key.name}, in its order`);
  }
}

function checkCommands(files: readonly FileModel[]): void {
  const seen = new Map<string, string>();
  for (const service of files.flatMap((file) => file.services)) {
    for (const method of service.methods) {
      const cli = method.api?.["cli"];
      if (typeof cli !== "string") continue;
      const other = seen.get(cli);
      if (other !== undefined) throw new SchemaError(`${method.name}: ${other} is already the command "${cli}"`);
      seen.set(cli, method.name);
    }
  }
}

function messageOf(types: TypeIndex, name: string, where: string): MessageModel {
  const type = types.get(name);
  if (type === undefined || type.kind !== "message") {
    throw new SchemaError(`${where}: expected ${name} to be a message`);
  }
  return type;
}

/** Follows a dotted path of field names; returns the full name of the message at its end, or "scalar". */
function resolvePath(type: MessageModel, path: string, types: TypeIndex, where: string): string {
  let current: MessageModel | undefined = type;
  let result = "scalar";
  for (const part of path.split(".")) {
    const field: MessageModel["fields"][number] | undefined = current?.fields.find((field) => field.name === part);
    if (field === undefined) {
      throw new SchemaError(`${where}: the path ${path} ends at ${part}, which is no field there`);
    }
    current = undefined;
    result = "scalar";
    if (field.type.kind === "message") {
      current = messageOf(types, field.type.fullName, where);
      result = field.type.fullName;
    }
  }
  return result;
}

function checkValue(value: OptionValue, type: MessageModel, types: TypeIndex, where: string): void {
  for (const [name, item] of Object.entries(value)) {
    const field = type.fields.find((field) => field.name === name);
    if (field === undefined) throw new SchemaError(`${where}: ${type.name} has no option ${name}`);
    const items = field.repeated ? item : [item];
    if (!Array.isArray(items)) throw new SchemaError(`${where}: option ${name} must be a list`);
    for (const single of items) {
      if (field.type.kind === "message") {
        checkValue(single as OptionValue, messageOf(types, field.type.fullName, where), types, `${where}, ${name}`);
      } else if (field.type.kind === "enum") {
        const enumType = types.get(field.type.fullName) as EnumModel;
        if (!enumType.values.some((allowed) => allowed.name === single)) {
          throw new SchemaError(`${where}: option ${name} is ${JSON.stringify(single)}, which is no ${enumType.name}`);
        }
      } else {
        const fault = scalarFault(field.type.kind === "scalar" ? field.type.scalar : "", single);
        if (fault) throw new SchemaError(`${where}: option ${name} is ${JSON.stringify(single)}, expected a ${fault}`);
      }
    }
  }
}

/** What a scalar option should be, when it is something else. */
function scalarFault(scalar: string, value: unknown): string | undefined {
  if (scalar === "string") return typeof value === "string" ? undefined : "string";
  if (scalar === "bool") return typeof value === "boolean" ? undefined : "truth value";
  return typeof value === "number" ? undefined : "number";
}
