import assert from "node:assert/strict";
import { type RunningProcess, runToEnd, systemClock, systemProcesses } from "../runtime/mod.ts";

const program = new URL("testdata/example_service.ts", import.meta.url).pathname;
const config = new URL("../../deno.json", import.meta.url).pathname;
const spawnOptions = (args: string[]) => ({
  command: Deno.execPath(),
  args: [
    "run",
    "--quiet",
    "--no-prompt",
    "--config",
    config,
    "--allow-net=127.0.0.1",
    "--ignore-env",
    program,
    ...args,
  ],
});
const limits = { timeoutMs: 60_000, clock: systemClock() };
const run = (...args: string[]) => runToEnd(systemProcesses(), spawnOptions(args), limits);

/** Starts the example, waits until it is ready, lets `act` end it, and gives its exit code and messages. */
async function started(args: string[], act: (child: RunningProcess) => void | Promise<void>, on = "ready") {
  const child = systemProcesses().spawn({ ...spawnOptions(args), output: "lines", stdin: "pipe" });
  const messages: string[] = [];
  let acting: Promise<void> | undefined;
  for await (const { text } of child.lines) {
    const { message } = JSON.parse(text);
    messages.push(message);
    // Not awaited: the child's output must go on being read meanwhile.
    if (message === on) acting = Promise.resolve(act(child));
  }
  await acting;
  return { code: (await child.exited).code, messages };
}

Deno.test("SIGTERM and SIGINT drain the process, which then ends well", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { code, messages } = await started([], (child) => child.kill(signal));
    assert.deepEqual([code, messages], [0, ["ready", "draining", "closed everything", "ended"]]);
  }
});

Deno.test("SIGTERM also ends a start that hangs, and what it opened is closed", async () => {
  const { code, messages } = await started(["--fault=slow"], (child) => child.kill(), "waiting for something");
  assert.deepEqual([code, messages], [0, ["waiting for something", "closed everything"]]);
});

Deno.test("with --watch-parent the process ends when its standard input closes", async () => {
  const { code, messages } = await started(["--watch-parent"], (child) => child.closeStdin());
  assert.deepEqual([code, messages.at(-1)], [0, "ended"]);
});

Deno.test("a second signal ends a process whose drain hangs", async () => {
  const { code } = await started(["--fault=stuck", "--grace=1h"], async (child) => {
    child.kill();
    // Until the process is gone: the first of these may be merged with the one before.
    const again = setInterval(() => child.kill(), 50);
    await child.exited;
    clearInterval(again);
  });
  assert.equal(code, 130);
});

Deno.test("what keeps the process from starting is one line, and the exit code says whose fault it is", async () => {
  const failed = await run("--fault=start");
  assert.deepEqual([failed.status.code, failed.stderr.split("\n").filter((line) => !line.includes("closed"))], [
    1,
    ["example: Cannot reach the database: refused", ""],
  ]);
  const misconfigured = await run("--fualt=start", "--grace=soon");
  assert.equal(misconfigured.status.code, 2);
  assert.equal(
    misconfigured.stderr,
    "example: --fualt: unknown option; did you mean --fault?; " +
      '--grace "soon": must be a duration such as 250ms, 10s, 5m or 1h30m\n',
  );
});

Deno.test("a fault after the start drains the process and ends it as failed", async () => {
  for (const [fault, why] of [["later", "the lease was lost"], ["rejection", "A fault that nobody handled: oops"]]) {
    const { status, stderr } = await run(`--fault=${fault}`);
    const lines = stderr.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(status.code, 1);
    assert.ok(lines.some((line) => line.message === why && line.level === "error"), stderr);
    assert.deepEqual(lines.slice(-2).map((line) => line.message), ["closed everything", "ended"]);
  }
});

Deno.test("--help, --version and --print-config answer and end", async () => {
  const help = await run("--help");
  assert.match(help.stdout, /example — A service for the tests[\s\S]*--fault none\|start/);
  assert.equal((await run("--version")).stdout, "example 1.2.3\n");
  const printed = await run("--print-config", "--password=hunter2", "--grace=3s");
  assert.match(printed.stdout, /^grace: "3s"$/m);
  assert.match(printed.stdout, /^password: "\*\*\*"$/m);
  assert.equal(printed.status.code, 0);
});
