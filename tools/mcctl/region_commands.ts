import {
  type ApiRules,
  ExecOutput,
  findKind,
  kinds,
  type MethodDefinition,
  regionServices,
} from "../../shared/schema/mod.ts";
import { type FieldChoice, messageArguments } from "./arguments.ts";
import type { Command } from "./commands.ts";

/** The commands of the region's API, all from the schema. */
export function regionCommands(): Command[] {
  const commands: Command[] = [];
  for (const service of regionServices) {
    for (const method of Object.values(service.methods)) {
      if (method.api === undefined || method.api.internal || method.api.cli === "") continue;
      commands.push(regionCommand(method, method.api));
    }
  }
  return commands;
}

function regionCommand(method: MethodDefinition, api: ApiRules): Command {
  const [group, verb] = api.cli.split(" ") as [string, string];
  const wrapper = method.input.descriptor.typeName.toLowerCase();
  const output = method.output.descriptor;
  return {
    group,
    verb,
    doc: method.doc,
    section: sectionOf(method, group),
    args: messageArguments(method.input.descriptor, choiceOf(method), api.requiredArgs),
    regional: true,
    pages: method.responseStream && method.input === method.output && api.action === "VIEW" && !api.eachController,
    tries: api.action === "MANAGE",
    path: `auth/ctrl/${method.name}`,
    body: (json, region) => ({ region, [wrapper]: json }),
    request: method.input,
    writes: output.name === ExecOutput.descriptor.name,
    lists: output.name !== "archipelago.Result",
    shows: output.name === "archipelago.Result" ? undefined : output,
  };
}

function choiceOf(method: MethodDefinition): FieldChoice {
  if (method.name.startsWith("Show")) return "show";
  if (method.name.startsWith("Update")) return "update";
  if (method.name.startsWith("Refresh")) return "refresh";
  return /^(Delete|Reset)/.test(method.name) ? "delete" : "create";
}

/** Groups stand under who uses them most: the owners of the objects. */
function sectionOf(method: MethodDefinition, group: string): string {
  // A call about a part of an object stands with those about the object.
  const kind = findKind(method.input.descriptor.typeName) ?? kinds.find(({ cli }) => cli === group);
  switch (kind?.ownerType) {
    case "developer":
      return "Developers";
    case "operator":
      return "Operators";
    default:
      return "Administrators";
  }
}
