import type { JsonValue } from "../../shared/schema/mod.ts";
import type { Argument, ArgumentType } from "./arguments.ts";
import { UsageError } from "./failure.ts";
import { didYouMean } from "./suggest.ts";

/** A JSON object under construction. */
export type JsonObject = { [key: string]: JsonValue };

/** Index of a struct list beyond this is a typing mistake, not a list. */
const MAX_STRUCT_INDEX = 1000;

/** What the words of a command line said. */
export interface ParsedArguments {
  /** The request's object. */
  readonly json: JsonObject;
  /** Names of the arguments that were given. */
  readonly given: ReadonlySet<string>;
}

/** Texts of the files that words name as `name=@path`; undefined for one that is not there. */
export type FileTexts = ReadonlyMap<string, string | undefined>;

/** Paths of the files that words may name. A value that begins with two `@` is text that begins with one. */
export function namedFiles(words: readonly string[]): string[] {
  const values = words.flatMap((word) => {
    const value = word.slice(word.indexOf("=") + 1);
    // Of a map's entry the value is behind another sign.
    return [value, value.slice(value.indexOf("=") + 1)];
  });
  return [...new Set(values.map(unquoted).filter(isFile).map((value) => value.slice(1)))];
}

function isFile(value: string): boolean {
  return /^@[^@]/.test(value);
}

/**
 * Reads `name=value` words. Throws UsageError naming every word that is wrong, then every argument that is missing, with
 * those that the caller misses already.
 */
export function parseArguments(
  known: readonly Argument[],
  words: readonly string[],
  alsoMissing: readonly string[] = [],
  files: FileTexts = new Map(),
): ParsedArguments {
  const json: JsonObject = {};
  const given = new Set<string>();
  const unknown: string[] = [];
  for (const word of words) {
    const split = word.indexOf("=");
    if (split <= 0) throw new UsageError(`arg "${word}" not name=val format`);
    const name = word.slice(0, split);
    const argument = place(known, json, name, unquoted(word.slice(split + 1)), given, files);
    if (argument === undefined) unknown.push(name);
    else given.add(argument.name);
  }
  if (unknown.length > 0) {
    throw new UsageError(`invalid args: ${unknown.join(", ")}${didYouMean(unknown[0]!, namesOf(known))}`);
  }
  const required = known.filter((argument) => argument.required && !given.has(argument.name));
  const missing = [...alsoMissing, ...required.map((argument) => argument.name)];
  if (missing.length > 0) throw new UsageError(`missing required args: ${missing.join(", ")}`);
  return { json, given };
}

/** All names by which arguments may be given. */
export function namesOf(known: readonly Argument[]): string[] {
  return known.flatMap((argument) => [argument.name, ...argument.aliases]);
}

/** The argument of a name or alias. */
export function findArgument(known: readonly Argument[], name: string): Argument | undefined {
  const wanted = name.toLowerCase();
  return known.find((argument) => argument.name === wanted) ??
    known.find((argument) => argument.aliases.includes(wanted));
}

function unquoted(value: string): string {
  const quote = value[0];
  const isQuoted = value.length >= 2 && (quote === '"' || quote === "'") && value.endsWith(quote);
  return isQuoted ? value.slice(1, -1) : value;
}

function place(
  known: readonly Argument[],
  target: JsonObject,
  name: string,
  value: string,
  given: ReadonlySet<string>,
  files: FileTexts,
): Argument | undefined {
  const [base, index, rest] = splitName(name);
  const argument = findArgument(known, base);
  if (argument === undefined) return undefined;
  const parent = parentOf(target, argument.path);
  const key = argument.path.at(-1)!;
  const { type } = argument;
  if (index === "empty") {
    if (type.kind !== "list" && type.kind !== "structs" && type.kind !== "map") return undefined;
    if (value !== "true") throw new UsageError(`arg ${name} must be true`);
    parent[key] ??= type.kind === "map" ? {} : [];
    return argument;
  }
  if (type.kind === "structs") {
    if (index === undefined || rest === undefined) {
      throw new UsageError(`arg ${name} must name an index and a part, as ${argument.name}:0.<part>=<value>`);
    }
    return placeStruct(type.fields, parent, key, Number(index), rest, value, name, files) ? argument : undefined;
  }
  if (index !== undefined) return undefined;
  switch (type.kind) {
    case "list": {
      const list = (parent[key] ??= []) as JsonValue[];
      list.push(convert(type.item, name, value, files, argument.secret));
      return argument;
    }
    case "map": {
      const split = value.indexOf("=");
      if (split <= 0) throw new UsageError(`arg ${name} must be ${name}=<key>=<value>, got ${JSON.stringify(value)}`);
      const map = (parent[key] ??= {}) as JsonObject;
      Object.defineProperty(map, value.slice(0, split), {
        value: convert(type.item, name, value.slice(split + 1), files, argument.secret),
        enumerable: true,
        configurable: true,
        writable: true,
      });
      return argument;
    }
    default:
      if (given.has(argument.name)) throw new UsageError(`arg ${argument.name} is given twice`);
      parent[key] = convert(type, name, value, files, argument.secret);
      return argument;
  }
}

/** Splits `configs:0.kind` and `policies:empty`; undefined parts were not there. */
function splitName(name: string): [string, string | undefined, string | undefined] {
  const match = /^([^:]+):(?:(\d+)\.(.+)|(empty))$/.exec(name);
  return match === null ? [name, undefined, undefined] : [match[1]!, match[2] ?? match[4], match[3]];
}

function placeStruct(
  fields: readonly Argument[],
  parent: JsonObject,
  key: string,
  index: number,
  rest: string,
  value: string,
  name: string,
  files: FileTexts,
): boolean {
  const list = (parent[key] ??= []) as JsonValue[];
  if (index > MAX_STRUCT_INDEX) throw new UsageError(`arg ${name}: the index must be at most ${MAX_STRUCT_INDEX}`);
  while (list.length <= index) list.push({});
  return place(fields, list[index] as JsonObject, rest, value, new Set(), files) !== undefined;
}

function parentOf(target: JsonObject, path: readonly string[]): JsonObject {
  let current = target;
  for (const key of path.slice(0, -1)) current = (current[key] ??= {}) as JsonObject;
  return current;
}

function convert(
  type: ArgumentType,
  name: string,
  value: string,
  files: FileTexts,
  secret = false,
): JsonValue {
  const refuse = (rule: string): never => {
    throw new UsageError(`arg ${name} must be ${rule}${secret ? "" : `, got ${JSON.stringify(value)}`}`);
  };
  switch (type.kind) {
    case "integer":
      if (!/^[-+]?\d+$/.test(value) || !Number.isSafeInteger(Number(value))) return refuse("an integer");
      return Number(value);
    case "number":
      if (value.trim() === "" || !Number.isFinite(Number(value))) return refuse("a number");
      return Number(value);
    case "bool":
      if (!/^(?:true|false)$/i.test(value)) return refuse("true or false");
      return value.toLowerCase() === "true";
    case "list":
    case "map":
    case "structs":
      return refuse("a single value");
    case "string":
      // Secrets may begin with anything.
      return secret ? value : textOf(name, value, files);
    default:
      return value;
  }
}

/** The text that a value stands for: its own, or that of the file that it names. */
function textOf(name: string, value: string, files: FileTexts): string {
  if (value.startsWith("@@")) return value.slice(1);
  if (!isFile(value)) return value;
  const text = files.get(value.slice(1));
  if (text === undefined) {
    throw new UsageError(`arg ${name}: there is no file ${value.slice(1)}; text that begins with @ is written with @@`);
  }
  return text;
}
