import assert from "node:assert/strict";
import { EXEC_FLOW, EXEC_REPORT, EXEC_START, PIECE_BYTES } from "../../../../shared/exec/mod.ts";
import { createNotifyClient, roundRobin } from "../../../../shared/notify/mod.ts";
import {
  type AppOps,
  type CloudletPlatform,
  type OperationContext,
  PlatformError,
} from "../../../../shared/platform/mod.ts";
import { until } from "../../../../shared/platform/testing/mod.ts";
import { systemClock } from "../../../../shared/runtime/mod.ts";
import {
  CloudletKind,
  type DeepPartial,
  ExecFlow,
  ExecReport,
  type ExecRequest,
  ExecStart,
} from "../../../../shared/schema/mod.ts";
import { nullLogger } from "../../../../shared/telemetry/mod.ts";
import { cloudletKey, instanceKey, keyString, Region } from "../testing/region.ts";
import { ExecDesk } from "./desk.ts";

/** A controller that asks, and a desk at a site whose platform gives what a test says. */
interface World {
  readonly desk: ExecDesk;
  readonly reports: ExecReport[];
  readonly client: ReturnType<typeof createNotifyClient>;
  start(granted: number, request: DeepPartial<ExecRequest>, id?: string): void;
  flow(flow: Partial<ExecFlow>, id?: string): void;
}

function deskTest(
  name: string,
  apps: Pick<AppOps, "exec" | "logs">,
  body: (world: World) => Promise<void>,
): void {
  Deno.test({
    name: `exec: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const region = new Region();
      await region.start();
      const cloudlet = CloudletKind.keyString(cloudletKey);
      const client = createNotifyClient({
        service: "crm",
        region: "local",
        cloudlet,
        wants: [CloudletKind.kind],
        connect: roundRobin([region.address], () => ({})),
        backoff: { initialMs: 20, maxMs: 100 },
      });
      const reports: ExecReport[] = [];
      region.hub.onMessage(EXEC_REPORT, (value) => void reports.push(ExecReport.decode(value)));
      region.hub.markReady();
      const desk = new ExecDesk({
        client,
        clock: systemClock(),
        log: nullLogger(),
        platform: () => ({ apps, meta: { type: "test" } }) as unknown as CloudletPlatform,
        ref: (key) => key === keyString(1) ? { key, id: "app-1" } : undefined,
      });
      client.start();
      await client.whenInStep();
      const to = { service: "crm", cloudlet };
      try {
        await body({
          desk,
          reports,
          client,
          start(granted, request, correlation = "one") {
            const whole = { appInstKey: instanceKey(1), ...request };
            const start = ExecStart.create({ request: whole, granted });
            assert.equal(region.hub.send(EXEC_START, ExecStart.encode(start), to, { correlation }), 1);
          },
          flow(flow, correlation = "one") {
            region.hub.send(EXEC_FLOW, ExecFlow.encode(ExecFlow.create(flow)), to, { correlation });
          },
        });
      } finally {
        await client.stop();
        await until("every source is stopped", () => desk.active === 0);
        await region.close();
      }
    },
  });
}

/** An endless source, which knows how much was taken of it and whether it was told to end. */
function endless() {
  const state = { taken: 0, aborted: false, ended: false };
  const logs = async function* (_ref: unknown, _options: unknown, { signal }: OperationContext) {
    signal.addEventListener("abort", () => state.aborted = true);
    try {
      while (true) {
        signal.throwIfAborted();
        state.taken += 1000;
        yield { data: new Uint8Array(1000).fill(65), source: "stdout" as const };
      }
    } finally {
      state.ended = true;
    }
  };
  return { state, logs };
}

const sum = (reports: readonly ExecReport[]) => reports.reduce((sum, { output }) => sum + output!.data.length, 0);

{
  const { state, logs } = endless();
  deskTest("the source is held up when the reader has no room, goes on, and is stopped", { logs }, async (world) => {
    const { reports, flow, start } = world;
    start(10_000, { log: { follow: true } });
    await until("the window is full", () => sum(reports) === 10_000);
    // One piece waits for room, and no more are asked for.
    flow({ granted: 10_000 });
    flow({ granted: 5_000 });
    start(10_000, {}, "second");
    await until("the second one is full as well", () => sum(reports) === 20_000);
    assert.ok(state.taken <= 22_000, `${state.taken} bytes were taken`);
    flow({ granted: 40_000 });
    await until("it goes on", () => sum(reports) === 50_000);
    assert.ok(reports.every(({ output }) => output!.data.length <= PIECE_BYTES));
    flow({ stop: true });
    flow({ stop: true }, "second");
    await until("both are stopped", () => world.desk.active === 0);
    assert.ok(state.aborted && state.ended);
    assert.match(reports.at(-1)!.err, /Nobody wants/);
  });
}

{
  const { state, logs } = endless();
  deskTest("a lost connection stops the source", { logs }, async ({ reports, start, client, desk }) => {
    start(10_000, {});
    await until("the window is full", () => sum(reports) === 10_000);
    await client.stop();
    await until("it is stopped", () => desk.active === 0);
    assert.ok(state.ended);
  });
}

deskTest("a command tells its output, its errors and its exit code", {
  async *exec(_ref, { words }) {
    yield { data: new TextEncoder().encode(words.join("|")), source: "stdout" };
    yield { data: new TextEncoder().encode("oh"), source: "stderr" };
    return { exitCode: 7 };
  },
}, async ({ reports, start }) => {
  start(10_000, { cmd: { command: `ls "a b" && rm` } });
  await until("it has ended", () => reports.at(-1)?.output?.ended === true);
  const [begun, out, err, end] = reports.map(({ output }) => output!);
  assert.equal(begun!.data.length, 0);
  assert.equal(new TextDecoder().decode(out!.data), "ls|a b|&&|rm");
  assert.deepEqual([new TextDecoder().decode(err!.data), err!.source], ["oh", 1]);
  assert.equal(end!.exitCode, 7);
});

deskTest("what cannot be given is told with the reason", {
  exec() {
    throw new PlatformError("Invalid", "there is no shell here");
  },
}, async ({ reports, start, flow }) => {
  const said = async (reason: RegExp) => {
    await until(String(reason), () => reason.test(reports.at(-1)?.err ?? ""));
  };
  start(1, { cmd: { command: "ls" } }, "a");
  await said(/no shell here/);
  start(1, { log: {} }, "b");
  await said(/Platform test keeps no logs/);
  start(1, { appInstKey: instanceKey(2), log: {} }, "c");
  await said(/not on this site/);
  flow({ granted: 1 }, "forgotten");
  await said(/knows nothing of this request/);
});
