import assert from "node:assert/strict";
import fc from "fast-check";
import { ReceiveBuffer } from "./receive_buffer.ts";

Deno.test("what is appended is taken, in order and as a copy, however it is cut", () => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20_000 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.constantFrom("keep", "take", "all")), { maxLength: 60 }), (steps) => {
      const buffer = new ReceiveBuffer();
      let written = 0;
      let read = 0;
      const check = (bytes: Uint8Array) => {
        for (const octet of bytes) assert.equal(octet, read++ & 0xff);
      };
      for (const [size, then] of steps) {
        const source = Uint8Array.from({ length: size + 2 }, (_, at) => written + at - 1);
        buffer.append(source, 1, size + 1);
        source.fill(0xee);
        written += size;
        assert.equal(buffer.length, written - read);
        if (then === "take") check(buffer.take());
        if (then === "all") {
          check(buffer.takeAll());
          assert.equal(buffer.length, 0);
        }
      }
      while (buffer.length > 0) check(buffer.take());
      assert.equal(read, written);
      assert.equal(buffer.take().length, 0);
    }),
  );
});
