import assert from "node:assert/strict";
import { FakeClock, systemClock } from "./mod.ts";

Deno.test("FakeClock runs timers in the order of their time, then of their making", async () => {
  const clock = new FakeClock(1_000);
  const seen: string[] = [];
  clock.setTimer(() => seen.push(`late@${clock.now()}`), 50);
  clock.setTimer(() => seen.push(`a@${clock.now()}`), 10);
  clock.setTimer(() => seen.push(`b@${clock.now()}`), 10);
  clock.setTimer(() => seen.push("never"), 20).cancel();
  await clock.advance(49);
  assert.deepEqual(seen, ["a@1010", "b@1010"]);
  await clock.advance(1);
  assert.deepEqual(seen, ["a@1010", "b@1010", "late@1050"]);
  assert.equal(clock.pending, 0);
  assert.equal(clock.monotonic(), 50);
});

Deno.test("FakeClock lets a chain of sleeps run within one advance", async () => {
  const clock = new FakeClock();
  const at: number[] = [];
  const loop = (async () => {
    for (let round = 0; round < 5; round++) {
      await clock.sleep(100);
      at.push(clock.now());
    }
  })();
  await clock.advance(500);
  await loop;
  assert.deepEqual(at, [100, 200, 300, 400, 500]);
});

Deno.test("sleep rejects with the signal's reason and leaves no timer", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const sleeping = clock.sleep(1_000, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(sleeping, /stopped/);
  assert.equal(clock.pending, 0);
  await assert.rejects(systemClock().sleep(10_000, stop.signal), /stopped/);
});

Deno.test("systemClock waits at least as long as asked", async () => {
  const clock = systemClock();
  const before = clock.monotonic();
  await clock.sleep(20);
  assert.ok(clock.monotonic() - before >= 19);
});
