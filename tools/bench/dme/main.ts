// `deno task bench:dme`: a matching engine under the load of a simulated day of devices, on loopback.
import { type Bench, type BenchContext, type BenchResult, runBench } from "../mod.ts";
import { measureChurn } from "./churn.ts";
import { measureFind } from "./find.ts";
import { measureLookup } from "./lookup.ts";
import { createSetting } from "./setting.ts";
import { measureStorm } from "./storm.ts";
import { measureStreams } from "./streams.ts";

const GROUPS = {
  find: measureFind,
  lookup: measureLookup,
  storm: measureStorm,
  streams: measureStreams,
  churn: measureChurn,
};

/** Groups to measure, separated by commas; all unless set. */
const ONLY = "ARCHIPELAGO_BENCH_DME";

async function measure(context: BenchContext): Promise<BenchResult[]> {
  const only = Deno.env.get(ONLY)?.split(",");
  const setting = createSetting(context, only !== undefined);
  const results: BenchResult[] = [];
  try {
    for (const [name, group] of Object.entries(GROUPS)) {
      if (only === undefined || only.includes(name)) results.push(...await group(setting));
    }
    return results;
  } finally {
    await setting.endAll();
  }
}

const bench: Bench = {
  name: "dme",
  description:
    "A matching engine under its permission set, fed over notify with mutual TLS, and devices of a simulated day in a\n" +
    "process of their own: FindCloudlet by REST and gRPC beside handlers that do nothing, the lookup alone, a storm of\n" +
    "changes, event streams, devices that come and go (Linux only: CPU time and memory are read from /proc).\n" +
    `${ONLY}=${Object.keys(GROUPS).join(",")} measures some of that alone.`,
  run: measure,
};

if (import.meta.main) Deno.exit(await runBench(bench, Deno.args));
