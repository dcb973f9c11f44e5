import assert from "node:assert/strict";
import { ksuid } from "./ksuid.ts";

Deno.test("a KSUID has 27 characters and sorts by time", () => {
  const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const ids = [1_500_000_000, 1_500_000_001, 1_700_000_000, 1_800_000_000].map((seconds) =>
    ksuid(seconds * 1000, random)
  );
  for (const id of ids) assert.match(id, /^[0-9A-Za-z]{27}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.notEqual(ksuid(1_500_000_000_000, random), ksuid(1_500_000_000_000, random));
});

Deno.test("a KSUID is the base 62 of its 20 bytes", () => {
  // Worked example of the format's own description: 2017-05-16, 107608047 seconds after its epoch.
  const payload = "b5a1cd34b5f99d1154fb6853345c9735".match(/../g)!.map((byte) => parseInt(byte, 16));
  assert.equal(
    ksuid((1_400_000_000 + 107_608_047) * 1000, () => new Uint8Array(payload)),
    "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
  );
  assert.equal(ksuid(1_400_000_000_000, (count) => new Uint8Array(count)), "0".repeat(27));
});
