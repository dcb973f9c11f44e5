import type { BenchResult } from "../mod.ts";
import { median } from "../rpc/setting.ts";
import { quantile } from "./load.ts";
import type { Scene, Setting } from "./setting.ts";

const INSTANCES = 10_000;
const CHANGES = 10_000;
/** Storms; the figures are medians over them, the p99 one over the calls of all. */
const STORMS = 10;
const QUICK_STORMS = 2;
/** Time at rest before each storm, ms. */
const REST_MS = 1_000;
const WARM_UPS = 1;
/** The p99 of requests during storms beside that at rest that we mean to stay below. */
const REACH = 3;

interface Paced {
  readonly latencies: number[];
  readonly failed: number;
}

/** Group 4: how fast changes of instances are applied while calls are answered, and what that does to the calls. */
export async function measureStorm(setting: Setting): Promise<BenchResult[]> {
  const { quick, progress } = setting.context;
  const storms = quick ? QUICK_STORMS : STORMS;
  progress(`${storms} storms of ${CHANGES} changes`);
  const scene = await setting.scene(INSTANCES);
  const rates: number[] = [];
  const rest: number[] = [];
  const storm: number[] = [];
  let failed = 0;
  for (let i = 0; i < WARM_UPS + storms; i++) {
    const calm = await scene.load.ask<Paced>("pace", REST_MS);
    const { rate, paced } = await stormOnce(scene);
    if (i < WARM_UPS) continue;
    rates.push(rate);
    rest.push(...calm.latencies);
    storm.push(...paced.latencies);
    failed += calm.failed + paced.failed;
  }
  await setting.endAll();
  const [restP99, stormP99] = [p99(rest), p99(storm)];
  return [
    { id: "dme.storm.rate", value: median(rates), unit: "changes/s", better: "higher" },
    { id: "dme.storm.rest.p99", value: restP99, unit: "ms", better: "lower" },
    { id: "dme.storm.p99", value: stormP99, unit: "ms", better: "lower" },
    { id: "dme.storm.ratio", value: stormP99 / restP99, unit: "ratio", reach: REACH, better: "lower" },
    { id: "dme.storm.failed", value: failed, unit: "calls", reach: 0, better: "lower" },
  ];
}

async function stormOnce({ region, load }: Scene): Promise<{ rate: number; paced: Paced }> {
  const round = await region.ask<string>("prepare", CHANGES);
  const paced = load.ask<Paced & { seen: number }>("paceUntil", round);
  // The calls stand before the storm breaks.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const begun = await region.ask<number>("storm");
  const { seen, ...calls } = await paced;
  return { rate: CHANGES / ((seen - begun) / 1_000), paced: calls };
}

function p99(latencies: readonly number[]): number {
  return quantile(Float64Array.from(latencies).sort(), 0.99);
}
