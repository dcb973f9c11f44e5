import { isJsonObject } from "../../../shared/schema/mod.ts";
import { duration, size } from "../../notify_tree/units.ts";
import { alignedText } from "./table.ts";

const HEADER = ["NODE", "LAG", "QUEUE", "DROPPED", "SENT", "RECEIVED", "RECONNECTS", "UP"];

/** The tree of replication, one line a process, indented by its place: `archipelago.NotifyNode` items, parents first. */
export function notifyTreeText(items: readonly unknown[]): string {
  return alignedText([HEADER, ...items.filter(isJsonObject).map(row)]);
}

function row(item: Record<string, unknown>): string[] {
  const number = (name: string): number => typeof item[name] === "number" ? item[name] : Number(item[name] ?? 0);
  const depth = number("depth");
  const key = isJsonObject(item["key"]) ? item["key"] : {};
  const site = isJsonObject(key["cloudlet_key"])
    ? ` ${key["cloudlet_key"]["organization"]}/${key["cloudlet_key"]["name"]}`
    : "";
  const name = `${"  ".repeat(Math.max(0, depth - 1))}${depth > 0 ? "└ " : ""}${key["type"]}${site} ${key["name"]}`;
  const error = typeof item["error"] === "string" ? `, ${item["error"]}` : "";
  if (depth === 0) return [name + error];
  return [
    name + error,
    item["in_step"] === true ? "0" : lagText(number("lag"), item["behind"]),
    String(number("queued")),
    String(number("dropped")),
    size(number("sent_bytes")),
    size(number("received_bytes")),
    String(number("reconnects")),
    duration(number("connected_seconds")),
  ];
}

/** Beside the sum the kind that is furthest behind. */
function lagText(lag: number, behind: unknown): string {
  const kinds = Object.entries(isJsonObject(behind) ? behind : {}).sort(([, a], [, b]) => Number(b) - Number(a));
  return kinds.length === 0 ? String(lag) : `${lag} (${kinds[0]![0]})`;
}
