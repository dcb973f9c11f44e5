import type { HubView, StreamView } from "../../shared/notify/mod.ts";
import { renderTable } from "../bench/mod.ts";
import { duration, size } from "./units.ts";

/** A parent with what its admin address says of its streams, or why it says nothing. */
export interface ParentView {
  readonly name: string;
  readonly view?: HubView;
  readonly error?: string;
}

const HEADER = [
  "parent and children",
  "lag",
  "queue",
  "dropped",
  "sent",
  "received",
  "entries",
  "snapshots",
  "resumes",
  "reconnects",
  "up",
];

/** Draws parents and their children, one line a stream. */
export function drawTree(parents: readonly ParentView[]): string {
  const rows: string[][] = [];
  for (const { name, view, error } of parents) {
    const count = view?.streams.length ?? 0;
    rows.push([error === undefined ? `${name} (${count} ${count === 1 ? "child" : "children"})` : `${name}: ${error}`]);
    view?.streams.forEach((stream, index) => rows.push(row(stream, index === count - 1)));
  }
  return renderTable(HEADER, rows, HEADER.map((_, index) => index).slice(1));
}

function row(stream: StreamView, last: boolean): string[] {
  const behind = Object.entries(stream.behind).map(([kind, lag]) => `${kind} ${lag}`).join(", ");
  return [
    `${last ? "└─" : "├─"} ${stream.name} from ${stream.address}${behind === "" ? "" : ` [${behind}]`}`,
    stream.inStep ? "in step" : String(stream.lag),
    String(stream.queuedMessages),
    String(stream.droppedMessages),
    size(stream.sentBytes),
    size(stream.receivedBytes),
    String(stream.sentEntries),
    String(stream.snapshots),
    String(stream.resumes),
    String(stream.reconnects),
    duration(stream.connectedSeconds),
  ];
}
