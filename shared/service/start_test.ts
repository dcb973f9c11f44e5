import assert from "node:assert/strict";
import { environmentOf, systemClock } from "../runtime/mod.ts";
import type { LogRecord } from "../telemetry/mod.ts";
import { defineOptions, type ServiceDefinition, startService } from "./mod.ts";

const options = defineOptions({ greeting: { kind: "string", default: "hi", description: "What to say." } });
const env = environmentOf({});

function capture() {
  const records: LogRecord[] = [];
  return { records, sink: (line: string) => void records.push(JSON.parse(line)) };
}

function define(start: ServiceDefinition<typeof options>["start"]): ServiceDefinition<typeof options> {
  return { name: "example", description: "An example.", options, start };
}

Deno.test("a service starts, says that it is ready with its addresses, and drains in reverse order", async () => {
  const { records, sink } = capture();
  const order: string[] = [];
  const running = await startService(
    define((ctx) => {
      assert.equal(ctx.config.greeting, "hello");
      ctx.announce("api", "127.0.0.1:1");
      ctx.onClose("first", () => void order.push("first"));
      ctx.onClose("second", async () => {
        await ctx.clock.sleep(1);
        order.push(`second ${ctx.draining.aborted}`);
      });
    }),
    { args: ["--greeting=hello"], env, sink },
  );
  await running.ready;
  const ready = records.find((record) => record.message === "ready");
  assert.deepEqual([ready?.service, ready?.addresses, ready?.admin], [
    "example",
    { api: "127.0.0.1:1" },
    running.adminUrl,
  ]);
  await Promise.all([running.stop(), running.stop()]);
  assert.deepEqual(order, ["second true", "first"]);
  await assert.rejects(fetch(running.adminUrl));
});

Deno.test("the admin server tells health, the word of each check, and metrics", async () => {
  let fault: string | undefined = "no database";
  const running = await startService(
    define((ctx) => {
      ctx.onReadyCheck("database", () => fault);
      ctx.onReadyCheck("thrower", () => {
        if (fault) throw new Error("refused by postgres://a:hunter2@h/");
      });
      ctx.metrics.counter({ name: "things", help: "Things." }).add(4);
      ctx.adminRoute("/debug/x", () => new Response("x"));
    }),
    { env, sink: () => {} },
  );
  const get = async (path: string) => {
    const response = await fetch(running.adminUrl + path);
    return [response.status, await response.text()] as const;
  };
  assert.equal((await get("/healthz"))[0], 200);
  const [status, body] = await get("/readyz");
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(body), {
    ready: false,
    checks: { database: "no database", thrower: "refused by postgres://a:***@h/" },
  });
  fault = undefined;
  await running.ready;
  assert.deepEqual(JSON.parse((await get("/readyz"))[1]), { ready: true, checks: { database: "ok", thrower: "ok" } });
  const metrics = (await get("/metrics"))[1];
  assert.match(metrics, /^things_total 4$/m);
  assert.match(metrics, /^process_resident_memory_bytes \d{7,}$/m);
  assert.equal((await get("/debug/x"))[1], "x");
  assert.equal((await get("/other"))[0], 404);
  await running.stop();
});

Deno.test("a start that fails closes what it had opened and passes the error on", async () => {
  const closed: string[] = [];
  const starting = startService(
    define((ctx) => {
      ctx.onClose("opened", () => void closed.push("opened"));
      throw new Error("port taken");
    }),
    { env, sink: () => {} },
  );
  await assert.rejects(starting, /port taken/);
  assert.deepEqual(closed, ["opened"]);
});

Deno.test("a drain that hangs is cut after the grace time, named, and the other steps still run", async () => {
  const { records, sink } = capture();
  const closed: string[] = [];
  const running = await startService(
    define((ctx) => {
      ctx.onClose("outer", () => void closed.push("outer"));
      ctx.onClose("stuck", () => new Promise(() => {}));
      ctx.onClose("broken", () => {
        throw new Error("cannot close");
      });
    }),
    { args: ["--grace=50ms"], env, sink, clock: systemClock() },
  );
  await running.stop();
  assert.deepEqual(closed, ["outer"]);
  const warnings = records.filter((record) => record.level === "warn").map((
    record,
  ) => [record.message, record.closing]);
  assert.deepEqual(warnings, [
    ["closing broken failed", undefined],
    ["the grace time is over, what still runs is cut", "stuck"],
  ]);
});

Deno.test("the trace of TRACEPARENT goes on in the start", async () => {
  const { records, sink } = capture();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const running = await startService(define((ctx) => ctx.log.info("starting")), {
    env: environmentOf({ TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01` }),
    sink,
  });
  assert.equal(records.find((record) => record.message === "starting")?.trace_id, traceId);
  await running.stop();
});
