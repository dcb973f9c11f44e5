import assert from "node:assert/strict";
import { runToEnd, systemClock, systemProcesses } from "./mod.ts";

const processes = systemProcesses();
const limits = { timeoutMs: 30_000, clock: systemClock() };

Deno.test("runToEnd collects both outputs and the exit code", async () => {
  const result = await runToEnd(processes, {
    command: "/bin/sh",
    args: ["-c", 'echo "$GREETING"; echo problem >&2; printf tail; exit 3'],
    env: { GREETING: "hello" },
    clearEnv: true,
  }, limits);
  assert.deepEqual(result, { status: { code: 3, signal: null }, stdout: "hello\ntail\n", stderr: "problem\n" });
});

Deno.test("clearEnv hides this process's variables, and its absence adds to them", async () => {
  const script = { command: "/bin/sh", args: ["-c", 'echo "$HOME|$EXTRA"'] };
  const bare = await runToEnd(processes, { ...script, clearEnv: true, env: {} }, limits);
  assert.equal(bare.stdout, "|\n");
  const added = await runToEnd(processes, { ...script, env: { EXTRA: "x" } }, limits);
  assert.equal(added.stdout, `${Deno.env.get("HOME") ?? ""}|x\n`);
});

Deno.test("runToEnd kills what takes too long", async () => {
  const long = { command: "/bin/sh", args: ["-c", "exec sleep 600"] };
  await assert.rejects(runToEnd(processes, long, { timeoutMs: 50, clock: systemClock() }), /did not end within 50 ms/);
});

Deno.test("a program that is not there is an error at once", () => {
  assert.throws(() => processes.spawn({ command: "/nonexistent/program" }), /Cannot start \/nonexistent\/program/);
});

Deno.test("output to a file is appended to it by the child", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/log`;
  await Deno.writeTextFile(file, "before\n");
  const child = processes.spawn({ command: "/bin/sh", args: ["-c", "echo out; echo err >&2"], output: { file } });
  assert.deepEqual(await child.exited, { code: 0, signal: null });
  assert.equal(await Deno.readTextFile(file), "before\nout\nerr\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("kill ends a process and is no error afterwards; stdin is a pipe on demand", async () => {
  const child = processes.spawn({ command: "/bin/cat", stdin: "pipe", output: "lines" });
  await child.writeStdin("one\ntwo\n");
  const seen: string[] = [];
  for await (const line of child.lines) {
    seen.push(line.text);
    if (seen.length === 2) child.kill("SIGKILL");
  }
  assert.deepEqual(seen, ["one", "two"]);
  assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
  child.kill();
});

const narrow = { permissions: { run: ["/bin/sh"], env: true, read: true } } as const;
for (const rights of [{}, narrow]) {
  const name = "a child that catches a signal keeps its own exit code, and one that ignores it can be killed";
  Deno.test(rights === narrow ? `${name}, also without the right to run anything` : name, rights, async () => {
    for (const reaction of ["exit 7", ":"]) {
      const script = `trap 'echo caught; ${reaction}' TERM; echo ready; while :; do sleep 0.02; done`;
      const child = processes.spawn({
        command: "/bin/sh",
        args: ["-c", script],
        output: "lines",
        env: {},
        clearEnv: true,
      });
      for await (const { text } of child.lines) {
        if (text === "ready") child.kill("SIGTERM");
        if (text === "caught" && reaction === ":") child.kill("SIGKILL");
      }
      assert.deepEqual(
        await child.exited,
        reaction === ":" ? { code: null, signal: "SIGKILL" } : { code: 7, signal: null },
      );
    }
  });
}

Deno.test("killGroup reaches the children of a detached child", async () => {
  const child = processes.spawn({
    command: "/bin/sh",
    args: ["-c", "sleep 600 & echo $!; wait"],
    detached: true,
    output: "lines",
  });
  const first = await child.lines[Symbol.asyncIterator]().next();
  child.killGroup("SIGKILL");
  await child.exited;
  const grandchild = Number(first.value?.text);
  const deadline = Date.now() + 30_000;
  while (await isAlive(grandchild) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await isAlive(grandchild), false);
});

/** A zombie that nobody has reaped yet counts as ended. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+Z/m.test(await Deno.readTextFile(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
