import type { BenchResult } from "../mod.ts";
import { buildGoServer, startGoServer } from "./go_server.ts";
import { hasH2load, runH2load, writeBody } from "./h2load.ts";
import type { UnaryLoad } from "./load.ts";
import { cpuMicroseconds } from "./proc.ts";
import { median, type Setting, TRANSPORTS } from "./setting.ts";

/** The load that every server gets. */
const CONNECTIONS = 8;
const IN_FLIGHT = 32;
/** Runs of a server after its warm-up; the figure is their median. */
const RUNS = 5;
const QUICK_RUNS = 1;

type ServerName = "ours" | "grpc-js" | "grpc-go";

/** Calls of one run: enough CPU time that its 10 ms steps do not matter. */
const CALLS: Record<ServerName, number> = { ours: 100_000, "grpc-js": 10_000, "grpc-go": 50_000 };
const QUICK_CALLS: Record<ServerName, number> = { ours: 40_000, "grpc-js": 4_000, "grpc-go": 20_000 };
/** Runs of a server before any is counted, until its code is compiled. */
const WARM_UPS = 2;
const QUICK_WARM_UPS = 1;
/** What we mean to reach: CPU time beside that of grpc-js, by transport, and beside that of grpc-go. */
const REACH = { tls: 0.15, mutual: 0.2 };
const REACH_GO = 0.7;

interface Contender {
  readonly name: ServerName;
  readonly pid: number;
  readonly load: (load: UnaryLoad) => Promise<{ ms: number; failed: number }>;
  readonly end: () => Promise<void>;
  readonly cpu: number[];
  readonly rates: number[];
}

/** Group 1: CPU time a call of 700 bytes each way, and calls a second, beside grpc-js and grpc-go. */
export async function measureUnary(setting: Setting): Promise<BenchResult[]> {
  const { context } = setting;
  const binary = await buildGoServer(context.progress);
  const h2load = await hasH2load();
  if (!h2load) context.progress("h2load is not at hand (Debian: nghttp2-client); our client makes the load");
  const results: BenchResult[] = [];
  for (const { name, mutual } of TRANSPORTS) {
    context.progress(`unary calls over ${mutual ? "mutual TLS" : "TLS"}`);
    // h2load shows no certificate.
    const contenders = await start(setting, mutual, h2load && !mutual, binary);
    try {
      await run(contenders, context.quick);
    } finally {
      for (const { end } of contenders) await end();
    }
    results.push(...figures(name, contenders));
    await setting.endAll();
  }
  return results;
}

async function start(
  setting: Setting,
  mutual: boolean,
  h2load: boolean,
  binary: string | undefined,
): Promise<Contender[]> {
  const body = await writeBody(setting.folder);
  async function contender(
    name: ServerName,
    server: { pid: number; port: number },
    end: () => Promise<void>,
  ): Promise<Contender> {
    const common = { name, pid: server.pid, end, cpu: [], rates: [] };
    if (h2load) return { ...common, load: (load) => runH2load(server.port, body, load) };
    const client = await setting.client(server.port);
    return { ...common, load: (load) => client.ask("unary", load) };
  }
  const contenders: Contender[] = [];
  for (const kind of ["ours", "grpc-js"] as const) {
    const { process, port } = await setting.server({ kind, mutual });
    contenders.push(await contender(kind, { pid: process.pid, port }, () => process.end()));
  }
  if (binary !== undefined) {
    const server = await startGoServer(binary, setting.folder, mutual);
    contenders.push(await contender("grpc-go", server, server.end));
  }
  return contenders;
}

/** Loads the servers in turn, so that what else the machine does falls on all of them. */
async function run(contenders: readonly Contender[], quick: boolean): Promise<void> {
  const warmUps = quick ? QUICK_WARM_UPS : WARM_UPS;
  for (let i = 0; i < warmUps + (quick ? QUICK_RUNS : RUNS); i++) {
    for (const contender of contenders) {
      const calls = (quick ? QUICK_CALLS : CALLS)[contender.name];
      const before = cpuMicroseconds(contender.pid);
      const { ms, failed } = await contender.load({ connections: CONNECTIONS, inFlight: IN_FLIGHT, calls });
      if (failed > 0) throw new Error(`${failed} of ${calls} calls to ${contender.name} failed`);
      if (i < warmUps) continue;
      contender.cpu.push((cpuMicroseconds(contender.pid) - before) / calls);
      contender.rates.push(calls / (ms / 1_000));
    }
  }
}

function figures(transport: "tls" | "mutual", contenders: readonly Contender[]): BenchResult[] {
  const results: BenchResult[] = [];
  const ours = median(contenders[0]!.cpu);
  for (const { name, cpu, rates } of contenders) {
    const id = `rpc.unary.${transport}.${name}`;
    results.push({ id: `${id}.cpu`, value: median(cpu), unit: "µs/call", better: "lower" });
    results.push({ id: `${id}.rate`, value: median(rates), unit: "calls/s", better: "higher" });
  }
  for (const { name, cpu } of contenders.slice(1)) {
    results.push({
      id: `rpc.unary.${transport}.ratio.${name}`,
      value: ours / median(cpu),
      unit: "ratio",
      reach: name === "grpc-go" ? REACH_GO : REACH[transport],
      better: "lower",
    });
  }
  return results;
}
