import { isJsonObject, isKeyField, type MessageDescriptor } from "../../../shared/schema/mod.ts";
import { messageArguments } from "../arguments.ts";

const MAX_COLUMNS = 9;
const MAX_CELL_CHARACTERS = 40;
const GAP = "   ";

interface Column {
  header: string;
  path: readonly string[];
}

/** A table of objects: the columns that hold something, keys first. The descriptor, where known, gives names and order. */
export function tableText(items: readonly unknown[], descriptor?: MessageDescriptor): string {
  const candidates = descriptor === undefined ? foundColumns(items) : knownColumns(descriptor);
  const columns = candidates.filter((column) => items.some((item) => cell(item, column.path) !== ""))
    .slice(0, MAX_COLUMNS);
  if (columns.length === 0) return "";
  const rows = [
    columns.map((column) => column.header),
    ...items.map((item) => columns.map((column) => cell(item, column.path))),
  ];
  return alignedText(rows);
}

/** Rows whose cells stand below each other; rows may end early. */
export function alignedText(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  // A row of one cell is a heading, which may run over the others.
  const cells = rows.filter((row) => row.length > 1);
  const widths = Array.from(
    { length: columns },
    (_, index) => Math.max(...cells.map((row) => width(row[index] ?? ""))),
  );
  return rows.map((row) => row.map((text, index) => padded(text, widths[index]!)).join(GAP).trimEnd()).join("\n");
}

function knownColumns(descriptor: MessageDescriptor): Column[] {
  const args = messageArguments(descriptor, "show", [])
    .filter(({ type }) => type.kind !== "map" && type.kind !== "structs" && type.kind !== "time");
  // What an object is comes before how it is; states before other facts.
  const rank = (path: readonly string[], kind: string) =>
    isKeyField(descriptor, path[0] ?? "") ? 0 : kind === "enum" ? 1 : 2;
  return args.map((arg) => ({ header: arg.name.toUpperCase(), path: arg.path, rank: rank(arg.path, arg.type.kind) }))
    .sort((a, b) => a.rank - b.rank);
}

function foundColumns(items: readonly unknown[]): Column[] {
  const names = new Set<string>();
  for (const item of items) {
    if (!isJsonObject(item)) names.add("");
    else {for (const [name, value] of Object.entries(item)) {
        if (!isTimeName(name) && !isJsonObject(value)) names.add(name);
      }}
  }
  return [...names].map((name) =>
    name === "" ? { header: "NAME", path: [] } : { header: name.toUpperCase(), path: [name] }
  );
}

function isTimeName(name: string): boolean {
  return /(?:created|updated)_?at$/i.test(name);
}

function cell(item: unknown, path: readonly string[]): string {
  let value = item;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  if (value === undefined || value === null || value === "" || value === false || value === 0) return "";
  if (typeof value === "object" && !Array.isArray(value)) return "";
  const text =
    (Array.isArray(value) ? value.map((part) => isJsonObject(part) ? "…" : String(part)).join(",") : String(value))
      // A cell is one line, and control characters of others' data must not reach the terminal.
      .replace(/\p{Cc}+/gu, " ");
  const characters = [...text];
  return characters.length <= MAX_CELL_CHARACTERS ? text : `${characters.slice(0, MAX_CELL_CHARACTERS - 1).join("")}…`;
}

function width(text: string): number {
  return [...text].length;
}

function padded(text: string, length: number): string {
  return text + " ".repeat(Math.max(0, length - width(text)));
}
