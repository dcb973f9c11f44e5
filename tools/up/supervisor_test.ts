import assert from "node:assert/strict";
import { type Processes, systemClock, systemProcesses } from "../../shared/runtime/mod.ts";
import { memoryLogger } from "../../shared/telemetry/mod.ts";
import { supervise } from "./supervisor.ts";

async function withService(
  script: string,
  work: (service: ReturnType<typeof supervise>, seen: { said: string[]; spawned: number[] }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const seen = { said: [] as string[], spawned: [] as number[] };
  const inner = systemProcesses();
  const processes: Processes = {
    spawn(options) {
      const child = inner.spawn(options);
      seen.spawned.push(child.pid);
      return child;
    },
  };
  const args = ["-c", script];
  const service = supervise({ name: "example", type: "example", permissionSet: "", log: `${folder}/log`, args }, {
    processes,
    clock: systemClock(),
    log: memoryLogger().log,
    say: (text) => void seen.said.push(text),
    runtime: "/bin/sh",
    env: { PATH: "/usr/bin:/bin" },
    graceMs: 10_000,
    changed: () => {},
  });
  await work(service, seen).finally(() => Deno.remove(folder, { recursive: true }));
}

const READY = `echo '{"message":"ready","pid":'$$',"admin":"http://127.0.0.1:1","addresses":{"grpc":"127.0.0.1:2"}}'`;

Deno.test("a service that is stopped before it was started never starts, and has no process id until then", () =>
  withService("sleep 600", async (service, { spawned }) => {
    assert.equal(service.pid, 0);
    await service.stop();
    assert.deepEqual(spawned, []);
    await assert.rejects(service.ready, /was stopped/);
  }));

Deno.test("a service that dies is started again and said so; stopping it leaves no process", () =>
  withService(`${READY}; exec sleep 600`, async (service, { said, spawned }) => {
    await service.ready;
    assert.deepEqual({ ...service.urls }, { admin: "http://127.0.0.1:1", grpc: "127.0.0.1:2" });
    const first = service.pid;
    Deno.kill(first, "SIGKILL");
    const deadline = Date.now() + 30_000;
    while (spawned.length < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual([spawned.length, spawned[0]], [2, first]);
    assert.match(said[0]!, /example ended \(SIGKILL\); starting it again/);
    await service.stop();
    for (const pid of spawned) assert.throws(() => Deno.readTextFileSync(`/proc/${pid}/cmdline`));
  }));

Deno.test("a service that never gets ready fails with its last words", () =>
  withService("echo 'example: port taken' >&2; exit 3", async (service) => {
    await assert.rejects(service.ready, /example ended with code 3: .*port taken/);
    await service.stop();
  }));
