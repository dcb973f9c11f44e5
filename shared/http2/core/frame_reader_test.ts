import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, frame } from "../testing/frames.ts";
import { ErrorCode } from "./constants.ts";
import { ConnectionError } from "./errors.ts";
import { FrameReader, type FrameSink } from "./frame_reader.ts";

interface Seen {
  type: number;
  flags: number;
  id: number;
  payload: number[];
}

function recorder(): FrameSink & { seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    frame: (type, flags, id, source, start, end) =>
      seen.push({ type, flags, id, payload: [...source.slice(start, end)] }),
  };
}

const anyFrame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  flags: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 0x7fffffff }),
  payload: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 }),
});

Deno.test("frames come out the same however the octets are cut", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 10 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
      const bytes = concat(...frames.map(({ type, flags, id, payload }) => frame(type, flags, id, payload)));
      const sink = recorder();
      const reader = new FrameReader(16_384);
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        reader.push(bytes.slice(at, at + cut), 0, sink);
        at = Math.min(bytes.length, at + cut);
        assert.ok(reader.pendingBytes <= 9 + 60);
      }
      assert.deepEqual(sink.seen, frames.map((one) => ({ ...one })));
      assert.equal(reader.pendingBytes, 0);
    }),
  );
});

Deno.test("a frame above the limit is refused by its header, before any of it is kept", () => {
  const reader = new FrameReader(16_384);
  const header = frame(0, 0, 1, []);
  header.set([0x00, 0x40, 0x01]);
  for (let at = 0; at < 8; at++) reader.push(header.subarray(at, at + 1), 0, recorder());
  assert.throws(
    () => reader.push(header.subarray(8), 0, recorder()),
    (error) => error instanceof ConnectionError && error.code === ErrorCode.FRAME_SIZE_ERROR,
  );
});

Deno.test("a reader that is stopped by a frame delivers none behind it", () => {
  const reader = new FrameReader(16_384);
  let count = 0;
  const sink: FrameSink = { frame: () => (count++, reader.stop()) };
  reader.push(concat(frame(6, 0, 0, [1]), frame(6, 0, 0, [2])), 0, sink);
  reader.push(frame(6, 0, 0, [3]), 0, sink);
  assert.equal(count, 1);
});
