import { dme } from "../../../shared/schema/mod.ts";
import type { BenchResult } from "../mod.ts";
import { residentBytes } from "../rpc/proc.ts";
import { median } from "../rpc/setting.ts";
import type { Setting } from "./setting.ts";

const INSTANCES = 1_000;
const CONNECTIONS = 1_000;
const QUICK_CONNECTIONS = 100;
const STREAMS_PER_CONNECTION = 10;
const PUSHES = 10;
const QUICK_PUSHES = 3;
const WARM_UPS = 2;
/** Until memory that is free again has been given back. */
const SETTLE_MS = 1_000;

const { MAINTENANCE_START, FAILOVER_REQUESTED } = dme.MaintenanceState;

/** Group 5: memory of open event streams, and how long one event to all of them takes. */
export async function measureStreams(setting: Setting): Promise<BenchResult[]> {
  const { quick, progress } = setting.context;
  const connections = quick ? QUICK_CONNECTIONS : CONNECTIONS;
  const streams = connections * STREAMS_PER_CONNECTION;
  progress(`${streams} event streams on ${connections} connections`);
  const { pid, load, region } = await setting.scene(INSTANCES);
  async function memory(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return residentBytes(pid);
  }
  const idle = await memory();
  await load.ask("connect", connections);
  const connected = await memory();
  const begun = performance.now();
  await load.ask("openStreams", STREAMS_PER_CONNECTION);
  const seconds = (performance.now() - begun) / 1_000;
  const streaming = await memory();
  const times: number[] = [];
  for (let i = 0; i < WARM_UPS + (quick ? QUICK_PUSHES : PUSHES); i++) {
    await load.ask("expect", streams);
    const last = load.ask<number>("last");
    const sent = await region.ask<number>("maintain", i % 2 === 0 ? MAINTENANCE_START : FAILOVER_REQUESTED);
    const ms = await last - sent;
    if (i >= WARM_UPS) times.push(ms);
  }
  await load.ask("closeStreams");
  await setting.endAll();
  return [
    { id: "dme.streams.connection", value: (connected - idle) / connections / 1_024, unit: "KiB", better: "lower" },
    { id: "dme.streams.stream", value: (streaming - connected) / streams / 1_024, unit: "KiB", better: "lower" },
    { id: "dme.streams.opened", value: streams / seconds, unit: "streams/s", better: "higher" },
    { id: "dme.streams.push", value: median(times), unit: "ms", better: "lower" },
    { id: "dme.streams.told", value: streams / (median(times) / 1_000), unit: "events/s", better: "higher" },
  ];
}
