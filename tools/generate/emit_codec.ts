import type { FieldModel, MessageModel } from "./model.ts";

/** Resolves a type's full name to how the generated module spells it. */
export type Spell = (fullName: string) => string;

const WIRE_TYPES: Readonly<Record<string, number>> = {
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  float: 5,
  fixed32: 5,
  sfixed32: 5,
  string: 2,
  bytes: 2,
};

function wireType(field: FieldModel): number {
  if (field.map || field.type.kind === "message") return 2;
  return field.type.kind === "scalar" ? WIRE_TYPES[field.type.scalar] ?? 0 : 0;
}

function isPackable(field: FieldModel): boolean {
  return wireType(field) !== 2;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (; value > 127; value >>>= 7) bytes++;
  return bytes;
}

/** Whether the property is `undefined` when nothing is set. */
export function isNullable(field: FieldModel): boolean {
  if (field.repeated || field.map) return false;
  if (field.oneof !== undefined || field.optional) return true;
  return field.type.kind === "message" && field.rules?.["present"] !== true;
}

/** TypeScript expression of a field's default. */
export function defaultOf(field: FieldModel, spell: Spell): string {
  if (field.map) return "{}";
  if (field.repeated) return "[]";
  if (isNullable(field)) return "undefined";
  if (field.type.kind === "message") return `${spell(field.type.fullName)}.create()`;
  return itemDefault(field);
}

function itemDefault(field: FieldModel): string {
  if (field.type.kind !== "scalar") return "0";
  switch (field.type.scalar) {
    case "string":
      return `""`;
    case "bool":
      return "false";
    case "bytes":
      return "new Uint8Array(0)";
    default:
      return "0";
  }
}

function method(field: FieldModel): string {
  return field.type.kind === "scalar" ? field.type.scalar : "int32";
}

function writeItem(field: FieldModel, value: string, spell: Spell, indent: string): string[] {
  if (field.type.kind !== "message") return [`${indent}w.${method(field)}(${value});`];
  return [
    `${indent}const mark = w.begin();`,
    `${indent}${spell(field.type.fullName)}.write(${value}, w);`,
    `${indent}w.end(mark);`,
  ];
}

function isSet(field: FieldModel, value: string): string {
  if (isNullable(field)) return `${value} !== undefined`;
  if (field.type.kind === "scalar") {
    switch (field.type.scalar) {
      case "string":
        return `${value} !== ""`;
      case "bool":
        return value;
      case "bytes":
        return `${value}.length > 0`;
      case "double":
      case "float":
        return `${value} !== 0 || Object.is(${value}, -0)`;
    }
  }
  return `${value} !== 0`;
}

function writeField(field: FieldModel, spell: Spell): string[] {
  const value = `m.${field.property}`;
  const tag = field.number * 8 + (field.repeated && isPackable(field) ? 2 : wireType(field));
  const writeTag = `w.uint32(${tag});`;
  if (field.map) {
    return [
      `  for (const key of Object.keys(${value}).sort()) {`,
      `    ${writeTag}`,
      `    const entry = w.begin();`,
      `    w.uint32(10);`,
      `    w.string(key);`,
      `    w.uint32(${16 + wireType({ ...field, map: false })});`,
      ...writeItem(field, `${value}[key]!`, spell, "    "),
      `    w.end(entry);`,
      `  }`,
    ];
  }
  if (field.repeated && isPackable(field)) {
    return [
      `  if (${value}.length > 0) {`,
      `    ${writeTag}`,
      `    const mark = w.begin();`,
      `    for (const item of ${value}) w.${method(field)}(item);`,
      `    w.end(mark);`,
      `  }`,
    ];
  }
  if (field.repeated) {
    return [
      `  for (const item of ${value}) {`,
      `    ${writeTag}`,
      ...writeItem(field, "item", spell, "    "),
      `  }`,
    ];
  }
  if (field.type.kind === "message" && !isNullable(field)) {
    return [
      `  {`,
      `    ${writeTag}`,
      `    const mark = w.begin();`,
      `    ${spell(field.type.fullName)}.write(${value}, w);`,
      `    w.endUnlessEmpty(mark, ${varintBytes(tag)});`,
      `  }`,
    ];
  }
  return [`  if (${isSet(field, value)}) {`, `    ${writeTag}`, ...writeItem(field, value, spell, "    "), `  }`];
}

/** The function that writes a message. */
export function emitWrite(message: MessageModel, spell: Spell): string[] {
  const fields = message.fields.toSorted((a, b) => a.number - b.number);
  const used = fields.length > 0;
  return [
    `function write${message.typeName}(${used ? "m" : "_m"}: ${message.typeName}, ${
      used ? "w" : "_w"
    }: Writer): void {`,
    ...fields.flatMap((field) => writeField(field, spell)),
    `}`,
  ];
}

function readItem(field: FieldModel, spell: Spell, current: string): string {
  if (field.type.kind === "message") {
    return `${spell(field.type.fullName)}.read(r, r.end()${current === "" ? "" : `, ${current}`})`;
  }
  const read = `r.${method(field)}()`;
  return field.type.kind === "enum" ? `${read} as ${spell(field.type.fullName)}` : read;
}

function readField(message: MessageModel, field: FieldModel, spell: Spell): string[] {
  const target = `m.${field.property}`;
  const tag = field.number * 8 + wireType(field);
  if (field.map) {
    const valueTag = 16 + wireType({ ...field, map: false });
    const initial = field.type.kind === "message" ? `${spell(field.type.fullName)}.create()` : itemDefault(field);
    const annotation = field.type.kind === "enum" ? `: ${spell(field.type.fullName)}` : "";
    return [
      `      case ${tag}: {`,
      `        const entryEnd = r.end();`,
      `        let key = "";`,
      `        let value${annotation} = ${initial};`,
      `        while (r.position < entryEnd) {`,
      `          const entryTag = r.tag();`,
      `          if (entryTag === 10) key = r.string();`,
      `          else if (entryTag === ${valueTag}) value = ${readItem(field, spell, "value")};`,
      `          else r.skip(entryTag);`,
      `        }`,
      `        r.close(entryEnd);`,
      `        setEntry(${target}, key, value);`,
      `        break;`,
      `      }`,
    ];
  }
  if (field.repeated) {
    const push = [`      case ${tag}:`, `        ${target}.push(${readItem(field, spell, "")});`, `        break;`];
    if (!isPackable(field)) return push;
    return [
      ...push,
      `      case ${field.number * 8 + 2}: {`,
      `        const packedEnd = r.end();`,
      `        while (r.position < packedEnd) ${target}.push(${readItem(field, spell, "")});`,
      `        r.close(packedEnd);`,
      `        break;`,
      `      }`,
    ];
  }
  const others = field.oneof === undefined
    ? []
    : message.fields.filter((other) => other.oneof === field.oneof && other !== field);
  return [
    `      case ${tag}:`,
    `        ${target} = ${readItem(field, spell, target)};`,
    ...others.map((other) => `        m.${other.property} = undefined;`),
    `        break;`,
  ];
}

/** The function that reads a message. */
export function emitRead(message: MessageModel, spell: Spell): string[] {
  return [
    `function read${message.typeName}(r: Reader, end: number, m: ${message.typeName}): ${message.typeName} {`,
    `  while (r.position < end) {`,
    `    const tag = r.tag();`,
    `    switch (tag) {`,
    ...message.fields.flatMap((field) => readField(message, field, spell)),
    `      default:`,
    `        r.skip(tag);`,
    `    }`,
    `  }`,
    `  r.close(end);`,
    `  return m;`,
    `}`,
  ];
}
