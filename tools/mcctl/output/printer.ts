import { stringify } from "yaml";
import { isJsonObject, NotifyNode } from "../../../shared/schema/mod.ts";
import type { Command } from "../commands.ts";
import type { Flags, OutputFormat } from "../flags.ts";
import type { Io } from "../io.ts";
import { tableText } from "./table.ts";
import { notifyTreeText } from "./tree.ts";

/** Prints what a call brings, item by item. */
export interface Printer {
  item(item: unknown): void;
  /** Prints what was gathered. */
  end(): void;
}

/** What a printer must know of a command. */
export type Printed = Pick<Command, "lists" | "shows">;

/** The printer for a command's output: messages and progress at once, objects in the wanted form. */
export function createPrinter(io: Io, flags: Flags, command: Printed): Printer {
  const format = flags.output ?? (io.isTerminal ? "table" : "yaml");
  const gathered: unknown[] = [];
  return {
    item(item) {
      const message = messageOf(item);
      const plain = !flags.parsable &&
        (flags.output === undefined || flags.output === "table" || flags.output === "yaml");
      if (message !== undefined && plain) {
        if (message !== "") io.out(`${printable(message)}\n`);
        return;
      }
      if (flags.stream && (format === "yaml" || format === "json-compact")) {
        // A list in YAML, and JSON by lines, can be printed before their end is known.
        if (format === "json-compact") io.out(`${JSON.stringify(item)}\n`);
        else io.out(stringify(command.lists ? [item] : item));
        return;
      }
      gathered.push(item);
    },
    end() {
      if (gathered.length > 0) io.out(`${rendered(gathered, format, command)}\n`);
      else if (flags.output === "json" && command.lists) io.out("[]\n");
    },
  };
}

/** The text of a result that is nothing but a message. */
function messageOf(item: unknown): string | undefined {
  if (!isJsonObject(item)) return undefined;
  const keys = Object.keys(item);
  if (!keys.every((key) => /^(?:message|code|TOTPSharedKey|TOTPQRImage)$/i.test(key))) return undefined;
  if (keys.some((key) => key.startsWith("TOTP") && item[key] !== "")) return undefined;
  const message = item["message"] ?? item["Message"];
  return typeof message === "string" ? message : undefined;
}

/** Others' words may not steer the terminal. */
function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, " ");
}

function rendered(items: readonly unknown[], format: OutputFormat, command: Printed): string {
  const whole = !command.lists && items.length === 1 ? items[0] : items;
  switch (format) {
    case "json":
      return JSON.stringify(whole, undefined, 2);
    case "json-compact":
      return JSON.stringify(whole);
    case "yaml":
      return stringify(whole).trimEnd();
    case "table":
      // A single object reads better as its parts, one a line.
      if (command.shows?.name === NotifyNode.descriptor.name) return notifyTreeText(items);
      return command.lists ? tableText(items, command.shows) : stringify(whole).trimEnd();
  }
}
