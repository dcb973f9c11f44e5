import type { BenchResult } from "../mod.ts";
import { residentBytes } from "./proc.ts";
import { type Setting, TRANSPORTS } from "./setting.ts";

const CONNECTIONS = 100_000;
const QUICK_CONNECTIONS = 1_000;
/** Connections after which memory is read for the first time. */
const FIRST = 10_000;
const QUICK_FIRST = 400;
/** Connections at once. */
const PARALLEL = 16;
/** Growth of memory from the first reading to the last that we mean to stay below. */
const REACH = 1.2;

/** Group 4: what connections that come, make a call and go leave behind. */
export async function measureChurn(setting: Setting): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const { name, mutual } of TRANSPORTS) {
    results.push(...await measure(setting, name, mutual));
    await setting.endAll();
  }
  return results;
}

async function measure(setting: Setting, name: string, mutual: boolean): Promise<BenchResult[]> {
  const { quick, progress } = setting.context;
  const [first, all] = quick ? [QUICK_FIRST, QUICK_CONNECTIONS] : [FIRST, CONNECTIONS];
  progress(`${all} connections of one call each over ${mutual ? "mutual TLS" : "TLS"}`);
  const { process: server, port } = await setting.server({ kind: "ours", mutual });
  const client = await setting.client(port);
  let failed = 0;
  async function live(connections: number): Promise<number> {
    const outcome = await client.ask<{ failed: number; why?: string }>("churn", { connections, parallel: PARALLEL });
    failed += outcome.failed;
    if (outcome.why !== undefined) progress(`a call failed: ${outcome.why}`);
    await server.ask("settle");
    return residentBytes(server.pid);
  }
  const begun = performance.now();
  const before = await live(first);
  const after = await live(all - first);
  const seconds = (performance.now() - begun) / 1_000;
  return [
    { id: `rpc.churn.${name}.failed`, value: failed, unit: "calls", reach: 0, better: "lower" },
    { id: `rpc.churn.${name}.rate`, value: all / seconds, unit: "connections/s", better: "higher" },
    { id: `rpc.churn.${name}.first`, value: before / 2 ** 20, unit: "MiB", better: "lower" },
    { id: `rpc.churn.${name}.end`, value: after / 2 ** 20, unit: "MiB", better: "lower" },
    { id: `rpc.churn.${name}.ratio`, value: after / before, unit: "ratio", reach: REACH, better: "lower" },
  ];
}
