import assert from "node:assert/strict";
import fc from "fast-check";
import {
  currentTraceId,
  currentTraceparent,
  newTraceparent,
  parseTraceparent,
  runWithTraceparent,
  withSpan,
} from "./mod.ts";

const SENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Deno.test("parseTraceparent accepts the standard's examples and refuses malformed ones", () => {
  assert.deepEqual(parseTraceparent(SENT), {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sampled: true,
  });
  assert.equal(parseTraceparent(SENT.slice(0, -1) + "0")?.sampled, false);
  assert.ok(parseTraceparent(`01${SENT.slice(2)}-later`), "a later version may say more");
  const bad = [
    "",
    `ff${SENT.slice(2)}`,
    `${SENT}-more`,
    SENT.toUpperCase(),
    SENT.replace(/b7ad6b7169203331/, "0".repeat(16)),
    "00-0-0-0",
  ];
  assert.deepEqual(bad.filter((text) => parseTraceparent(text) !== undefined), []);
});

Deno.test("parseTraceparent never throws, and what newTraceparent makes parses", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseTraceparent(text)));
  assert.ok(parseTraceparent(newTraceparent()));
});

Deno.test("a span continues the trace it was called in, also across awaits, and siblings differ", async () => {
  await runWithTraceparent(SENT, async () => {
    assert.equal(currentTraceparent(), SENT);
    const seen: string[] = [];
    const work = (name: string) =>
      withSpan(name, {}, async (span) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const here = parseTraceparent(currentTraceparent()!)!;
        assert.deepEqual([here.traceId, here.spanId], [span.traceId, span.spanId]);
        await withSpan("inner", {}, (inner) => {
          assert.equal(inner.traceId, span.traceId);
          assert.notEqual(inner.spanId, span.spanId);
        });
        seen.push(span.spanId);
        return span.traceId;
      });
    const traces = await Promise.all([work("a"), work("b")]);
    assert.deepEqual(new Set(traces), new Set(["0af7651916cd43dd8448eb211c80319c"]));
    assert.equal(new Set([...seen, "b7ad6b7169203331"]).size, 3);
  });
  assert.equal(currentTraceId(), undefined);
});

Deno.test("without or with a malformed parent a new trace starts", () => {
  const first = runWithTraceparent(undefined, () => currentTraceId());
  const second = runWithTraceparent("nonsense", () => currentTraceId());
  assert.match(first!, /^[0-9a-f]{32}$/);
  assert.notEqual(first, second);
});

Deno.test("an error passes through the span", async () => {
  await assert.rejects(withSpan("fails", { a: 1 }, () => Promise.reject(new Error("boom"))), /boom/);
});

Deno.test("with the runtime's telemetry on, exported spans have the identifiers that were carried", async () => {
  const program = `
    import { currentTraceparent, runWithTraceparent, withSpan } from ${JSON.stringify(import.meta.resolve("./mod.ts"))};
    await runWithTraceparent("${SENT}", () => withSpan("outer", { a: 1 }, () => withSpan("inner", {}, () => {
      console.error("carried " + currentTraceparent());
    })));
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { stderr, stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--config", config, file],
    env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_PROTOCOL: "console", NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  await Deno.remove(file);
  const text = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  assert.equal(code, 0, text);
  const carried = /carried 00-([0-9a-f]{32})-([0-9a-f]{16})/.exec(text);
  assert.equal(carried?.[1], "0af7651916cd43dd8448eb211c80319c", text);
  const exported = text.replace(carried![0], "");
  assert.ok(exported.includes("outer") && exported.includes("inner"), text);
  assert.ok(exported.includes(carried![2]!), text);
});
