import assert from "node:assert/strict";
import { notifyTreeText } from "./tree.ts";

const key = (type: string, name: string, site?: string) => ({
  name,
  type,
  ...(site !== undefined && { cloudlet_key: { organization: "telco", name: site } }),
});

Deno.test("the tree of replication: a line for each process, at its place, and who is silent", () => {
  const text = notifyTreeText([
    { key: key("controller", "host-1") },
    { depth: 1, key: key("dme", "host-2"), in_step: true, sent_bytes: 2048, connected_seconds: 61 },
    {
      depth: 1,
      key: key("crm", "host-3", "berlin"),
      lag: 12,
      behind: { App: 2, AppInst: 10 },
      queued: 3,
      dropped: 1,
      reconnects: 2,
    },
    {
      depth: 2,
      key: key("shepherd", "host-4", "berlin"),
      in_step: true,
      received_bytes: 5,
      error: "has not answered in time",
    },
  ]);
  assert.deepEqual(text.split("\n").map((line) => line.split(/ {3,}/).map((cell) => cell.trim())), [
    ["NODE", "LAG", "QUEUE", "DROPPED", "SENT", "RECEIVED", "RECONNECTS", "UP"],
    ["controller host-1"],
    ["└ dme host-2", "0", "0", "0", "2.0 KiB", "0 B", "0", "1 min"],
    ["└ crm telco/berlin host-3", "12 (AppInst)", "3", "1", "0 B", "0 B", "2", "0 s"],
    ["└ shepherd telco/berlin host-4, has not answered in time", "0", "0", "0", "0 B", "5 B", "0", "0 s"],
  ]);
});
