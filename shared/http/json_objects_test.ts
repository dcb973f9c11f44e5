import assert from "node:assert/strict";
import fc from "fast-check";
import { BodyError, readJsonObjects } from "./mod.ts";

async function* chunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(cut, bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
  yield bytes.subarray(from);
}

const read = (text: string, maxBytes = 1000, cuts: number[] = []) =>
  Array.fromAsync(readJsonObjects(chunks(new TextEncoder().encode(text), cuts), maxBytes));

Deno.test("objects are read however they are cut and spaced", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { noNullPrototype: true })),
      fc.constantFrom("", " ", "\n", "\r\n\t"),
      fc.array(fc.nat(300)),
      async (objects, space, cuts) => {
        const sent = objects.map((object) => JSON.parse(JSON.stringify(object)));
        assert.deepEqual(await read(sent.map((object) => JSON.stringify(object)).join(space), 1e6, cuts), sent);
      },
    ),
  );
});

Deno.test("what is no stream of objects, too long or broken off is refused", async () => {
  const refused = (text: string, status: number, maxBytes?: number, cuts?: number[]) =>
    assert.rejects(read(text, maxBytes, cuts), (error) => error instanceof BodyError && error.status === status);
  for (const text of ["[{}]", "1", "{} x", '{"a":', '{"a":"}', "{]", '{"a":\u{1}}']) await refused(text, 400);
  await refused('{"a":"1234567890"}', 413, 10);
  await refused('{"a":"1234567890"}', 413, 10, [5, 12]);
  assert.deepEqual(await read('{"a":1}{"b":2}', 7), [{ a: 1 }, { b: 2 }]);
});

Deno.test("no bytes make it fail in another way", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(60)), async (bytes, cuts) => {
    try {
      for await (const value of readJsonObjects(chunks(bytes, cuts), 50)) assert.equal(typeof value, "object");
    } catch (error) {
      assert.ok(error instanceof BodyError);
    }
  }));
});
