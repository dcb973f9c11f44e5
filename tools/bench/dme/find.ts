import type { BenchResult } from "../mod.ts";
import type { BenchProcess } from "../rpc/process.ts";
import { cpuMicroseconds } from "../rpc/proc.ts";
import { median } from "../rpc/setting.ts";
import type { FindLoad, FindOutcome } from "./load.ts";
import type { Scene, Setting } from "./setting.ts";

/** Instances of the main app, and the share of an empty handler's speed that we mean to reach by REST. */
const SIZES = [{ instances: 10_000, reach: 0.6 }, { instances: 100_000, reach: 0.5 }] as const;
/** What we mean to reach by gRPC: beside an empty handler on our server, and on grpc-js. */
const REACH_GRPC = 0.5;
const REACH_GRPC_JS = 4;

/** Runs of each after the warm-ups; the figure is their median. */
const RUNS = 5;
const QUICK_RUNS = 1;
const WARM_UPS = 1;
const QUICK_WARM_UPS = 1;
const CALLS = 12_000;
const QUICK_CALLS = 4_000;
/** grpc-js is so much slower that fewer do. */
const GRPC_JS_SHARE = 0.25;

interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly load: FindLoad;
  readonly cpu: number[];
  readonly rates: number[];
  readonly p99: number[];
}

/** Groups 1 and 2: FindCloudlet by REST and by gRPC, beside handlers that do nothing. */
export async function measureFind(setting: Setting): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  // The short run has time for one size.
  for (const { instances, reach } of setting.context.quick ? SIZES.slice(0, 1) : SIZES) {
    setting.context.progress(`FindCloudlet with ${instances} instances of one app`);
    const scene = await setting.scene(instances);
    const contenders = await contend(setting, scene);
    await run(setting, scene.load, contenders);
    results.push(
      { id: `dme.${instances}.ready`, value: scene.readySeconds, unit: "s", better: "lower" },
      ...figures(`dme.${instances}`, contenders, reach),
    );
    await setting.endAll();
  }
  return results;
}

async function contend(setting: Setting, scene: Scene): Promise<Contender[]> {
  const calls = setting.context.quick ? QUICK_CALLS : CALLS;
  const { json, message } = await scene.load.ask<{ json: unknown; message: string }>("reply");
  const floor = async (kind: string, reply: unknown) => {
    const process = setting.start("./floor_process.ts", scene.certificates);
    return { pid: process.pid, port: await process.ask<number>(kind, reply) };
  };
  const contender = (name: string, pid: number, load: Partial<FindLoad> & Pick<FindLoad, "face" | "port">) => ({
    ...{ name, pid, load: { check: false, calls, ...load } },
    ...{ cpu: [], rates: [], p99: [] },
  });
  const [rest, grpc, grpcJs] = [
    await floor("rest", json),
    await floor("grpc", message),
    await floor("grpcJs", message),
  ];
  return [
    contender("rest", scene.pid, { face: "rest", port: scene.rest, check: true }),
    contender("rest.json", rest.pid, { face: "rest", port: rest.port }),
    contender("rest.unread", rest.pid, { face: "rest", port: rest.port, path: "/unread" }),
    contender("grpc", scene.pid, { face: "grpc", port: scene.grpc, check: true }),
    contender("grpc.empty", grpc.pid, { face: "grpc", port: grpc.port }),
    contender("grpc.grpcjs", grpcJs.pid, { face: "grpc", port: grpcJs.port, calls: calls * GRPC_JS_SHARE }),
  ];
}

/** Loads all in turn, so that what else the machine does falls on all of them. */
async function run({ context }: Setting, load: BenchProcess, contenders: readonly Contender[]): Promise<void> {
  const warmUps = context.quick ? QUICK_WARM_UPS : WARM_UPS;
  for (let i = 0; i < warmUps + (context.quick ? QUICK_RUNS : RUNS); i++) {
    for (const contender of contenders) {
      const before = cpuMicroseconds(contender.pid);
      const { ms, failed, wrong, why, p99Ms } = await load.ask<FindOutcome>("find", contender.load);
      if (failed + wrong > 0) throw new Error(`${contender.name}: ${failed} calls failed, ${wrong} were wrong: ${why}`);
      if (i < warmUps) continue;
      contender.cpu.push((cpuMicroseconds(contender.pid) - before) / contender.load.calls);
      contender.rates.push(contender.load.calls / (ms / 1_000));
      contender.p99.push(p99Ms);
    }
  }
}

function figures(prefix: string, contenders: readonly Contender[], reach: number): BenchResult[] {
  const results: BenchResult[] = [];
  for (const { name, cpu, rates, p99 } of contenders) {
    results.push(
      { id: `${prefix}.${name}.cpu`, value: median(cpu), unit: "µs/call", better: "lower" },
      { id: `${prefix}.${name}.rate`, value: median(rates), unit: "calls/s", better: "higher" },
      { id: `${prefix}.${name}.p99`, value: median(p99), unit: "ms", better: "lower" },
    );
  }
  const of = (name: string) => contenders.find((contender) => contender.name === name)!;
  /** Both ways to compare: the work that a call takes, and what is answered on a machine that the load shares. */
  function ratio(name: string, floor: string, reach?: number): void {
    const ratios = { cpu: [of(floor).cpu, of(name).cpu], rate: [of(name).rates, of(floor).rates] } as const;
    for (const [kind, [above, below]] of Object.entries(ratios)) {
      const value = median(above.map((value, at) => value / below[at]!));
      results.push({ id: `${prefix}.ratio.${floor}.${kind}`, value, unit: "ratio", reach, better: "higher" });
    }
  }
  ratio("rest", "rest.json", reach);
  ratio("rest", "rest.unread");
  ratio("grpc", "grpc.empty", REACH_GRPC);
  ratio("grpc", "grpc.grpcjs", REACH_GRPC_JS);
  return results;
}
