import assert from "node:assert/strict";
import fc from "fast-check";
import { AppInst } from "../../../../shared/schema/mod.ts";
import { ObjectTable } from "./object_table.ts";
import { firstAfter } from "./row_order.ts";

/** Objects from nothing to larger than what an arena holds in one piece. */
const object = fc.record({
  uri: fc.string(),
  forceUpdate: fc.boolean(),
  errors: fc.array(fc.string({ maxLength: 400 }), { maxLength: 3 }),
  cloudletLoc: fc.option(fc.record({ latitude: fc.double({ noNaN: true }) }), { nil: undefined }),
  revision: fc.nat(30).map((length) => "r".repeat(length ** 4)),
}).map((fields) => AppInst.create(fields));
const key = fc.string({ maxLength: 2 });
const step = fc.oneof(
  fc.record({ do: fc.constant("put" as const), key, object }),
  fc.record({ do: fc.constant("delete" as const), key }),
  fc.record({ do: fc.constant("read" as const) }),
);

function bytesOf(table: ObjectTable<AppInst>, key: string): Uint8Array {
  const { slab, at, length } = table.encoded(table.row(key)!);
  return slab.slice(at, at + length);
}

Deno.test("a table is a map in order, and its bytes are the objects encoded anew, after any changes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new ObjectTable(AppInst);
      const model = new Map<string, AppInst>();
      for (const [revision, step] of [...steps, { do: "read" as const }].entries()) {
        switch (step.do) {
          case "put":
            assert.equal(table.put(step.key, step.object, revision), model.get(step.key));
            model.set(step.key, step.object);
            assert.equal(table.row(step.key)!.modRevision, revision);
            break;
          case "delete":
            assert.equal(table.delete(step.key), model.get(step.key));
            model.delete(step.key);
            assert.equal(table.row(step.key), undefined);
            break;
          case "read":
            assert.deepEqual(table.ordered().map(({ key }) => key), [...model.keys()].sort());
            for (const [key, object] of model) assert.deepEqual(bytesOf(table, key), AppInst.encode(object));
        }
      }
      assert.deepEqual(new Map(table), model);
      assert.deepEqual(new Set(table.values()), new Set(model.values()));
      assert.deepEqual([table.size, [...table.keys()].sort()], [model.size, [...model.keys()].sort()]);
    }),
    { numRuns: 200 },
  );
});

Deno.test("bytes of many changes do not pile up, and what was read of them stays as it was", () => {
  const table = new ObjectTable(AppInst);
  const slabs = new Set<Uint8Array>();
  const read: { object: AppInst; view: Uint8Array }[] = [];
  for (let i = 0; i < 5_000; i++) {
    const object = AppInst.create({ uri: `${i}`.padEnd(500) });
    table.put(`k${i % 20}`, object, i);
    const { slab, at, length } = table.encoded(table.row(`k${i % 20}`)!);
    read.push({ object, view: slab.subarray(at, at + length) });
  }
  for (const { object, view } of read) assert.deepEqual(view, AppInst.encode(object));
  for (const row of table.ordered()) slabs.add(row.slab!);
  const held = [...slabs].reduce((sum, slab) => sum + slab.length, 0);
  assert.ok(held < 1_000_000, `${held} bytes are held for ${20 * 500}`);
});

Deno.test("firstAfter finds where a page begins", () => {
  const rows = ["a", "b", "d"].map((key) => ({ key }));
  assert.deepEqual(["", "a", "b", "c", "d", "e"].map((key) => firstAfter(rows, key)), [0, 1, 2, 2, 3, 3]);
  assert.equal(firstAfter(rows, "a", 2), 2);
  assert.equal(firstAfter([], "a"), 0);
});
