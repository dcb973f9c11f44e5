import assert from "node:assert/strict";
import { fuzzOne } from "./testing/fuzz.ts";

/** The long form is `deno task fuzz:http2`; this one is enough to meet every branch. */
const INPUTS = 8_000;

Deno.test("random lives of a connection: no exception escapes, no limit is passed, nothing is left behind", () => {
  const ends = new Map<string, number>();
  let streams = 0;
  for (let seed = 1; seed <= INPUTS; seed++) {
    try {
      const outcome = fuzzOne(seed);
      streams += outcome.streams;
      const end = String(outcome.ended).replace(/\d+/g, "N");
      ends.set(end, (ends.get(end) ?? 0) + 1);
    } catch (error) {
      assert.fail(`Seed ${seed}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  // The fuzzer itself must get somewhere: streams open, and connections end in many ways.
  assert.ok(streams > INPUTS / 2, `${streams} streams`);
  assert.ok(ends.size > 20, [...ends.keys()].join("\n"));
});
