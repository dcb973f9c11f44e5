import { parseArgs } from "node:util";
import { type MachineFacts, machineFacts } from "./machine.ts";
import { renderTable } from "./table.ts";

/** One figure of a benchmark. */
export interface BenchResult {
  /** Name that stays the same from run to run, e.g. "start.ready". */
  id: string;
  /** The figure, in `unit`. */
  value: number;
  /** Unit of the figure, e.g. "s", "MiB" or "ratio". */
  unit: string;
  /** What we mean to reach; left out where the figure is only context. */
  reach?: number;
  /** Whether a higher or a lower figure is the better one. */
  better: "higher" | "lower";
}

/** What a benchmark is given. */
export interface BenchContext {
  /** The short form was asked for: under a minute, coarser figures. */
  quick: boolean;
  /** Says what is going on, on standard error. */
  progress(text: string): void;
}

/** A benchmark: a name, what it measures, and how. */
export interface Bench {
  /** Name as in `deno task bench:<name>`. */
  name: string;
  /** One or two sentences for `--help`. */
  description: string;
  /** Measures, floors included, in one run. */
  run(context: BenchContext): Promise<BenchResult[]>;
}

/** Whether the figure reaches what was meant; undefined for figures without a mark. */
export function judge(result: BenchResult): boolean | undefined {
  if (result.reach === undefined) return undefined;
  return result.better === "higher" ? result.value >= result.reach : result.value <= result.reach;
}

/**
 * Runs a benchmark as a command: `--quick`, `--json` (one last line for scripts), `--help`.
 * @returns The exit code: 0 when it ran, whatever the figures; 2 for unusable flags.
 */
export async function runBench(bench: Bench, args: readonly string[]): Promise<number> {
  const flags = readFlags(bench, args);
  if (typeof flags === "number") return flags;
  const results = await bench.run({ quick: flags.quick, progress: (text) => console.error(text) });
  console.log(table(results));
  if (flags.json) console.log(JSON.stringify(report(bench.name, machineFacts(), results)));
  return 0;
}

function readFlags(bench: Bench, args: readonly string[]): { quick: boolean; json: boolean } | number {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { quick: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      console.log(`deno task bench:${bench.name} [--quick] [--json]\n\n${bench.description}\n
  --quick  a short run of under a minute
  --json   one last line of JSON for scripts`);
      return 0;
    }
    return { quick: values.quick ?? false, json: values.json ?? false };
  } catch (error) {
    console.error(`bench:${bench.name}: ${(error as Error).message}`);
    return 2;
  }
}

function report(name: string, machine: MachineFacts, results: readonly BenchResult[]): unknown {
  return { bench: name, machine, results: results.map((result) => ({ ...result, met: judge(result) })) };
}

function table(results: readonly BenchResult[]): string {
  const rows = results.map((result) => [
    result.id,
    format(result.value),
    result.unit,
    result.reach === undefined ? "" : `${result.better === "lower" ? "≤" : "≥"} ${format(result.reach)}`,
    { true: "met", false: "missed", undefined: "" }[String(judge(result))]!,
  ]);
  return renderTable(["figure", "value", "unit", "reach", ""], rows, [1]);
}

function format(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3;
  return value.toFixed(digits);
}
