import { type FieldDescriptor, isKeyField, type MessageDescriptor } from "../../shared/schema/mod.ts";

/** What an argument's value may be. */
export type ArgumentType =
  | { readonly kind: "string" | "integer" | "number" | "bool" | "duration" | "time" | "bytes" }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "list" | "map"; readonly item: ArgumentType }
  | { readonly kind: "structs"; readonly fields: readonly Argument[] };

/** One `name=value` argument of a command. */
export interface Argument {
  readonly name: string;
  /** Other accepted names. */
  readonly aliases: readonly string[];
  /** Keys that lead to the value in the request. */
  readonly path: readonly string[];
  readonly type: ArgumentType;
  readonly doc: string;
  readonly required: boolean;
  /** The value must not be shown. */
  readonly secret: boolean;
}

/** A leaf of a message, before names are settled. */
interface Leaf {
  name: string;
  dotted: string;
  path: string[];
  type: ArgumentType;
  doc: string;
  secret: boolean;
  /** Part of the object's own key. */
  inKey: boolean;
}

/** Which fields a command takes. */
export type FieldChoice = "create" | "update" | "delete" | "refresh" | "show";

/**
 * Arguments of a request message (mc spec 9.3): short names where the schema has them, else the lower-case path without
 * underscores; the full path is an alias. Parts of an object's own key are also known by their last part, where that is clear.
 */
export function messageArguments(
  descriptor: MessageDescriptor,
  choice: FieldChoice,
  required: readonly string[],
): Argument[] {
  const leaves: Leaf[] = [];
  collect(descriptor, [], [], "", leaves, (field, depth) => isTaken(descriptor, field, depth, choice));
  const names = new Set<string>();
  for (const leaf of leaves) {
    if (names.has(leaf.name)) leaf.name = leaf.dotted;
    names.add(leaf.name);
  }
  const lastParts = leaves.filter((leaf) => leaf.inKey).map((leaf) => leaf.dotted.split(".").at(-1)!);
  return leaves.map((leaf) => {
    const last = leaf.dotted.split(".").at(-1)!;
    const aliases = [leaf.dotted];
    if (leaf.inKey && !names.has(last) && lastParts.filter((part) => part === last).length === 1) aliases.push(last);
    return argument(leaf, aliases, required);
  });
}

function argument(leaf: Leaf, aliases: readonly string[], required: readonly string[]): Argument {
  // A command may call an argument by one of its aliases, as "flavor create" does with "name".
  const shown = required.includes(leaf.name) ? leaf.name : aliases.find((alias) => required.includes(alias));
  const name = shown ?? leaf.name;
  return {
    name,
    aliases: [...new Set([leaf.name, ...aliases])].filter((alias) => alias !== name),
    path: leaf.path,
    type: leaf.type,
    doc: leaf.doc,
    required: shown !== undefined,
    secret: leaf.secret,
  };
}

function isTaken(root: MessageDescriptor, field: FieldDescriptor, depth: number, choice: FieldChoice): boolean {
  const { modifier, hidden, setBy, fixed, secret } = field.rules;
  if (hidden) return false;
  if (modifier) return isModifierTaken(field, choice);
  if (choice === "show") return !secret;
  if (setBy !== "CALLER") return false;
  const isKey = depth === 0 && isKeyField(root, field.name);
  // Who may delete what is decided by the owner, who is not always a part of the key.
  const isOwner = depth === 0 && root.object?.owner === field.name;
  if (choice === "delete" || choice === "refresh") return depth > 0 || isKey || isOwner || root.object === undefined;
  return choice === "create" || depth > 0 || isKey || !fixed;
}

/** Which modifiers of a call people give: the mask of an update comes from what they name, and the rest fits some calls. */
function isModifierTaken(field: FieldDescriptor, choice: FieldChoice): boolean {
  if (field.repeated || choice === "show") return false;
  return choice === "refresh" || field.kind === "enum";
}

function collect(
  descriptor: MessageDescriptor,
  path: readonly string[],
  names: readonly string[],
  shortName: string,
  leaves: Leaf[],
  taken: (field: FieldDescriptor, depth: number) => boolean,
  inKey = false,
  outerDoc = "",
  partNames: ReadonlyMap<string, string> = new Map(),
): void {
  for (const field of descriptor.fields) {
    if (!taken(field, path.length)) continue;
    const name = field.name.replaceAll("_", "").toLowerCase();
    const fieldPath = [...path, field.name];
    const fieldNames = [...names, name];
    const isKey = inKey || (path.length === 0 && isKeyField(descriptor, field.name));
    const short = field.rules.arg;
    if (field.message !== undefined && !field.repeated && !field.message.descriptor.isTimestamp) {
      const only = field.message.descriptor.fields.length === 1;
      collect(
        field.message.descriptor,
        fieldPath,
        fieldNames,
        only ? short : "",
        leaves,
        taken,
        isKey,
        only ? field.doc : "",
        partNamesOf(field, partNames),
      );
      continue;
    }
    const dotted = fieldNames.join(".");
    leaves.push({
      // A name given to a message of one part stands for the part.
      name: partNames.get(field.name) ?? (shortName !== "" ? shortName : short !== "" ? short : dotted),
      dotted,
      path: fieldPath,
      type: typeOf(field),
      // The same goes for what is said of it.
      doc: outerDoc === "" ? field.doc : outerDoc,
      secret: field.rules.secret,
      inKey: isKey,
    });
  }
}

/** Names that a message field, or one around it, gives to parts of the message, by their path in it. */
function partNamesOf(field: FieldDescriptor, around: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const text of field.rules.partArgs) {
    const [path, name] = text.split("=");
    names.set(path!, name!);
  }
  for (const [path, name] of around) {
    if (path.startsWith(`${field.name}.`)) names.set(path.slice(field.name.length + 1), name);
  }
  return names;
}

function typeOf(field: FieldDescriptor): ArgumentType {
  if (field.mapValue !== undefined) return { kind: "map", item: itemType(field.mapValue) };
  if (!field.repeated) return itemType(field);
  if (field.message !== undefined && !field.message.descriptor.isTimestamp) {
    return { kind: "structs", fields: messageArguments(field.message.descriptor, "create", []) };
  }
  return { kind: "list", item: itemType(field) };
}

function itemType(field: FieldDescriptor): ArgumentType {
  if (field.enum !== undefined) return { kind: "enum", values: field.enum.values.map((value) => value.text) };
  if (field.message !== undefined) return { kind: "time" };
  if (field.rules.meaning === "DURATION") return { kind: "duration" };
  switch (field.scalar!) {
    case "string":
      if (field.rules.meaning === "DECIMAL") return { kind: "number" };
      return { kind: "string" };
    case "bool":
      return { kind: "bool" };
    case "bytes":
      return { kind: "bytes" };
    case "double":
    case "float":
      return { kind: "number" };
    default:
      return { kind: "integer" };
  }
}
