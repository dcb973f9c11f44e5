import assert from "node:assert/strict";
import { seededRandom, systemRandom } from "./mod.ts";

Deno.test("seededRandom repeats itself for one seed and differs between seeds", () => {
  const take = (seed: number) => {
    const random = seededRandom(seed);
    return [random.number(), random.integer(1_000_000), random.uuid()];
  };
  assert.deepEqual(take(7), take(7));
  assert.notDeepEqual(take(7), take(8));
});

Deno.test("numbers stay in range and integers reach both ends", () => {
  for (const random of [seededRandom(1), systemRandom()]) {
    const seen = new Set<number>();
    for (let round = 0; round < 1_000; round++) {
      const number = random.number();
      assert.ok(number >= 0 && number < 1);
      seen.add(random.integer(4));
    }
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3]);
    assert.throws(() => random.integer(0), RangeError);
  }
});

Deno.test("bytes beyond one call's limit are all filled, and UUIDs are version 4", () => {
  const bytes = systemRandom().bytes(200_000);
  assert.equal(bytes.length, 200_000);
  assert.ok(bytes.subarray(-64).some((byte) => byte !== 0));
  assert.match(systemRandom().uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
