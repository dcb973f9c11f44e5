import {
  describeMessage,
  type FieldDescriptor,
  type FieldFacts,
  type MessageDescriptor,
  type ObjectRules,
} from "./descriptor.ts";
import { Reader, Writer } from "./wire/mod.ts";

/** A message with every part optional, at every depth. */
export type DeepPartial<T> = T extends Uint8Array ? T
  : T extends (infer Item)[] ? DeepPartial<Item>[]
  : T extends object ? { [Key in keyof T]?: DeepPartial<T[Key]> }
  : T;

/** Codec, constructor and description of one message type. */
export interface MessageType<T> {
  /** Full proto name, e.g. `archipelago.AppInst`. */
  readonly name: string;
  readonly descriptor: MessageDescriptor;
  /** The proto3 encoding. */
  encode(value: T): Uint8Array;
  /** The message of an encoding, with the defaults of what is absent; unknown fields are ignored. Throws DecodeError. */
  decode(bytes: Uint8Array): T;
  /** A new message with these parts (copied) and the defaults of all others. */
  create(partial?: DeepPartial<T>): T;
  /** Appends the encoding, without a length, to a writer. */
  write(value: T, writer: Writer): void;
  /** Reads fields up to the position `end` into `target`, by default a new message. */
  read(reader: Reader, end: number, target?: T): T;
}

/** A message as generic code sees it. */
export type Properties = Record<string, unknown>;

/** What generated code states of a message. */
export interface MessageFacts<T> {
  readonly name: string;
  readonly typeName: string;
  readonly doc: string;
  readonly fields: readonly FieldFacts[];
  readonly object?: ObjectRules;
  readonly empty: () => T;
  readonly write: (value: T, writer: Writer) => void;
  readonly read: (reader: Reader, end: number, target: T) => T;
}

/** Encoding is synchronous and calls nobody back, so one scratch buffer serves all messages; each result is a copy of its exact size. */
const scratch = new Writer();

/** Makes a message type. Called by generated code only. */
export function defineMessage<T extends object>(facts: MessageFacts<T>): MessageType<T> {
  const { empty, write, read } = facts;
  const descriptor = describeMessage(facts);
  return {
    name: facts.name,
    descriptor,
    encode(value) {
      try {
        write(value, scratch);
        return scratch.finish();
      } catch (error) {
        scratch.reset();
        throw error;
      }
    },
    decode(bytes) {
      return read(new Reader(bytes), bytes.length, empty());
    },
    create(partial) {
      const message = empty();
      if (partial !== undefined) fill(descriptor, message as Properties, partial as Properties);
      return message;
    },
    write,
    read(reader, end, target = empty()) {
      return read(reader, end, target);
    },
  };
}

function fill(descriptor: MessageDescriptor, target: Properties, source: Properties): void {
  for (const field of descriptor.fields) {
    const value = source[field.property];
    if (value === undefined || value === null) continue;
    target[field.property] = copyField(field, value);
  }
}

function copyField(field: FieldDescriptor, value: unknown): unknown {
  if (field.repeated) return (value as unknown[]).map((item) => copyItem(field, item));
  if (field.mapValue === undefined) return copyItem(field, value);
  const copy: Properties = {};
  for (const [key, item] of Object.entries(value as Properties)) setEntry(copy, key, copyItem(field.mapValue, item));
  return copy;
}

function copyItem(field: FieldDescriptor, value: unknown): unknown {
  if (field.message !== undefined) return field.message.create(value as object);
  if (value instanceof Uint8Array) return value.slice();
  return value;
}

/** Sets an entry of a map field; the key is data, so `__proto__` must not reach the prototype. */
export function setEntry<V>(map: Record<string, V>, key: string, value: V): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  } else map[key] = value;
}
