// `deno task bench:start`: time from `up --demo` to ready, and the resident memory of each idle service afterwards.
import type { Bench, BenchContext, BenchResult } from "./mod.ts";
import { runBench } from "./mod.ts";
import { freePortBase } from "../up/ports.ts";

const READY_REACH_S = 15;
const SERVICE_REACH_MIB = 130;
const CRM_REACH_MIB = 100;
/** Time that garbage collection and start-up work get before memory is read. */
const IDLE_MS = 15_000;
const IDLE_QUICK_MS = 3_000;
const START_LIMIT_MS = 120_000;

interface UpInfo {
  services: { name: string; type: string; pid: number }[];
}

async function measure(context: BenchContext): Promise<BenchResult[]> {
  const folder = await Deno.makeTempDir({ prefix: "archipelago-bench-" });
  context.progress(`starting the demo in ${folder}`);
  const started = performance.now();
  const up = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "up", "--demo", "--data", `${folder}/data`, "--port-base", String(freePortBase())],
    stdout: "null",
    stderr: "inherit",
    stdin: "null",
  }).spawn();
  let ended = false;
  up.status.then(() => ended = true);
  try {
    const info = await whenReady(`${folder}/data/up.json`, up);
    const readySeconds = (performance.now() - started) / 1_000;
    context.progress(`ready after ${readySeconds.toFixed(1)} s; letting ${info.services.length} services settle`);
    await new Promise((resolve) => setTimeout(resolve, context.quick ? IDLE_QUICK_MS : IDLE_MS));
    return [
      { id: "start.ready", value: readySeconds, unit: "s", reach: READY_REACH_S, better: "lower" },
      ...memory(info),
    ];
  } finally {
    if (!ended) up.kill("SIGTERM");
    await up.status;
    await Deno.remove(folder, { recursive: true });
  }
}

async function whenReady(path: string, up: Deno.ChildProcess): Promise<UpInfo> {
  const ended = up.status.then((status) => {
    throw new Error(`\`up\` ended with ${status.code} before it was ready; run it by itself to see why`);
  });
  ended.catch(() => {});
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    const text = await Promise.race([Deno.readTextFile(path).catch(() => undefined), ended]);
    if (text !== undefined) return JSON.parse(text) as UpInfo;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`\`up\` was not ready within ${START_LIMIT_MS / 1_000} s`);
}

function memory(info: UpInfo): BenchResult[] {
  const largest = new Map<string, number>();
  for (const service of info.services) {
    largest.set(service.type, Math.max(largest.get(service.type) ?? 0, residentMib(service.pid)));
  }
  return [...largest].map(([type, value]) => ({
    id: `start.rss.${type}`,
    value,
    unit: "MiB",
    reach: type === "crm" ? CRM_REACH_MIB : SERVICE_REACH_MIB,
    better: "lower" as const,
  }));
}

function residentMib(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`no VmRSS in /proc/${pid}/status`);
  return Number(kib) / 1_024;
}

const bench: Bench = {
  name: "start",
  description: "Time from `up --demo` to ready, and the resident memory of each service when idle afterwards\n" +
    "(the largest process of each type; Linux only, read from /proc).",
  run: measure,
};

if (import.meta.main) Deno.exit(await runBench(bench, Deno.args));
