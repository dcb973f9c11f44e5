/**
 * The one harness of all `bench:*` tasks: flags, table, machine facts and the JSON line that scripts read.
 * @module
 */
export { type Bench, type BenchContext, type BenchResult, judge, runBench } from "./harness.ts";
export { type MachineFacts, machineFacts } from "./machine.ts";
export { renderTable } from "./table.ts";
