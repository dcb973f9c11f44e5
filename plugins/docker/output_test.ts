import assert from "node:assert/strict";
import { unframed } from "./output.ts";

/** A frame as the engine sends it. */
function frame(source: number, text: string): number[] {
  const data = new TextEncoder().encode(text);
  const header = new Uint8Array(8);
  header[0] = source;
  new DataView(header.buffer).setUint32(4, data.length);
  return [...header, ...data];
}

Deno.test("frames are told apart wherever the stream is cut", async () => {
  const bytes = new Uint8Array([...frame(1, "one\n"), ...frame(2, "oh\n"), ...frame(1, ""), ...frame(1, "two\n")]);
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
    };
    const texts = { stdout: "", stderr: "" };
    for await (const { data, source } of unframed(chunks())) texts[source] += new TextDecoder().decode(data);
    assert.deepEqual(texts, { stdout: "one\ntwo\n", stderr: "oh\n" }, `in chunks of ${size}`);
  }
});
