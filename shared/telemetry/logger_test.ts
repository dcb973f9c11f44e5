import assert from "node:assert/strict";
import { createLogger, errorFields, memoryLogger, nullLogger, runWithTraceparent } from "./mod.ts";

function capture(options: { format?: "json" | "text"; level?: "debug" | "info" } = {}) {
  const lines: string[] = [];
  const log = createLogger({
    service: "dme",
    clock: { now: () => 0 },
    sink: (line) => void lines.push(line),
    ...options,
  });
  return { lines, log };
}

Deno.test("a JSON line holds time, level, service, message and fields, secrets hidden", () => {
  const { lines, log } = capture();
  log.with({ region: "eu" }).info("started", { port: 5, password: "x" });
  assert.equal(lines.length, 1);
  assert.ok(lines[0]!.endsWith("}\n") && lines[0]!.split("\n").length === 2);
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    service: "dme",
    message: "started",
    region: "eu",
    port: 5,
    password: "***",
  });
});

Deno.test("levels below the set one are dropped, and setLevel reaches derived loggers", () => {
  const { lines, log } = capture();
  const derived = log.with({ a: 1 });
  derived.debug("no");
  assert.equal(derived.enabled("debug"), false);
  log.setLevel("debug");
  derived.debug("yes");
  assert.deepEqual(lines.map((line) => JSON.parse(line).message), ["yes"]);
});

Deno.test("a stack is written at debug level only", () => {
  const quiet = capture();
  quiet.log.error("failed", errorFields(new Error("boom")));
  assert.equal(JSON.parse(quiet.lines[0]!).stack, undefined);
  const chatty = capture({ level: "debug" });
  chatty.log.error("failed", errorFields(new Error("boom")));
  assert.match(JSON.parse(chatty.lines[0]!).stack, /logger_test/);
});

Deno.test("fields cannot replace the logger's own names", () => {
  const { records, log } = memoryLogger();
  log.info("true message", { message: "other", level: "error", trace_id: "x" });
  assert.deepEqual([records[0]!.message, records[0]!.level, records[0]!.message_, records[0]!.level_], [
    "true message",
    "info",
    "other",
    "error",
  ]);
});

Deno.test("a line written inside a trace carries its identifiers", () => {
  const { records, log } = memoryLogger();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  runWithTraceparent(`00-${traceId}-b7ad6b7169203331-01`, () => log.info("inside"));
  log.info("outside");
  assert.deepEqual(records.map((record) => record.trace_id), [traceId, undefined]);
});

Deno.test("the readable form is one line whatever the message holds", () => {
  const { lines, log } = capture({ format: "text" });
  log.warn("two\nlines\x1b[2J", { path: "/a b", n: 3, plain: "x" });
  assert.deepEqual(lines, ['00:00:00.000 WARN  dme: two\\x0alines\\x1b[2J path="/a b" n=3 plain=x\n']);
  nullLogger().with({}).error("nothing");
});
