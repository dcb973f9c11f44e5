import type { BenchResult } from "../mod.ts";
import { LARGE_BYTES, type Order, SMALL_BYTES } from "./api.ts";
import { median, type Setting, TRANSPORTS } from "./setting.ts";

const RUNS = 5;
const QUICK_RUNS = 1;
const WARM_UPS = 1;
const LARGE_MESSAGES = 8_192;
const QUICK_LARGE_MESSAGES = 1_536;
const SMALL_MESSAGES = 500_000;
const QUICK_SMALL_MESSAGES = 100_000;
/** Share of a bare socket's throughput that we mean to reach. */
const REACH = 0.7;

/** Group 2: throughput of one stream beside a bare socket, and of small messages written one by one. */
export async function measureStream(setting: Setting): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const { name, mutual } of TRANSPORTS) {
    setting.context.progress(`one stream over ${mutual ? "mutual TLS" : "TLS"}`);
    results.push(...await measure(setting, name, mutual));
    await setting.endAll();
  }
  return results;
}

async function measure(setting: Setting, name: string, mutual: boolean): Promise<BenchResult[]> {
  const { quick } = setting.context;
  const large: Order = { messages: quick ? QUICK_LARGE_MESSAGES : LARGE_MESSAGES, bytes: LARGE_BYTES };
  const small: Order = { messages: quick ? QUICK_SMALL_MESSAGES : SMALL_MESSAGES, bytes: SMALL_BYTES };
  const ours = await setting.client((await setting.server({ kind: "ours", mutual })).port);
  const bare = await setting.client((await setting.server({ kind: "bare", mutual })).port);
  const times = { large: [] as number[], bare: [] as number[], small: [] as number[] };
  for (let i = 0; i < WARM_UPS + (quick ? QUICK_RUNS : RUNS); i++) {
    const took = {
      large: await ours.ask<number>("stream", large),
      bare: await bare.ask<number>("bareStream", large),
      small: await ours.ask<number>("stream", small),
    };
    if (i < WARM_UPS) continue;
    for (const key of ["large", "bare", "small"] as const) times[key].push(took[key]);
  }
  const rate = (ms: number): number => large.messages * large.bytes / 2 ** 20 / (ms / 1_000);
  const oursRate = rate(median(times.large));
  const bareRate = rate(median(times.bare));
  return [
    { id: `rpc.stream.${name}.large`, value: oursRate, unit: "MiB/s", better: "higher" },
    { id: `rpc.stream.${name}.bare`, value: bareRate, unit: "MiB/s", better: "higher" },
    { id: `rpc.stream.${name}.ratio`, value: oursRate / bareRate, unit: "ratio", reach: REACH, better: "higher" },
    {
      id: `rpc.stream.${name}.small`,
      value: small.messages / (median(times.small) / 1_000),
      unit: "messages/s",
      better: "higher",
    },
  ];
}
