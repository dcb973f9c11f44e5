import assert from "node:assert/strict";
import fc from "fast-check";
import { openMetricsStore, type Point } from "../../../../shared/metrics/mod.ts";
import { systemClock } from "../../../../shared/runtime/mod.ts";
import { dme, TrackedState } from "../../../../shared/schema/mod.ts";
import { nullLogger } from "../../../../shared/telemetry/mod.ts";
import { checkpoint, lastBoundary, type UsageRecord } from "./checkpoints.ts";
import { hours, retentions } from "./databases.ts";
import { downsample, spansEnding } from "./downsampling.ts";
import { eventsOf, statusAfter, type UsageEvent } from "./usage_events.ts";
import { withDefaults } from "../rules/settings.ts";

const S = TrackedState;

Deno.test("changes of state, health and reservation are events, other changes are none", () => {
  const at = (state: TrackedState, more: object = {}) => ({ state, ...more });
  const cases: [ReturnType<typeof at> | undefined, ReturnType<typeof at> | undefined, UsageEvent[]][] = [
    [undefined, at(S.CREATE_REQUESTED), []],
    [at(S.CREATE_REQUESTED), at(S.CREATING), []],
    [at(S.CREATING), at(S.READY), ["CREATED"]],
    [undefined, at(S.READY), ["CREATED"]],
    [at(S.CREATING), undefined, []],
    [at(S.CREATE_ERROR), undefined, []],
    [at(S.READY), at(S.UPDATE_REQUESTED), ["UPDATE_START"]],
    [at(S.UPDATE_REQUESTED), at(S.UPDATING), []],
    [at(S.UPDATING), at(S.READY), ["UPDATE_COMPLETE"]],
    [at(S.UPDATING), at(S.UPDATE_ERROR), ["UPDATE_ERROR"]],
    [at(S.UPDATE_ERROR), at(S.UPDATE_REQUESTED), ["UPDATE_START"]],
    [at(S.READY), at(S.DELETE_REQUESTED), []],
    [at(S.DELETING), at(S.DELETE_ERROR), ["DELETE_ERROR"]],
    [at(S.DELETE_ERROR), at(S.READY), []],
    [at(S.DELETING), undefined, ["DELETED"]],
    [at(S.READY), undefined, ["DELETED"]],
    [at(S.READY), at(S.READY), []],
    [at(S.READY, { healthCheck: 3 }), at(S.READY, { healthCheck: 2 }), ["HEALTH_CHECK_FAIL"]],
    [at(S.READY, { healthCheck: 2 }), at(S.READY, { healthCheck: 1 }), []],
    [at(S.READY, { healthCheck: 1 }), at(S.READY, { healthCheck: 3 }), ["HEALTH_CHECK_OK"]],
    [at(S.READY, { healthCheck: dme.HealthCheck.HEALTH_CHECK_UNKNOWN }), at(S.READY, { healthCheck: 3 }), []],
    [at(S.READY, { reservedBy: "" }), at(S.READY, { reservedBy: "a" }), ["RESERVED"]],
    [at(S.READY, { reservedBy: "a" }), at(S.READY, { reservedBy: "b" }), ["UNRESERVED", "RESERVED"]],
  ];
  for (const [old, now, expected] of cases) assert.deepEqual(eventsOf(old, now), expected, JSON.stringify([old, now]));
});

Deno.test("an object's time is summed up from its events and the checkpoint before", () => {
  const record = (timeMs: number, event: UsageEvent): UsageRecord => ({ timeMs, event, status: statusAfter(event) });
  assert.equal(checkpoint([], undefined, 100), undefined);
  assert.equal(checkpoint([record(101, "CREATED")], undefined, 100), undefined);
  assert.deepEqual(checkpoint([record(40, "CREATED")], undefined, 100), {
    startMs: 40,
    endMs: 100,
    uptimeMs: 60,
    status: "UP",
  });
  const broken = [
    record(40, "CREATED"),
    record(50, "HEALTH_CHECK_FAIL"),
    record(70, "HEALTH_CHECK_OK"),
    record(90, "UPDATE_START"),
  ];
  assert.deepEqual(checkpoint(broken, undefined, 100), { startMs: 40, endMs: 100, uptimeMs: 30, status: "DOWN" });
  assert.deepEqual(checkpoint(broken, { endMs: 60, status: "DOWN" }, 100), {
    startMs: 60,
    endMs: 100,
    uptimeMs: 20,
    status: "DOWN",
  });
  assert.deepEqual(checkpoint([], { endMs: 60, status: "UP" }, 100), {
    startMs: 60,
    endMs: 100,
    uptimeMs: 40,
    status: "UP",
  });
  // Somebody else had it before.
  const reserved = [record(10, "CREATED"), record(20, "RESERVED"), record(30, "UNRESERVED"), record(60, "RESERVED")];
  assert.deepEqual(checkpoint(reserved, undefined, 100), { startMs: 60, endMs: 100, uptimeMs: 40, status: "UP" });
});

/** A life of one object: created first, then anything but that. */
const life = fc.tuple(
  fc.integer({ min: 1, max: 100 }),
  fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom<UsageEvent>(
        "UPDATE_START",
        "UPDATE_COMPLETE",
        "HEALTH_CHECK_FAIL",
        "HEALTH_CHECK_OK",
        "UPDATE_ERROR",
      ),
    ),
    { maxLength: 20 },
  ),
).map(([begin, later]) => {
  let timeMs = begin;
  const records: UsageRecord[] = [{ timeMs, event: "CREATED", status: "UP" }];
  for (const [gap, event] of later) records.push({ timeMs: timeMs += gap, event, status: statusAfter(event) });
  return records;
});

Deno.test("checkpoints: never more than the span, the same in any order, and equal to the sum of their parts", () => {
  fc.assert(
    fc.property(life, fc.integer({ min: 1, max: 600 }), fc.integer({ min: 0, max: 600 }), (records, middle, more) => {
      const end = middle + more;
      const whole = checkpoint(records, undefined, end);
      assert.deepEqual(checkpoint([...records].reverse(), undefined, end), whole);
      if (whole === undefined) return assert.ok(records[0]!.timeMs > end);
      assert.ok(whole.uptimeMs >= 0 && whole.uptimeMs <= end - whole.startMs);
      assert.equal(whole.startMs, records[0]!.timeMs);
      // Straight from the definition: every millisecond belongs to the newest event before it.
      let up = 0;
      for (let ms = whole.startMs; ms < end; ms++) {
        if (records.findLast(({ timeMs }) => timeMs <= ms)?.status === "UP") up++;
      }
      assert.equal(whole.uptimeMs, up);
      const first = checkpoint(records, undefined, middle);
      const second = checkpoint(records, first, end);
      assert.equal((first?.uptimeMs ?? 0) + second!.uptimeMs, whole.uptimeMs);
      assert.equal(second!.status, whole.status);
    }),
  );
});

Deno.test("boundaries are the first of a month in UTC, or multiples of a span, and never in the future", () => {
  const at = (text: string) => Date.parse(text);
  assert.equal(lastBoundary("MONTH", at("2024-03-01T00:00:00Z")), at("2024-03-01T00:00:00Z"));
  assert.equal(lastBoundary("MONTH", at("2024-02-29T23:59:59.999Z")), at("2024-02-01T00:00:00Z"));
  assert.equal(lastBoundary("MONTH", at("2024-01-15T12:00:00Z")), at("2024-01-01T00:00:00Z"));
  assert.equal(lastBoundary(3_600_000, at("2024-01-15T12:34:00Z")), at("2024-01-15T12:00:00Z"));
  fc.assert(fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e9 }), (now, span) => {
    for (const interval of ["MONTH", span] as const) {
      const boundary = lastBoundary(interval, now);
      assert.ok(boundary <= now);
      assert.equal(lastBoundary(interval, boundary), boundary);
    }
  }));
});

Deno.test("databases keep what the settings say", () => {
  const kept = retentions(withDefaults(undefined));
  const day = 86_400_000;
  assert.deepEqual(Object.fromEntries(kept), {
    metrics: 28 * day,
    events: 0,
    edgeevents_metrics: 28 * day,
    downsampled_metrics: 365 * day,
    cloudlet_resource_usage: 365 * day,
    "downsampled_metrics/168h": 7 * day,
    "downsampled_metrics/672h": 28 * day,
    "downsampled_metrics/8064h": 336 * day,
  });
  assert.equal(hours(24 * 3_600_000 * 1e6), "24h");
});

Deno.test("what devices told is summed up by series, and summing the same span again changes nothing", async () => {
  const store = await openMetricsStore("sqlite::memory:", { clock: systemClock(), log: nullLogger() });
  const H = 3_600_000;
  const latency = (timeMs: number, app: string, min: number, max: number, n: bigint): Point => ({
    measurement: "latency-metric",
    tags: { app },
    fields: {
      "0s": n,
      "5ms": 1n,
      "10ms": 0n,
      "25ms": 0n,
      "50ms": 0n,
      "100ms": 0n,
      min,
      max,
      avg: 2,
      total: 2 * Number(n),
      numsamples: n,
    },
    timeMs,
  });
  const session = (timeMs: number): Point => ({
    measurement: "device-metric",
    tags: { app: "a" },
    fields: { signalstrength: 4, numsessions: 3n },
    timeMs,
  });
  store.write("edgeevents_metrics", [
    latency(24 * H, "a", 1, 5, 2n),
    latency(25 * H, "a", 0.5, 9.5, 4n),
    latency(26 * H, "b", 3, 3, 1n),
    latency(48 * H, "a", 0, 100, 1n),
    session(24 * H),
    session(47 * H),
  ]);
  await store.flush();
  const rule = { interval: 24 * H * 1e6, retention: 168 * H * 1e6 };
  for (let round = 0; round < 2; round++) {
    await downsample(store, rule, 24 * H, 48 * H);
    await store.flush();
    const select = ["0s", "5ms", "min", "max", "total", "numsamples", "avg"].map((field) => ({ field }));
    const found = await store.query("downsampled_metrics/168h", {
      measurement: "latency-metric-24h",
      select,
      fromMs: 0,
      toMs: 100 * H,
    });
    assert.deepEqual(found.map(({ tags, values }) => [{ ...tags }, values]), [
      [{ app: "a" }, [[24 * H, 6, 2, 0.5, 9.5, 12, 6, 2]]],
      [{ app: "b" }, [[24 * H, 1, 1, 3, 3, 2, 1, 2]]],
    ]);
    const [sessions] = await store.query("downsampled_metrics/168h", {
      measurement: "device-metric-24h",
      select: [{ field: "numsessions" }],
      fromMs: 0,
      toMs: 100 * H,
    });
    assert.deepEqual(sessions!.values, [[24 * H, 6]]);
  }
  await store.close();
});

Deno.test("spans that end in a time are found, none twice when times join", () => {
  assert.deepEqual(spansEnding(10, 0, 31), [[0, 10], [10, 20], [20, 30]]);
  assert.deepEqual(spansEnding(10, 11, 21), [[10, 20]]);
  assert.deepEqual(spansEnding(10, 21, 30), []);
  fc.assert(fc.property(fc.nat(500), fc.nat(500), fc.nat(500), fc.integer({ min: 1, max: 60 }), (a, b, c, span) => {
    const [x, y, z] = [a, a + b, a + b + c];
    assert.deepEqual([...spansEnding(span, x, y), ...spansEnding(span, y, z)], spansEnding(span, x, z));
  }));
});
