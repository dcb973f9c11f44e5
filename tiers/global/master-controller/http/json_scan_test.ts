import assert from "node:assert/strict";
import fc from "fast-check";
import { scanJson } from "./json_scan.ts";

Deno.test("scanJson() tells where values are, in bytes", () => {
  const text = ' {"ä": {"list": [1, {"deep": true}]}, "b": null}';
  const places = scanJson(text);
  assert.equal(places.faultOffset, undefined);
  const at = (path: string) => new TextDecoder().decode(new TextEncoder().encode(text).slice(places.offsetOf(path)));
  assert.ok(at("ä").startsWith('{"list"'));
  assert.ok(at("ä.list.0").startsWith("1,"));
  assert.ok(at("ä.list.1.deep").startsWith("true}"));
  assert.ok(at("b").startsWith("null"));
  assert.equal(places.offsetOf("nowhere"), 0);
});

Deno.test("scanJson() finds the first fault", () => {
  const cases: [string, number][] = [
    ['{"a":}', 5],
    ['{"a" 1}', 5],
    ["[1,]", 3],
    ['{"a":1', 6],
    ["", 0],
    ["{} x", 3],
    ['"\\x"', 0],
    ["01", 1],
    ['{"ü":tru}', 6],
  ];
  for (const [text, offset] of cases) assert.equal(scanJson(text).faultOffset, offset, text);
});

Deno.test("scanJson() refuses nesting that would exhaust the stack", () => {
  assert.notEqual(scanJson("[".repeat(100_000)).faultOffset, undefined);
});

Deno.test("scanJson() accepts exactly what JSON.parse accepts", () => {
  const nearJson = fc.array(fc.constantFrom(...'{}[],:"\\0123.eE+-tfnrulasu \n\u0001ä'), { maxLength: 12 }).map((c) =>
    c.join("")
  );
  fc.assert(
    fc.property(fc.oneof(nearJson, fc.string(), fc.json({ maxDepth: 5 })), (text) => {
      let sound = true;
      try {
        JSON.parse(text);
      } catch {
        sound = false;
      }
      assert.equal(scanJson(text).faultOffset === undefined, sound, JSON.stringify(text));
    }),
    { numRuns: 2000 },
  );
});
