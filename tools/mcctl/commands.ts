import type { MessageDescriptor, MessageType } from "../../shared/schema/mod.ts";
import { accountCommands } from "./account_commands.ts";
import type { Argument } from "./arguments.ts";
import { metricsCommands } from "./metrics_commands.ts";
import type { JsonObject } from "./parse_arguments.ts";
import { regionCommands } from "./region_commands.ts";

/** A value that is asked for when it is not given. */
export interface Prompt {
  readonly argument: string;
  readonly text: string;
  /** Asked for twice. */
  readonly confirm: boolean;
}

/** One command. */
export interface Command {
  /** Empty for commands without a verb, as `login`. */
  readonly group: string;
  readonly verb: string;
  readonly doc: string;
  /** Heading of the group in the help. */
  readonly section: string;
  readonly args: readonly Argument[];
  /** Takes `--limit` and `--continue`. */
  readonly pages?: boolean;
  /** Takes `--dry-run`. */
  readonly tries?: boolean;
  /** Takes `region=`. */
  readonly regional: boolean;
  /** Path below `/api/v1/`; empty for commands that call nobody. */
  readonly path: string;
  /** Makes the request's body from what the arguments say. */
  body(json: JsonObject, region: string): JsonObject;
  readonly prompts?: readonly Prompt[];
  /** Checks the arguments before anything is sent. Throws JsonError. */
  readonly request?: MessageType<object>;
  /** What comes back is a list. */
  readonly lists: boolean;
  /** Describes the objects that come back, for tables. */
  readonly shows?: MessageDescriptor;
  /** What comes back is what an instance writes, to be printed as it is. */
  readonly writes?: boolean;
  /** The reply is a token, to be saved. */
  readonly savesToken?: boolean;
}

/** Words by which a command is called. */
export function commandName(command: Command): string {
  return command.group === "" ? command.verb : `${command.group} ${command.verb}`;
}

/** All commands, those of the schema first. */
export function allCommands(): Command[] {
  return [...regionCommands(), ...metricsCommands(), ...accountCommands()];
}
