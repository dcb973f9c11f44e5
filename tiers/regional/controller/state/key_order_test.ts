import assert from "node:assert/strict";
import fc from "fast-check";
import { firstAfter, KeyOrder } from "./key_order.ts";

Deno.test("KeyOrder is the sorted table after any changes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("put", "delete", "ask"), fc.string({ maxLength: 2 }))), (steps) => {
      const table = new Map<string, number>();
      const order = new KeyOrder();
      for (const [step, key] of steps) {
        if (step === "ask") assert.deepEqual(order.keys(table), [...table.keys()].sort());
        else if (step === "put") {
          if (!table.has(key)) order.add(key);
          table.set(key, 1);
        } else if (table.delete(key)) order.remove();
      }
      assert.deepEqual(order.keys(table), [...table.keys()].sort());
    }),
  );
});

Deno.test("firstAfter finds where a page begins", () => {
  const keys = ["a", "b", "d"];
  assert.deepEqual(["", "a", "b", "c", "d", "e"].map((key) => firstAfter(keys, key)), [0, 1, 2, 2, 3, 3]);
  assert.equal(firstAfter([], "a"), 0);
});
