import assert from "node:assert/strict";
import fc from "fast-check";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInst,
  AppInstInfo,
  Cloudlet,
  CloudletInfo,
  dme,
  enumDescriptor,
  StatusInfo,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { KeyedQueue } from "./keyed_queue.ts";
import { Progress } from "./progress.ts";
import { applyAppInstInfo, applyCloudletInfo } from "./site_report.ts";
import { isDeleting, isGone, isTransient, mayReport } from "./transitions.ts";

const S = TrackedState;
const states = enumDescriptor(TrackedState).values.map((value) => value.number as TrackedState);
const { HEALTH_CHECK_OK, HEALTH_CHECK_SERVER_FAIL, HEALTH_CHECK_UNKNOWN, HEALTH_CHECK_CLOUDLET_OFFLINE } =
  dme.HealthCheck;

Deno.test("a site moves only what is on its way, and never backwards", () => {
  for (const from of states) {
    for (const to of states) {
      if (!mayReport(from, to)) continue;
      assert.ok(isTransient(from), "only transient states wait for a site");
      assert.notEqual(from, to);
      assert.ok(!mayReport(to, from), "no way back");
      assert.equal(isDeleting(from), isDeleting(to) || to === S.NOT_PRESENT || to === S.DELETE_ERROR);
    }
  }
  assert.ok(mayReport(S.CREATE_REQUESTED, S.READY));
  assert.ok(!mayReport(S.READY, S.DELETE_DONE));
  assert.ok(!mayReport(S.CREATE_REQUESTED, S.DELETE_DONE));
});

Deno.test("any sequence of reports leads an instance only through allowed states", () => {
  const report = fc.constantFrom(...states);
  fc.assert(fc.property(fc.constantFrom(...states), fc.array(report, { maxLength: 12 }), (start, reports) => {
    const instance = AppInst.create({ state: start });
    for (const state of reports) {
      const before = instance.state;
      const effect = applyAppInstInfo(instance, AppInstInfo.create({ state, errors: ["why"] }));
      if (effect === "remove") {
        assert.ok(isGone(state) && mayReport(before, state));
        return;
      }
      assert.ok(instance.state === before || mayReport(before, instance.state));
      if (effect === "nothing") assert.equal(instance.state, before);
    }
  }));
});

Deno.test("health follows the site once an instance is ready", () => {
  const instance = AppInst.create({ state: S.CREATING });
  const report = (state: TrackedState, healthCheck: dme.HealthCheck) =>
    applyAppInstInfo(instance, AppInstInfo.create({ state, healthCheck }));
  assert.equal(report(S.CREATING, HEALTH_CHECK_OK), "nothing");
  assert.equal(report(S.READY, HEALTH_CHECK_UNKNOWN), "changed");
  assert.equal(instance.healthCheck, HEALTH_CHECK_OK);
  assert.equal(report(S.READY, HEALTH_CHECK_SERVER_FAIL), "changed");
  assert.equal(report(S.READY, HEALTH_CHECK_UNKNOWN), "nothing");
  assert.equal(instance.healthCheck, HEALTH_CHECK_SERVER_FAIL);
  instance.healthCheck = HEALTH_CHECK_CLOUDLET_OFFLINE;
  assert.equal(report(S.READY, HEALTH_CHECK_UNKNOWN), "changed");
  assert.equal(instance.healthCheck, HEALTH_CHECK_OK);
});

Deno.test("errors are kept with error states only, and bounded", () => {
  const instance = AppInst.create({ state: S.CREATING });
  const errors = Array.from({ length: 100 }, () => "x".repeat(10_000));
  applyAppInstInfo(instance, AppInstInfo.create({ state: S.CREATE_ERROR, errors }));
  assert.equal(instance.errors.length, 20);
  assert.equal(instance.errors[0]!.length, 2000);
  const ready = AppInst.create({ state: S.CREATING });
  applyAppInstInfo(ready, AppInstInfo.create({ state: S.READY, errors: ["left over"] }));
  assert.deepEqual(ready.errors, []);
});

Deno.test("a cloudlet follows what its site says of itself", () => {
  const C = dme.CloudletState;
  const cloudlet = Cloudlet.create({ state: S.CREATING });
  const report = (state: dme.CloudletState, more: Partial<CloudletInfo> = {}) => {
    const changed = applyCloudletInfo(cloudlet, CloudletInfo.create({ state, ...more }));
    return [changed, cloudlet.state, cloudlet.errors];
  };
  assert.deepEqual(report(C.CLOUDLET_STATE_INIT), [true, S.CRM_INITOK, []]);
  assert.deepEqual(report(C.CLOUDLET_STATE_ERRORS, { errors: ["no disk"] }), [true, S.CREATE_ERROR, ["no disk"]]);
  assert.deepEqual(report(C.CLOUDLET_STATE_READY, { containerVersion: "1.2" }), [true, S.READY, []]);
  assert.equal(cloudlet.containerVersion, "1.2");
  assert.deepEqual(report(C.CLOUDLET_STATE_READY), [false, S.READY, []]);
  assert.deepEqual(report(C.CLOUDLET_STATE_OFFLINE), [false, S.READY, []]);
});

Deno.test("progress shows every line to every reader, and how it ended", async () => {
  const progress = new Progress();
  const never = new AbortController().signal;
  const read = async () => {
    const lines: string[] = [];
    try {
      for await (const { message } of progress.read(never)) lines.push(message);
    } catch (error) {
      lines.push(`error: ${(error as Error).message}`);
    }
    return lines;
  };
  const first = read();
  progress.line("one");
  progress.report(StatusInfo.create({ msgCount: 2, msgs: ["a", "b"] }));
  progress.report(StatusInfo.create({ msgCount: 2, msgs: ["a", "b"] }));
  progress.report(StatusInfo.create({ msgCount: 3, msgs: ["b", "c"] }));
  progress.report(StatusInfo.create({ msgCount: 1, msgs: ["anew"] }));
  const second = read();
  progress.end(new RpcError(Status.UNKNOWN, "over"));
  progress.line("too late");
  const expected = ["one", "a", "b", "c", "anew", "error: over"];
  assert.deepEqual(await first, expected);
  assert.deepEqual(await second, expected);
  assert.deepEqual(await read(), expected);
});

Deno.test("progress keeps a bounded number of lines, and a reader that hangs up ends quietly", async () => {
  const progress = new Progress();
  for (let i = 0; i < 3000; i++) progress.line(String(i));
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const { message } of progress.read(stop.signal)) {
    seen.push(Number(message));
    if (message === "2999") stop.abort();
  }
  assert.equal(seen.length, 1000);
  assert.equal(seen[0], 2000);
});

Deno.test("a keyed queue runs one task a key, and of those that wait the newest", async () => {
  const ran: string[] = [];
  const gates = new Map<string, () => void>();
  const task = (name: string) => async () => {
    ran.push(name);
    await new Promise<void>((resolve) => gates.set(name, resolve));
  };
  const queue = new KeyedQueue((body) => body());
  queue.submit("a", task("a1"));
  queue.submit("a", task("a2"));
  queue.submit("a", task("a3"));
  queue.submit("b", task("b1"));
  assert.deepEqual(ran, ["a1", "b1"]);
  gates.get("a1")!();
  while (!gates.has("a3")) await Promise.resolve();
  assert.deepEqual(ran, ["a1", "b1", "a3"]);
  gates.get("b1")!();
  gates.get("a3")!();
  await queue.settled();
});
