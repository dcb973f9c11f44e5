import assert from "node:assert/strict";
import { drawTree } from "./tree.ts";

const stream = {
  name: "crm@berlin",
  service: "crm",
  cloudlet: "berlin",
  address: "127.0.0.1:4",
  connectedSeconds: 3_720,
  reconnects: 2,
  inStep: false,
  lag: 12,
  behind: { AppInst: 12 },
  queuedMessages: 3,
  droppedMessages: 1,
  sentBytes: 2_048,
  sentEntries: 40,
  receivedBytes: 100,
  receivedEntries: 4,
  snapshots: 0,
  resumes: 1,
};

Deno.test("drawTree: a line for each parent and each stream", () => {
  const quiet = { ...stream, name: "dme#1", inStep: true, lag: 0, behind: {}, connectedSeconds: 5 };
  const lines = drawTree([
    { name: "controller-eu", view: { epoch: "e", streams: [stream, quiet] } },
    { name: "controller-us", error: "connection refused" },
  ]).split("\n");
  const cells = lines.map((line) => line.trim().split(/\s{2,}/));
  assert.deepEqual(cells.slice(1), [
    ["controller-eu (2 children)"],
    [
      "├─ crm@berlin from 127.0.0.1:4 [AppInst 12]",
      "12",
      "3",
      "1",
      "2.0 KiB",
      "100 B",
      "40",
      "0",
      "1",
      "2",
      "1 h 2 min",
    ],
    ["└─ dme#1 from 127.0.0.1:4", "in step", "3", "1", "2.0 KiB", "100 B", "40", "0", "1", "2", "5 s"],
    ["controller-us: connection refused"],
  ]);
});
