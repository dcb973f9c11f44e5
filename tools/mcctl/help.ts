import type { Argument, ArgumentType } from "./arguments.ts";
import { type Command, commandName } from "./commands.ts";
import { FLAGS } from "./flags.ts";

const SECTIONS = ["Accounts", "Developers", "Operators", "Metrics", "Administrators"];
const INDENT = "  ";

function twoColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${INDENT}${left.padEnd(width)}   ${right}`.trimEnd()).join("\n");
}

/** Help of the whole program. */
export function programHelp(commands: readonly Command[]): string {
  const parts = [
    "Manages an Archipelago platform through its master controller.",
    "Usage: mcctl [flags] <group> <verb> name=value …",
  ];
  for (const section of SECTIONS) {
    const groups = new Map<string, string[]>();
    for (const command of commands.filter((command) => command.section === section)) {
      const name = command.group === "" ? command.verb : command.group;
      groups.set(name, [...groups.get(name) ?? [], ...(command.group === "" ? [] : [command.verb])]);
    }
    if (groups.size === 0) continue;
    parts.push(`${section}\n${
      twoColumns([...groups].map(([name, verbs]) => {
        const alone = verbs.length === 0
          ? commands.find((command) => command.verb === name && command.group === "")
          : undefined;
        return [name, alone?.doc ?? verbs.join(", ")] as const;
      }))
    }`);
  }
  parts.push(`Other\n${
    twoColumns([
      ["apply <file>", "Bring the platform to what a document says: creates, updates, deletes (mcctl apply --help)"],
      ["version", "Show the version of this program."],
      ["completion bash", "Print the completion for a shell: source <(mcctl completion bash)"],
    ])
  }`);
  parts.push(`Flags\n${twoColumns(FLAGS.map((flag) => [flagText(flag.names, flag.value), flag.doc] as const))}`);
  parts.push("More about a group or command: mcctl <group> [<verb>] --help");
  return parts.join("\n\n");
}

function flagText(names: readonly string[], value: string | undefined): string {
  return `${names.join(", ")}${value === undefined ? "" : ` ${value}`}`;
}

/** Help of one group. */
export function groupHelp(group: string, commands: readonly Command[]): string {
  const own = commands.filter((command) => command.group === group);
  return [
    `Usage: mcctl ${group} <verb> name=value …`,
    twoColumns(own.map((command) => [command.verb, command.doc] as const)),
    `More about a command: mcctl ${group} <verb> --help`,
  ].join("\n\n");
}

/** Help of one command. */
export function commandHelp(command: Command): string {
  const name = commandName(command);
  const required = command.args.filter((arg) => arg.required);
  const optional = command.args.filter((arg) => !arg.required);
  const region: [string, string][] = command.regional ? [["region=", "Region to ask."]] : [];
  const parts = [command.doc === "" ? name : command.doc];
  const usage = [
    ...(command.regional ? ["region=<region>"] : []),
    ...required.map((arg) => `${arg.name}=<${arg.name}>`),
  ];
  parts.push(`Usage: mcctl ${[name, ...usage, ...(optional.length > 0 ? ["…"] : [])].join(" ")}`);
  if (region.length + required.length > 0) {
    parts.push(`Required\n${twoColumns([...region, ...required.map(argumentRow)])}`);
  }
  if (optional.length > 0) {
    const heading = command.verb === "show" ? "Show only what has" : "Optional";
    parts.push(`${heading}\n${twoColumns(optional.map(argumentRow))}`);
  }
  return parts.join("\n\n");
}

function argumentRow(arg: Argument): [string, string] {
  return [`${arg.name}${suffix(arg.type)}`, [arg.doc, typeText(arg.type)].filter((text) => text !== "").join(" ")];
}

function suffix(type: ArgumentType): string {
  if (type.kind === "structs") return ":<index>.<part>=";
  return type.kind === "map" ? "=<key>=" : "=";
}

function typeText(type: ArgumentType): string {
  switch (type.kind) {
    case "string":
      return "";
    case "bool":
      return "(true or false)";
    case "integer":
      return "(integer)";
    case "number":
      return "(number)";
    case "duration":
      return "(duration, e.g. 1h30m)";
    case "time":
      return "(time, e.g. 2024-01-31T12:00:00Z)";
    case "bytes":
      return "(base64)";
    case "enum":
      return `(one of ${type.values.join(", ")})`;
    case "list":
    case "map":
      return ["(repeat for more)", typeText(type.item)].filter((text) => text !== "").join(" ");
    case "structs":
      return `(parts: ${type.fields.map((field) => field.name).join(", ")})`;
  }
}
