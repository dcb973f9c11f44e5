// `deno task bench:rpc`: gRPC of ours on HTTP/2 of ours, beside grpc-js, grpc-go and bare sockets, on loopback.
import { type Bench, type BenchContext, type BenchResult, runBench } from "../mod.ts";
import { measureChurn } from "./churn.ts";
import { measureMany } from "./many.ts";
import { createSetting } from "./setting.ts";
import { measureStalled } from "./stalled.ts";
import { measureStream } from "./stream.ts";
import { measureUnary } from "./unary.ts";

const GROUPS = [measureUnary, measureStream, measureMany, measureChurn, measureStalled];

async function measure(context: BenchContext): Promise<BenchResult[]> {
  const setting = await createSetting(context);
  const results: BenchResult[] = [];
  try {
    for (const group of GROUPS) results.push(...await group(setting));
    return results;
  } finally {
    await setting.endAll();
    await Deno.remove(setting.folder, { recursive: true });
  }
}

const bench: Bench = {
  name: "rpc",
  description:
    "gRPC over TLS and mutual TLS on loopback, servers and load in processes of their own: unary calls beside grpc-js\n" +
    "and, where Go is at hand, grpc-go; one stream and many streams beside bare TLS sockets; memory of streams, of\n" +
    "connections that are gone and of readers that stall (Linux only: CPU time and memory are read from /proc).",
  run: measure,
};

if (import.meta.main) Deno.exit(await runBench(bench, Deno.args));
