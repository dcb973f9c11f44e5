import type { FieldDescriptor, MessageDescriptor } from "../descriptor.ts";
import { type MessageType, type Properties, setEntry } from "../message_type.ts";
import { durationText } from "./duration.ts";
import type { JsonStyle, JsonValue } from "./json_value.ts";
import { type Moment, momentText } from "./timestamp.ts";

const WIDE: ReadonlySet<string> = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);

/** What a printer leaves out and how it prints what the styles print differently. */
interface Printer {
  readonly omits: (field: FieldDescriptor) => boolean;
  readonly dme: boolean;
  /** Replaces the values of secret fields. */
  readonly secretText?: string;
}

const PRINTERS: Readonly<Record<JsonStyle, Printer>> = {
  region: { omits: ({ rules }) => rules.hidden || rules.secret || rules.modifier, dme: false },
  store: { omits: ({ rules }) => rules.secret || rules.modifier, dme: false },
  dme: { omits: () => false, dme: true },
};

const LOG_PRINTER: Printer = { omits: () => false, dme: false, secretText: "(secret)" };

/** JSON of a message. Numbers stay numbers, so `JSON.stringify` of the result is the text. */
export function toJson<T>(type: MessageType<T>, value: T, style: JsonStyle = "region"): JsonValue {
  return message(type.descriptor, value as Properties, PRINTERS[style]);
}

/** JSON of a message for logs, traces and events: like `region`, with hidden fields, and secrets replaced. */
export function redact<T>(type: MessageType<T>, value: T): JsonValue {
  return message(type.descriptor, value as Properties, LOG_PRINTER);
}

function message(descriptor: MessageDescriptor, value: Properties, printer: Printer): JsonValue {
  if (printer.dme && descriptor.isTimestamp) return momentText(value as unknown as Moment);
  const result: { [key: string]: JsonValue } = {};
  const fields = descriptor.fields;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const part = value[field.property];
    if (printer.omits(field)) continue;
    if (field.rules.secret && printer.secretText !== undefined) {
      if (part !== undefined && !isZero(field, part)) result[field.name] = printer.secretText;
    } else if (printer.dme) {
      result[field.name] = part === undefined ? null : fieldValue(field, part, printer);
    } else if (part !== undefined && (field.oneof !== undefined || !isZero(field, part))) {
      const json = fieldValue(field, part, printer);
      if (field.rules.present && isEmptyObject(json)) continue;
      result[field.name] = json;
    }
  }
  return result;
}

function isEmptyObject(json: JsonValue): boolean {
  return typeof json === "object" && json !== null && !Array.isArray(json) && Object.keys(json).length === 0;
}

/** Whether a value is what the field has when nobody sets it. A sub-message is never zero: its presence says something. */
export function isZero(field: FieldDescriptor, value: unknown): boolean {
  switch (typeof value) {
    case "number":
      return value === 0 && !Object.is(value, -0);
    case "string":
      return value === "";
    case "boolean":
      return !value;
    case "undefined":
      return true;
  }
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return field.kind === "map" && Object.keys(value as object).length === 0;
}

function fieldValue(field: FieldDescriptor, value: unknown, printer: Printer): JsonValue {
  if (field.repeated) return (value as unknown[]).map((item) => single(field, item, printer));
  if (field.mapValue === undefined) return single(field, value, printer);
  const result: { [key: string]: JsonValue } = {};
  for (const [key, item] of Object.entries(value as Properties)) {
    setEntry(result, key, single(field.mapValue, item, printer));
  }
  return result;
}

function single(field: FieldDescriptor, value: unknown, printer: Printer): JsonValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (field.kind === "enum") return field.enum!.byNumber(value)?.text ?? value;
    if (field.rules.meaning === "DURATION") return durationText(value);
    if (!Number.isFinite(value)) return String(value);
    return printer.dme && WIDE.has(field.scalar!) ? wideText(value) : value;
  }
  if (value instanceof Uint8Array) return value.toBase64();
  return message(field.message!.descriptor, value as Properties, printer);
}

/** Decimal digits of an integer, never in exponent form. */
function wideText(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}
