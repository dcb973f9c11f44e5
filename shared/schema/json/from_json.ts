import type { FieldDescriptor, MessageDescriptor, ScalarType } from "../descriptor.ts";
import { type MessageType, type Properties, setEntry } from "../message_type.ts";
import { looseName } from "../names.ts";
import { parseDecimal } from "./decimal.ts";
import { parseDuration } from "./duration.ts";
import { isJsonObject, type Issue, JsonError, type JsonStyle, shownValue } from "./json_value.ts";
import { parseMoment } from "./timestamp.ts";

/** Reads the message of a JSON value that is already parsed. Throws {@linkcode JsonError} with all faults. */
export function fromJson<T>(type: MessageType<T>, json: unknown, style: JsonStyle = "region"): T {
  const reading: Reading = { issues: [], dme: style === "dme" };
  const value = type.create();
  readMessage(type.descriptor, json, value as Properties, "", reading);
  if (reading.issues.length > 0) throw new JsonError(reading.issues);
  return value;
}

interface Reading {
  readonly issues: Issue[];
  readonly dme: boolean;
}

/** The field that a JSON key names, ignoring case and underscores. */
export function fieldOfKey(descriptor: MessageDescriptor, key: string): FieldDescriptor | undefined {
  return descriptor.field(key) ?? looseFields(descriptor).get(looseName(key));
}

const looseNames = new WeakMap<MessageDescriptor, ReadonlyMap<string, FieldDescriptor>>();

function looseFields(descriptor: MessageDescriptor): ReadonlyMap<string, FieldDescriptor> {
  let fields = looseNames.get(descriptor);
  if (fields === undefined) {
    fields = new Map(descriptor.fields.map((field) => [looseName(field.name), field]));
    looseNames.set(descriptor, fields);
  }
  return fields;
}

function readMessage(
  descriptor: MessageDescriptor,
  json: unknown,
  target: Properties,
  path: string,
  reading: Reading,
): void {
  if (descriptor.isTimestamp && typeof json === "string") {
    const moment = parseMoment(json);
    if (moment === undefined) return fault(reading, path, json, "must be an RFC 3339 time or {seconds, nanos}");
    Object.assign(target, moment);
    return;
  }
  if (!isJsonObject(json)) return fault(reading, path, json, "must be an object");
  const seen = new Set<FieldDescriptor>();
  for (const key of Object.keys(json)) {
    const field = reading.dme ? dmeField(descriptor, key) : fieldOfKey(descriptor, key);
    const at = path === "" ? key : `${path}.${key}`;
    if (field === undefined) {
      if (!reading.dme) fault(reading, at, undefined, `is not known; ${knownKeys(descriptor)}`);
      continue;
    }
    if (seen.has(field) && !reading.dme) {
      fault(reading, at, undefined, "is given twice");
      continue;
    }
    seen.add(field);
    readField(field, json[key], target, path === "" ? field.name : `${path}.${field.name}`, reading);
  }
}

/** The client API takes snake_case and lowerCamelCase. */
function dmeField(descriptor: MessageDescriptor, key: string): FieldDescriptor | undefined {
  const field = descriptor.field(key) ?? looseFields(descriptor).get(looseName(key));
  return field !== undefined && (field.name === key || field.property === key) ? field : undefined;
}

function knownKeys(descriptor: MessageDescriptor): string {
  return `known: ${descriptor.fields.map((field) => field.name).join(", ")}`;
}

function fault(reading: Reading, path: string, value: unknown, rule: string): void {
  reading.issues.push({ path, value: shownValue(value), rule });
}

function readField(field: FieldDescriptor, json: unknown, target: Properties, path: string, reading: Reading): void {
  if (json === null || json === undefined) return;
  // A secret may be what is wrong, so faults at such fields never show the value.
  const own: Reading = field.rules.secret ? { issues: [], dme: reading.dme } : reading;
  target[field.property] = readFieldValue(field, json, target[field.property], path, own);
  if (own !== reading) reading.issues.push(...own.issues.map((issue) => ({ ...issue, value: "(secret)" })));
}

function readFieldValue(
  field: FieldDescriptor,
  json: unknown,
  current: unknown,
  path: string,
  reading: Reading,
): unknown {
  if (field.repeated) {
    if (!Array.isArray(json)) {
      fault(reading, path, json, "must be a list");
      return current;
    }
    return json.map((item, index) => readSingle(field, item, `${path}[${index}]`, reading));
  }
  if (field.mapValue === undefined) return readSingle(field, json, path, reading);
  if (!isJsonObject(json)) {
    fault(reading, path, json, "must be an object");
    return current;
  }
  const map: Properties = {};
  for (const key of Object.keys(json)) {
    setEntry(map, key, readSingle(field.mapValue, json[key], `${path}.${key}`, reading));
  }
  return map;
}

function readSingle(field: FieldDescriptor, json: unknown, path: string, reading: Reading): unknown {
  switch (field.kind) {
    case "message": {
      const message = field.message!.create();
      readMessage(field.message!.descriptor, json, message as Properties, path, reading);
      return message;
    }
    case "enum":
      return readEnum(field, json, path, reading);
    default:
      return readScalar(field, json, path, reading);
  }
}

function readEnum(field: FieldDescriptor, json: unknown, path: string, reading: Reading): number {
  const descriptor = field.enum!;
  const number = typeof json === "number"
    ? json
    : typeof json === "string" && /^-?\d+$/.test(json)
    ? Number(json)
    : NaN;
  const value = Number.isNaN(number)
    ? typeof json === "string" ? descriptor.parse(json) : undefined
    : descriptor.byNumber(number);
  if (value !== undefined) return value.number;
  fault(reading, path, json, `must be one of ${descriptor.values.map((value) => value.text).join(", ")}`);
  return 0;
}

/** Ranges of the integer types; 64-bit ones end where a number stops being exact. */
const RANGES: Readonly<Partial<Record<ScalarType, readonly [number, number]>>> = {
  int32: [-0x80000000, 0x7fffffff],
  sint32: [-0x80000000, 0x7fffffff],
  sfixed32: [-0x80000000, 0x7fffffff],
  uint32: [0, 0xffffffff],
  fixed32: [0, 0xffffffff],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  sint64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  sfixed64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  fixed64: [0, Number.MAX_SAFE_INTEGER],
};

function readScalar(field: FieldDescriptor, json: unknown, path: string, reading: Reading): unknown {
  switch (field.scalar) {
    case "string":
      if (field.rules.meaning === "DECIMAL") return readDecimal(json, path, reading);
      if (typeof json === "string") return json;
      fault(reading, path, json, "must be a string");
      return "";
    case "bool":
      if (typeof json === "boolean") return json;
      fault(reading, path, json, "must be true or false");
      return false;
    case "bytes":
      return readBytes(json, path, reading);
    case "double":
    case "float":
      return readFloat(field, json, path, reading);
    default:
      return readInteger(field, json, path, reading);
  }
}

function readDecimal(json: unknown, path: string, reading: Reading): string {
  // As for other strings, empty is what nobody has set.
  if (json === "") return "";
  const text = typeof json === "string" || typeof json === "number" ? parseDecimal(json) : undefined;
  if (text === undefined) fault(reading, path, json, 'must be a decimal number from 0, such as "0.5"');
  return text ?? "";
}

function readBytes(json: unknown, path: string, reading: Reading): Uint8Array {
  try {
    if (typeof json === "string") return Uint8Array.fromBase64(json);
  } catch {
    // Falls through to the fault.
  }
  fault(reading, path, json, "must be base64 text");
  return new Uint8Array(0);
}

function readFloat(field: FieldDescriptor, json: unknown, path: string, reading: Reading): number {
  let value: number | undefined;
  if (typeof json === "number") value = json;
  else if (json === "NaN") return NaN;
  else if (json === "Infinity") return Infinity;
  else if (json === "-Infinity") return -Infinity;
  else if (reading.dme) value = quotedNumber(json);
  if (value !== undefined && Number.isFinite(value)) return field.scalar === "float" ? Math.fround(value) : value;
  fault(reading, path, json, "must be a number");
  return 0;
}

function quotedNumber(json: unknown): number | undefined {
  if (typeof json !== "string" || !/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(json)) return undefined;
  return Number(json);
}

function readInteger(field: FieldDescriptor, json: unknown, path: string, reading: Reading): number {
  if (field.rules.meaning === "DURATION" && typeof json === "string") {
    const nanoseconds = parseDuration(json);
    if (nanoseconds !== undefined) return nanoseconds;
    fault(reading, path, json, `must be a duration such as "1h30m0s" or nanoseconds`);
    return 0;
  }
  const value = reading.dme && typeof json === "string" ? quotedNumber(json) : json;
  const [least, most] = RANGES[field.scalar!]!;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value + 0;
  fault(reading, path, json, `must be an integer from ${least} to ${most}`);
  return 0;
}
