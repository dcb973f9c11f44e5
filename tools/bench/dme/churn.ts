import type { BenchResult } from "../mod.ts";
import { residentBytes } from "../rpc/proc.ts";
import type { ChurnLoad, ChurnOutcome } from "./churn_load.ts";
import type { Face } from "./load.ts";
import type { Setting } from "./setting.ts";

const INSTANCES = 1_000;
/** Connections of each face, and those after which memory is read for the first time. */
const CONNECTIONS = 100_000;
const QUICK_CONNECTIONS = 800;
const FIRST = 10_000;
const QUICK_FIRST = 200;
/** In a run of all groups no more connections begin after so long; measured alone, this group takes its time. */
const LIMIT_MS = 25_000;
/** Connections at once. */
const PARALLEL = 16;
/** Growth of memory from the first reading to the last that we mean to stay below. */
const REACH = 1.2;
const SETTLE_MS = 1_000;
const FACES: readonly Face[] = ["grpc", "rest"];

/** Group 6: devices that come, make a call and go. */
export async function measureChurn(setting: Setting): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const face of FACES) results.push(...await measure(setting, face));
  return results;
}

async function measure(setting: Setting, face: Face): Promise<BenchResult[]> {
  const { quick, progress } = setting.context;
  const [first, all] = quick ? [QUICK_FIRST, QUICK_CONNECTIONS] : [FIRST, CONNECTIONS];
  progress(`${all} connections of one call each by ${face}`);
  const limitMs = setting.alone ? undefined : LIMIT_MS;
  const { pid, load } = await setting.scene(INSTANCES);
  let failed = 0;
  let made = 0;
  let seconds = 0;
  async function live(connections: number): Promise<number> {
    const churn: ChurnLoad = { face, connections, parallel: PARALLEL, limitMs };
    const begun = performance.now();
    const outcome = await load.ask<ChurnOutcome>("churn", churn);
    seconds += (performance.now() - begun) / 1_000;
    failed += outcome.failed;
    made += outcome.made;
    if (outcome.why !== undefined) progress(`a call failed: ${outcome.why}`);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return residentBytes(pid);
  }
  const before = await live(first);
  const after = await live(all - first);
  await setting.endAll();
  const id = `dme.churn.${face}`;
  return [
    { id: `${id}.failed`, value: failed, unit: "calls", reach: 0, better: "lower" },
    { id: `${id}.made`, value: made, unit: "connections", better: "higher" },
    { id: `${id}.rate`, value: made / seconds, unit: "connections/s", better: "higher" },
    { id: `${id}.first`, value: before / 2 ** 20, unit: "MiB", better: "lower" },
    { id: `${id}.end`, value: after / 2 ** 20, unit: "MiB", better: "lower" },
    { id: `${id}.ratio`, value: after / before, unit: "ratio", reach: quick ? undefined : REACH, better: "lower" },
  ];
}
