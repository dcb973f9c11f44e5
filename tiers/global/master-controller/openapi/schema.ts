import type { FieldDescriptor, MessageDescriptor, MessageType } from "../../../../shared/schema/mod.ts";

type JsonSchema = Record<string, unknown>;

/** Turns messages into JSON Schemas, each once. */
export class SchemaCollector {
  readonly #schemas = new Map<string, JsonSchema>();

  /** A reference to the schema of a message. */
  reference(type: MessageType<object>): JsonSchema {
    return this.#reference(type.descriptor);
  }

  /** All schemas referred to, by name. */
  all(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => a.localeCompare(b)));
  }

  #reference(descriptor: MessageDescriptor): JsonSchema {
    if (!this.#schemas.has(descriptor.name)) {
      // Entered before its fields are, as messages may hold themselves.
      const properties: Record<string, JsonSchema> = {};
      this.#schemas.set(descriptor.name, { type: "object", description: descriptor.doc, properties });
      for (const field of descriptor.fields) properties[field.name] = this.#field(field);
    }
    return { $ref: `#/components/schemas/${descriptor.name}` };
  }

  #field(field: FieldDescriptor): JsonSchema {
    const value = this.#value(field);
    const described = { ...value, ...(field.doc !== "" && { description: field.doc }) };
    const schema = field.repeated ? { type: "array", items: value, description: field.doc } : described;
    return field.rules.setBy === "CALLER" ? schema : { ...schema, readOnly: true };
  }

  #value(field: FieldDescriptor): JsonSchema {
    switch (field.kind) {
      case "message":
        return this.#reference(field.message!.descriptor);
      case "enum":
        return { type: "string", enum: field.enum!.values.map((value) => value.text) };
      case "map":
        return { type: "object", additionalProperties: this.#value(field.mapValue!) };
      case "scalar":
        return scalar(field);
    }
  }
}

function scalar(field: FieldDescriptor): JsonSchema {
  if (field.rules.meaning === "DURATION") return { type: "string", format: "duration", examples: ["1h30m0s"] };
  if (field.rules.meaning === "DECIMAL") return { type: "string", format: "decimal", examples: ["0.5"] };
  switch (field.scalar) {
    case "bool":
      return { type: "boolean" };
    case "string":
      return { type: "string" };
    case "bytes":
      return { type: "string", contentEncoding: "base64" };
    case "float":
    case "double":
      return { type: "number" };
    default:
      return { type: "integer" };
  }
}
