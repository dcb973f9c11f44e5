// Each service starts under its own named permission set, and the sets grant no more than a service of the platform needs.
import assert from "node:assert/strict";
import { runToEnd, systemClock, systemProcesses } from "../../shared/runtime/mod.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const SERVICES: Readonly<Record<string, string>> = {
  "master-controller": "tiers/global/master-controller/main.ts",
  controller: "tiers/regional/controller/main.ts",
  dme: "tiers/regional/dme/main.ts",
  crm: "tiers/cloudlet/crm/main.ts",
};

interface PermissionSet {
  readonly net?: unknown;
  readonly read?: unknown;
  readonly write?: unknown;
  readonly run?: unknown;
  readonly ffi?: unknown;
  readonly import?: unknown;
  readonly sys?: unknown;
  readonly all?: unknown;
  readonly env?: { readonly allow: readonly string[]; readonly ignore: unknown };
}

function configured(): { permissions: Record<string, PermissionSet>; tasks: Record<string, string> } {
  return JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
}

async function runUnder(
  set: string,
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await runToEnd(systemProcesses(), {
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-prompt", `--config=${ROOT}deno.json`, `-P=${set}`, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }, { timeoutMs: 120_000, clock: systemClock() });
  return { code: status.code, stdout, stderr };
}

for (const [set, main] of Object.entries(SERVICES)) {
  Deno.test(`${set} answers --help and refuses bad flags under its set`, async () => {
    const help = await runUnder(set, [main, "--help"]);
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    assert.match(help.stdout, new RegExp(`^${set} — `));
    const wrong = await runUnder(set, [main, "--no-such-flag"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, new RegExp(`^${set}: --no-such-flag: unknown option[^\\n]*\\n$`));
  });

  Deno.test(`${set}'s set reaches loopback and its own variables only`, async () => {
    const probe = await Deno.makeTempFile({ suffix: ".ts" });
    const questions: Deno.PermissionDescriptor[] = [
      { name: "net", host: "127.0.0.1:1" },
      { name: "net", host: "192.0.2.1:443" },
      { name: "net" },
      { name: "read", path: "/etc/passwd" },
      { name: "write", path: "/tmp" },
      { name: "run" },
      { name: "run", command: "/bin/sh" },
      { name: "ffi" },
      { name: "import", host: "example.com:443" } as unknown as Deno.PermissionDescriptor,
      { name: "env", variable: "ARCHIPELAGO_STORE" },
      { name: "sys", kind: "networkInterfaces" },
    ];
    await Deno.writeTextFile(
      probe,
      `const ask = (q) => Deno.permissions.querySync(q).state;
       console.log(JSON.stringify([${JSON.stringify(questions)}.map(ask), Deno.env.get("PATH") ?? null]));`,
    );
    const { stdout, stderr } = await runUnder(set, [probe]).finally(() => Deno.remove(probe));
    assert.equal(stderr, "");
    const [states, variable] = JSON.parse(stdout) as [string[], string | null];
    const granted = questions.filter((_, at) => states[at] === "granted");
    assert.deepEqual(granted, [{ name: "net", host: "127.0.0.1:1" }, { name: "env", variable: "ARCHIPELAGO_STORE" }]);
    assert.equal(variable, null, "a variable outside the set is hidden, not fatal");
  });
}

Deno.test("no set of a service grants everything of a kind, and every set that a task names exists", () => {
  const { permissions, tasks } = configured();
  for (const set of Object.keys(SERVICES)) {
    const { net, read, write, run, ffi, import: imports, all, env } = permissions[set] ?? {};
    for (const grant of [net, read, write, run, ffi, imports, all]) assert.notEqual(grant, true, set);
    assert.deepEqual([run, ffi, all], [undefined, undefined, undefined], set);
    assert.deepEqual(env, { allow: ["ARCHIPELAGO_*", "TRACEPARENT"], ignore: true }, set);
  }
  for (const [task, command] of Object.entries(tasks)) {
    for (const [, set] of command.matchAll(/-P=(\S+)/g)) {
      assert.ok(permissions[set!], `task ${task} names the set ${set}`);
    }
  }
});
