import type { BenchResult } from "../mod.ts";
import { LARGE_BYTES } from "./api.ts";
import { residentBytes } from "./proc.ts";
import { type Setting, TRANSPORTS } from "./setting.ts";

/** Readers that stall, each on a connection of its own. */
const READERS = 100;
const QUICK_READERS = 20;
/** What each of them lets its server send before it reads (SETTINGS_INITIAL_WINDOW_SIZE), bytes. */
const WINDOW_BYTES = 131_072;
/** Messages that the handler would send: far more than may be held. */
const MESSAGES = 100_000;
/** Bytes beyond the window that we mean to hold at most. */
const REACH_BEYOND_BYTES = 65_536;
/** How long nothing may move before the readers count as stalled, ms. */
const STILL_MS = 1_000;

/** Group 5: how much a handler can hand over to a reader that does not read, and what that takes of memory. */
export async function measureStalled(setting: Setting): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const { name, mutual } of TRANSPORTS) {
    const { quick, progress } = setting.context;
    const readers = quick ? QUICK_READERS : READERS;
    progress(`${readers} stalled readers over ${mutual ? "mutual TLS" : "TLS"}`);
    const { process: server, port } = await setting.server({ kind: "ours", mutual });
    const client = await setting.client(port);
    await client.ask("open", 1);
    const stall = { order: { messages: MESSAGES, bytes: LARGE_BYTES }, windowBytes: WINDOW_BYTES };
    // The first one also warms up what is compiled and pooled.
    await client.ask("stall", { ...stall, count: 1 });
    await server.ask("settle");
    const [idle, before] = [residentBytes(server.pid), await server.ask<number>("handedOver")];
    await client.ask("stall", { ...stall, count: readers });
    let handedOver = -1;
    for (let now = before; now !== handedOver; now = await server.ask<number>("handedOver")) {
      handedOver = now;
      await new Promise((resolve) => setTimeout(resolve, STILL_MS));
    }
    await server.ask("settle");
    const resident = residentBytes(server.pid) - idle;
    results.push(
      {
        id: `rpc.stalled.${name}.held`,
        value: (handedOver - before) / readers,
        unit: "B/stream",
        reach: WINDOW_BYTES + REACH_BEYOND_BYTES,
        better: "lower",
      },
      { id: `rpc.stalled.${name}.memory`, value: resident / readers, unit: "B/stream", better: "lower" },
    );
    await setting.endAll();
  }
  return results;
}
