import assert from "node:assert/strict";
import { FakeClock, systemClock } from "../../../shared/runtime/mod.ts";
import { slices } from "./slices.ts";

Deno.test("work goes on for a slice, then waits for a turn of the timers; slices are longer while nobody is served", async () => {
  const clock = new FakeClock();
  let serving = false;
  const pause = slices(clock, () => serving);
  await clock.advance(19);
  assert.equal(pause(), undefined);
  await clock.advance(1);
  const first = pause();
  assert.ok(first instanceof Promise);
  await clock.advance(0);
  await first;
  assert.equal(pause(), undefined, "another slice has begun");
  serving = true;
  await clock.advance(1);
  assert.ok(pause() instanceof Promise);
  await clock.advance(0);
  assert.equal(pause(), undefined);
});

Deno.test("others get their turn during work without end", async () => {
  const pause = slices(systemClock(), () => true);
  let served = 0;
  const other = setInterval(() => served++, 0);
  const late = performance.now() + 10_000;
  try {
    while (served < 5 && performance.now() < late) await pause();
  } finally {
    clearInterval(other);
  }
  assert.ok(served >= 5, String(served));
});
