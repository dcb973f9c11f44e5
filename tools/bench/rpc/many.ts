import type { BenchResult } from "../mod.ts";
import { residentBytes } from "./proc.ts";
import type { BenchProcess } from "./process.ts";
import { median, type Setting, TRANSPORTS, until } from "./setting.ts";

const CONNECTIONS = 1_000;
const QUICK_CONNECTIONS = 100;
const STREAMS_PER_CONNECTION = 10;
const PUSHES = 30;
const QUICK_PUSHES = 9;
/** Rounds until the code is compiled. */
const WARM_UPS = 20;
/** Time to the last of all, beside as many writes to bare sockets, that we mean to reach. */
const REACH = 1.5;

/** Group 3: memory of many streams and connections, and how long one message to all of them takes. */
export async function measureMany(setting: Setting): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const { name, mutual } of TRANSPORTS) {
    results.push(...await measure(setting, name, mutual));
    await setting.endAll();
  }
  return results;
}

async function measure(setting: Setting, name: string, mutual: boolean): Promise<BenchResult[]> {
  const { context } = setting;
  const connections = context.quick ? QUICK_CONNECTIONS : CONNECTIONS;
  const streams = connections * STREAMS_PER_CONNECTION;
  context.progress(`${streams} streams on ${connections} connections over ${mutual ? "mutual TLS" : "TLS"}`);
  const { process: server, port } = await setting.server({ kind: "ours", mutual });
  const ours = await setting.client(port);
  await ours.ask("open", 1);
  const idle = await memory(server);
  await ours.ask("open", connections - 1);
  const connected = await memory(server);
  await ours.ask("watch", STREAMS_PER_CONNECTION);
  const streaming = await memory(server);

  const floor = await setting.server({ kind: "bare", mutual });
  const bare = await setting.client(floor.port);
  await bare.ask("openBare", connections);
  const lasts: number[] = [];
  const floors: number[] = [];
  for (let i = 0; i < WARM_UPS + (context.quick ? QUICK_PUSHES : PUSHES); i++) {
    const last = await push(server, ours, streams, streams);
    const floorLast = await push(floor.process, bare, connections, streams);
    if (i < WARM_UPS) continue;
    lasts.push(last);
    floors.push(floorLast);
  }
  return [
    {
      id: `rpc.many.${name}.connection`,
      value: (connected - idle) / (connections - 1) / 1_024,
      unit: "KiB",
      better: "lower",
    },
    { id: `rpc.many.${name}.stream`, value: (streaming - connected) / streams / 1_024, unit: "KiB", better: "lower" },
    { id: `rpc.many.${name}.last`, value: median(lasts), unit: "ms", better: "lower" },
    { id: `rpc.many.${name}.bare_last`, value: median(floors), unit: "ms", better: "lower" },
    {
      id: `rpc.many.${name}.ratio`,
      value: median(lasts) / median(floors),
      unit: "ratio",
      reach: REACH,
      better: "lower",
    },
  ];
}

async function memory(server: BenchProcess): Promise<number> {
  await server.ask("settle");
  return residentBytes(server.pid);
}

/** One message to everyone who waits: ms until the last of `messages` has come. */
async function push(server: BenchProcess, client: BenchProcess, waiting: number, messages: number): Promise<number> {
  await until(`${waiting} wait`, async () => await server.ask<number>("waiting") === waiting);
  await client.ask("expect", messages);
  await server.ask("push", messages / waiting);
  return await client.ask<number>("last");
}
