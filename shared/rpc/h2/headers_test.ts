import assert from "node:assert/strict";
import fc from "fast-check";
import { percentDecode, percentEncode } from "./headers.ts";

Deno.test("any text of a status travels, spaces at its ends too", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^ *[%a ]* *$/)), (text) => {
      const whole = text.toWellFormed();
      const encoded = percentEncode(whole);
      assert.match(encoded, /^(?! )[\x20-\x7e]*(?<! )$/);
      assert.equal(percentDecode(encoded), whole);
    }),
  );
  assert.equal(percentEncode("refused with 500: "), "refused with 500:%20");
});
