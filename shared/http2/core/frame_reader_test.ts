import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, frame } from "../testing/frames.ts";
import { ErrorCode, Flag, FrameType } from "./constants.ts";
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

/** Joins the parts of DATA frames to as many octets as the frames sent had. */
function joined(seen: Seen[], sent: readonly Seen[]): Seen[] {
  const rest = [...seen];
  return sent.map(({ payload }) => {
    const whole = rest.shift()!;
    while (whole.type === FrameType.DATA && whole.payload.length < payload.length) {
      assert.equal(whole.flags & (Flag.END_STREAM | Flag.PADDED), 0, "only the last part ends the stream");
      const part = rest.shift()!;
      assert.deepEqual([part.type, part.id], [whole.type, whole.id]);
      whole.flags = part.flags;
      whole.payload.push(...part.payload);
    }
    return whole;
  });
}

const anyFrame = fc.record({
  type: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })),
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
      assert.deepEqual(joined(sink.seen, frames), frames.map((one) => ({ ...one })));
      assert.equal(reader.pendingBytes, 0);
    }),
  );
});

Deno.test("of DATA nothing is held, of other frames one", () => {
  const reader = new FrameReader(16_384);
  const sink = recorder();
  reader.push(frame(0, 1, 1, new Uint8Array(10_000)).subarray(0, 5_000), 0, sink);
  assert.equal(reader.pendingBytes, 0);
  assert.deepEqual([sink.seen.length, sink.seen[0]!.payload.length, sink.seen[0]!.flags], [1, 4_991, 0]);
  reader.push(new Uint8Array(5_009), 0, sink);
  assert.deepEqual([sink.seen.length, sink.seen[1]!.payload.length, sink.seen[1]!.flags], [2, 5_009, 1]);
  reader.push(frame(1, 4, 1, new Uint8Array(10_000)).subarray(0, 5_000), 0, sink);
  assert.equal(reader.pendingBytes, 5_000);
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
