import { parseDocument } from "yaml";
import { withoutTemplates } from "./templates.ts";

/** A variable of a container, as Kubernetes has it: a name, and a value or where to take it from. */
export interface EnvVariable {
  readonly name: string;
  readonly [field: string]: unknown;
}

const NAME = /^[A-Za-z_.-][A-Za-z0-9_.-]*$/;

/** Reads a YAML text that is a list of variables of a container; `rule` is what it breaks. */
export function readEnvList(text: string): { variables: EnvVariable[]; rule?: string } {
  const { value, rule } = readYaml(text);
  if (rule !== undefined) return { variables: [], rule };
  if (!Array.isArray(value)) return { variables: [], rule: "must be a list of variables with name and value" };
  for (const [index, item] of value.entries()) {
    const fault = variableRule(item);
    if (fault !== undefined) return { variables: [], rule: `variable ${index + 1} ${fault}` };
  }
  return { variables: value as EnvVariable[] };
}

/** Reads a YAML text without aliases; `rule` says why it cannot be read. */
export function readYaml(text: string, delimiter?: string): { value?: unknown; rule?: string } {
  const source = delimiter === undefined ? text : withoutTemplates(text, delimiter);
  const document = parseDocument(source, { prettyErrors: true, schema: "core" });
  const [error] = document.errors;
  if (error !== undefined) return { rule: `is not valid YAML: ${error.message.split("\n")[0]}` };
  try {
    return { value: document.toJS({ maxAliasCount: 0 }) };
  } catch {
    return { rule: "must have no aliases" };
  }
}

function variableRule(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return "must have a name and a value";
  const { name, value, valueFrom } = item as Record<string, unknown>;
  if (typeof name !== "string" || !NAME.test(name)) return "has no name that a variable may have";
  if (valueFrom !== undefined) return typeof valueFrom === "object" ? undefined : "has a valueFrom that is no mapping";
  return value === undefined || value === null || typeof value !== "object" ? undefined : "has a value that is no text";
}
