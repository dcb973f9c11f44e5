import assert from "node:assert/strict";
import { type Bench, judge, renderTable, runBench } from "./mod.ts";

const bench: Bench = {
  name: "sample",
  description: "A sample.",
  run: (context) =>
    Promise.resolve([
      { id: "time", value: context.quick ? 1.5 : 3, unit: "s", reach: 2, better: "lower" },
      { id: "rate", value: 0.25, unit: "ratio", better: "higher" },
    ]),
};

async function capture(args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const log = console.log;
  const error = console.error;
  console.log = console.error = (text: string) => void lines.push(...text.split("\n"));
  try {
    return { code: await runBench(bench, args), lines };
  } finally {
    console.log = log;
    console.error = error;
  }
}

Deno.test("judge compares in the direction that is better, and only where there is a mark", () => {
  assert.equal(judge({ id: "a", value: 2, unit: "s", reach: 2, better: "lower" }), true);
  assert.equal(judge({ id: "a", value: 2.1, unit: "s", reach: 2, better: "lower" }), false);
  assert.equal(judge({ id: "a", value: 0.6, unit: "ratio", reach: 0.5, better: "higher" }), true);
  assert.equal(judge({ id: "a", value: 0.4, unit: "ratio", better: "higher" }), undefined);
});

Deno.test("runBench prints a table, and with --json one last line for scripts", async () => {
  const { code, lines } = await capture(["--json", "--quick"]);
  assert.equal(code, 0);
  assert.match(lines[1]!, /^time\s+1\.5\s+s\s+≤ 2\.0\s+met$/);
  const report = JSON.parse(lines.at(-1)!);
  assert.equal(report.bench, "sample");
  assert.equal(report.machine.runtime, `deno ${Deno.version.deno}`);
  assert.deepEqual(report.results[0], { id: "time", value: 1.5, unit: "s", reach: 2, better: "lower", met: true });
  assert.equal("met" in report.results[1], false);
});

Deno.test("runBench refuses unknown flags and explains itself", async () => {
  assert.equal((await capture(["--fast"])).code, 2);
  const help = await capture(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.lines.join("\n"), /bench:sample.*A sample/s);
});

Deno.test("renderTable aligns columns", () => {
  assert.equal(renderTable(["a", "bb"], [["xyz", "1"], ["x", "22"]], [1]), "a    bb\nxyz   1\nx    22");
});
