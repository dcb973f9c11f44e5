import assert from "node:assert/strict";
import { RpcError } from "./error.ts";
import { Metadata } from "./metadata.ts";
import { Status, statusName, toStatus } from "./status.ts";

Deno.test("metadata keeps all values of a key, whatever its case, and copies change on their own", () => {
  const metadata = new Metadata({ "X-Name": "a" }).append("x-name", "b").set("x-data-bin", new Uint8Array([1]));
  assert.deepEqual(metadata.getAll("X-NAME"), ["a", "b"]);
  assert.equal(metadata.get("x-name"), "a");
  assert.equal(metadata.size, 2);
  const copy = metadata.clone().merge(new Metadata([["x-name", "c"]]));
  copy.delete("x-data-bin");
  assert.deepEqual([copy.getAll("x-name"), copy.has("x-data-bin")], [["a", "b", "c"], false]);
  assert.deepEqual([...metadata], [["x-name", "a"], ["x-name", "b"], ["x-data-bin", new Uint8Array([1])]]);
});

Deno.test("metadata refuses what cannot travel", () => {
  const metadata = new Metadata();
  assert.throws(() => metadata.set("bad key", "x"), /must be letters/);
  assert.throws(() => metadata.set("", "x"), /must be letters/);
  assert.throws(() => metadata.set(":path", "x"), /must be letters/);
  assert.throws(() => metadata.set("x-text", "line\nbreak"), /printable ASCII/);
  assert.throws(() => metadata.set("x-text", "ä"), /printable ASCII/);
  assert.throws(() => metadata.set("x-bin", "text" as never), /must be bytes/);
  assert.throws(() => metadata.set("x-text", new Uint8Array() as never), /must be text/);
  assert.equal(metadata.size, 0);
});

Deno.test("anything thrown becomes a status that says nothing of its inside", () => {
  const own = new RpcError(Status.NOT_FOUND, "gone");
  assert.equal(RpcError.from(own), own);
  const cases: [unknown, Status][] = [
    [new DOMException("x", "AbortError"), Status.CANCELLED],
    [new DOMException("x", "TimeoutError"), Status.DEADLINE_EXCEEDED],
    [new Error("password=hunter2"), Status.INTERNAL],
    ["hunter2", Status.INTERNAL],
    [undefined, Status.INTERNAL],
  ];
  for (const [thrown, code] of cases) {
    const error = RpcError.from(thrown);
    assert.equal(error.code, code);
    assert.doesNotMatch(`${error.message} ${error}`, /hunter2/);
    assert.equal(error.cause, thrown);
  }
  assert.deepEqual([statusName(5), statusName(99), toStatus(16), toStatus(17), toStatus(-1)], [
    "NOT_FOUND",
    "code 99",
    Status.UNAUTHENTICATED,
    Status.UNKNOWN,
    Status.UNKNOWN,
  ]);
});
