import type { BenchResult } from "../mod.ts";
import { median } from "../rpc/setting.ts";
import type { BenchProcess } from "../rpc/process.ts";
import type { Setting } from "./setting.ts";

const FEW = 10;
const MANY = 100_000;
/** Instances that all lie in one place. */
const ALIKE = 100;
/** Cost of a lookup among many beside that among few that we mean to stay below. */
const REACH = 3;
/** Bytes that a lookup may allocate for each candidate that it looks at. */
const REACH_BYTES = 1;

const LOOKUPS = 1_000_000;
const QUICK_LOOKUPS = 100_000;
const RUNS = 5;

/** Group 3: the lookup alone, its cost by the number of instances, and what it allocates. */
export async function measureLookup(setting: Setting): Promise<BenchResult[]> {
  const { quick, progress } = setting.context;
  progress("the lookup alone");
  const [few, many, alike] = await Promise.all([
    fill(setting, FEW),
    fill(setting, MANY),
    fill(setting, ALIKE, true),
  ]);
  const lookups = quick ? QUICK_LOOKUPS : LOOKUPS;
  const [fewTimes, manyTimes]: [number[], number[]] = [[], []];
  for (let i = 0; i < RUNS; i++) {
    fewTimes.push(await few.ask<number>("time", lookups / RUNS));
    manyTimes.push(await many.ask<number>("time", lookups / RUNS));
  }
  const bytes = {
    few: await few.ask<number>("allocated", lookups),
    many: await many.ask<number>("allocated", lookups),
    alike: await alike.ask<number>("allocated", lookups / 10),
  };
  await setting.endAll();
  return [
    { id: "dme.lookup.10", value: median(fewTimes), unit: "µs", better: "lower" },
    { id: "dme.lookup.100000", value: median(manyTimes), unit: "µs", better: "lower" },
    {
      id: "dme.lookup.ratio",
      value: median(manyTimes.map((time, at) => time / fewTimes[at]!)),
      unit: "ratio",
      reach: REACH,
      better: "lower",
    },
    { id: "dme.lookup.10.allocated", value: bytes.few, unit: "B/lookup", better: "lower" },
    { id: "dme.lookup.100000.allocated", value: bytes.many, unit: "B/lookup", better: "lower" },
    { id: `dme.lookup.alike${ALIKE}.allocated`, value: bytes.alike, unit: "B/lookup", better: "lower" },
    {
      id: "dme.lookup.candidate.allocated",
      value: Math.max(bytes.many - bytes.few, bytes.alike - bytes.few, 0) / ALIKE,
      unit: "B/candidate",
      reach: REACH_BYTES,
      better: "lower",
    },
  ];
}

async function fill(setting: Setting, instances: number, alike = false): Promise<BenchProcess> {
  const process = setting.start("./lookup_process.ts");
  await process.ask("fill", { instances, alike });
  // Until all is compiled.
  await process.ask("time", QUICK_LOOKUPS / 2);
  return process;
}
