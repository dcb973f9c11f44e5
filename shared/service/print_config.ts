import { redactText } from "../telemetry/mod.ts";
import { type Address, formatAddress } from "./address.ts";
import { formatDuration } from "./duration.ts";
import { flagNameOf, type OptionSpec, type OptionSpecs } from "./options.ts";

/** Options that say how to look at the configuration and are no part of it. */
const NOT_SHOWN = ["help", "version", "printConfig", "config"];

/** The configuration in force as a YAML file that `--config` takes; secrets are hidden. */
export function printableConfig(specs: OptionSpecs, config: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    if (NOT_SHOWN.includes(name)) continue;
    const value = config[name];
    lines.push(value === undefined ? `# ${flagNameOf(name)}: not set` : `${flagNameOf(name)}: ${show(spec, value)}`);
  }
  return `${lines.join("\n")}\n`;
}

function show(spec: OptionSpec, value: unknown): string {
  // JSON is YAML, so quoting needs no rules of its own.
  if (spec.secret) return JSON.stringify("***");
  switch (spec.kind) {
    case "address":
      return JSON.stringify(formatAddress(value as Address));
    case "duration":
      return JSON.stringify(formatDuration(value as number));
    case "url":
      return JSON.stringify(redactText(value as string));
    case "string":
    case "path":
    case "enum":
    case "int":
    case "bool":
    case "list":
    case "json":
      return JSON.stringify(value);
  }
}
