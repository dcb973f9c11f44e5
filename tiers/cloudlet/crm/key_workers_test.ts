import assert from "node:assert/strict";
import fc from "fast-check";
import { KeyWorkers } from "./key_workers.ts";

Deno.test("KeyWorkers: one task per key at a time, and after the last request at least one whole task", async () => {
  const step = fc.record({ key: fc.constantFrom("a", "b", "c"), pause: fc.constantFrom(0, 0, 1, 3) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(5), async (steps, resumeAt) => {
      const state: Record<string, number> = { a: 0, b: 0, c: 0 };
      const seen: Record<string, number> = {};
      const running = new Set<string>();
      let tasks = 0;
      const workers = new KeyWorkers(async (key) => {
        assert.ok(!running.has(key), "two tasks of one key");
        running.add(key);
        tasks++;
        const start = state[key]!;
        for (let turn = 0; turn < 3; turn++) await Promise.resolve();
        seen[key] = start;
        running.delete(key);
      });
      for (const [index, { key, pause }] of steps.entries()) {
        if (index === resumeAt) workers.resume();
        state[key]!++;
        workers.ask(key);
        for (let turn = 0; turn < pause; turn++) await Promise.resolve();
      }
      if (steps.length <= resumeAt) assert.equal(tasks, 0, "nothing runs before resume");
      workers.resume();
      while (workers.active > 0) await Promise.resolve();
      for (const { key } of steps) assert.equal(seen[key], state[key], `the last state of ${key} was seen`);
      assert.ok(tasks <= steps.length);
    }),
  );
});

Deno.test("KeyWorkers: a pause waits for what runs, keeps what is asked for, and resume does it", async () => {
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const workers = new KeyWorkers(async (key) => {
    await gate.promise;
    done.push(key);
  });
  workers.resume();
  workers.ask("a");
  workers.ask("a");
  const paused = workers.pause();
  workers.ask("b");
  gate.resolve();
  await paused;
  assert.deepEqual(done, ["a"]);
  workers.resume();
  while (workers.active > 0) await Promise.resolve();
  assert.deepEqual(done.sort(), ["a", "a", "b"]);
});
