import assert from "node:assert/strict";
import fc from "fast-check";
import { ChangeList } from "./change_list.ts";
import { FramePool } from "./frame_pool.ts";
import { KeyIndex } from "./key_index.ts";
import { scopesOf, ScopeTable } from "./scopes.ts";

Deno.test("the index finds what was put in and not deleted, also where hashes collide", () => {
  const operations = fc.array(fc.record({ key: fc.nat(60), remove: fc.boolean() }), { maxLength: 400 });
  fc.assert(fc.property(operations, (list) => {
    const index = new KeyIndex();
    const keys: number[] = [];
    const model = new Map<number, number>();
    // Few hashes, so that runs of slots grow into each other.
    const hashOf = (key: number): number => key % 7;
    const hashAt = (place: number): number => hashOf(keys[place]!);
    const slotOf = (key: number): number => index.slotOf(hashOf(key), (place) => keys[place] === key);
    for (const { key, remove } of list) {
      const slot = slotOf(key);
      assert.equal(index.placeAt(slot), model.get(key) ?? -1);
      if (!remove) {
        keys.push(key);
        index.set(slot, keys.length - 1, hashAt);
        model.set(key, keys.length - 1);
      } else if (model.delete(key)) index.delete(slot, hashAt);
    }
    for (let key = 0; key <= 60; key++) assert.equal(index.placeAt(slotOf(key)), model.get(key) ?? -1);
  }));
});

Deno.test("a change list holds what was published last, by any key, through all sweeps", () => {
  const key = fc.oneof(fc.constantFrom("", "{}", "ä€🙂", "k".repeat(3_000)), fc.string({ maxLength: 3 }));
  const operations = fc.array(fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined })), {
    maxLength: 600,
  });
  fc.assert(
    fc.property(operations, (list) => {
      const changes = new ChangeList("App", 4);
      const model = new Map<string, Uint8Array>();
      for (const [key, value] of list) {
        const published = changes.publish(key, value, undefined, "");
        assert.equal(published !== undefined, value === undefined ? model.has(key) : !same(model.get(key), value));
        if (value === undefined) model.delete(key);
        else model.set(key, value);
        assert.deepEqual(changes.get(key), model.get(key));
      }
      assert.equal(changes.size, model.size);
      assert.deepEqual(new Map(changes.entries()), model);
    }),
    { numRuns: 300 },
  );
});

function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}

Deno.test("who walks over a list while it changes sees what was there, each key once", () => {
  const changes = new ChangeList("App", 4);
  for (let i = 0; i < 200; i++) changes.publish(`k${i}`, Uint8Array.of(0), undefined, "");
  const seen: string[] = [];
  for (const [key] of changes.entries()) {
    seen.push(key);
    for (let i = 0; i < 200; i += 2) changes.publish(`k${i}`, Uint8Array.of(seen.length), undefined, "");
  }
  assert.equal(new Set(seen).size, seen.length);
  for (let i = 1; i < 200; i += 2) assert.ok(seen.includes(`k${i}`));
});

Deno.test("scopes are kept once, and forgotten with the last that uses them", () => {
  const table = new ScopeTable();
  const several = () => scopesOf(["a", "b"]);
  const [one, two] = [table.take("x"), table.take(several())];
  assert.deepEqual([table.take("x"), table.take(several()), table.take(undefined)], [one, two, 0]);
  assert.deepEqual([table.at(one), table.at(two), table.at(0)], ["x", new Set(["a", "b"]), undefined]);
  assert.notEqual(table.take('["a","b"]'), two);
  for (let i = 0; i < 2; i++) table.release(one);
  assert.equal(table.at(one), undefined);
  assert.equal(table.take("y"), one);
});

Deno.test("arrays of frames are used again, and only those that were lent", () => {
  const pool = new FramePool(100_000);
  const frame = pool.take(50_000);
  pool.give(new Uint8Array(100_000));
  const other = pool.take(60_000);
  assert.notEqual(other.buffer, frame.buffer);
  pool.give(frame);
  pool.give(frame);
  const again = pool.take(100_000);
  assert.deepEqual([again.buffer === frame.buffer, again.length], [true, 100_000]);
  assert.notEqual(pool.take(100_000).buffer, frame.buffer);
  assert.deepEqual([pool.take(10).buffer.byteLength, pool.take(200_000).length], [10, 200_000]);
});
