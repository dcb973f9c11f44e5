import assert from "node:assert/strict";
import fc from "fast-check";
import hpackJs from "hpack.js";
import {
  type HeaderField,
  type HeaderList,
  HpackDecoder,
  HpackEncoder,
  HpackError,
  huffmanDecode,
  huffmanEncode,
  huffmanLength,
  PreparedHeaders,
} from "./mod.ts";

const latin1 = (constraints: { minLength?: number; maxLength: number }) =>
  fc.array(fc.integer({ min: 0x20, max: 0xff }), constraints).map((codes) => String.fromCharCode(...codes));
const name = fc.oneof(
  fc.constantFrom(":method", ":path", ":status", "content-type", "te", "grpc-status", "authorization", "x-a", "x-b"),
  fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789-_."), minLength: 1, maxLength: 20 })
    // The other implementation stumbles over names such as "constructor".
    .filter((text) => !(text in Object.prototype)),
);
const value = fc.oneof(
  fc.constantFrom("", "0", "/", "200", "POST", "application/grpc", "trailers"),
  latin1({ maxLength: 60 }).map((text) => text.trim()).filter((text) => !/^\s|\s$/.test(text)),
);
const field: fc.Arbitrary<HeaderField> = fc.tuple(name, value);
const list: fc.Arbitrary<HeaderList> = fc.array(field, { maxLength: 12 });
/** A step of a connection's life: a list sent plain or prepared (twice, so that its cached form is used), or a new table size. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("plain" as const), list }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("prepared" as const), list }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("resize" as const), size: fc.integer({ min: 0, max: 8192 }) }),
  },
);

function pairUp(): { encoder: HpackEncoder; decoder: HpackDecoder } {
  return {
    encoder: new HpackEncoder({ tableBytes: 4096 }),
    decoder: new HpackDecoder({ tableBytes: 8192, maxListBytes: 1 << 20, maxFields: 1000 }),
  };
}

Deno.test("what the encoder writes, the decoder reads, through a connection's life", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { encoder, decoder } = pairUp();
      for (const action of steps) {
        if (action.kind === "resize") {
          encoder.allowTableBytes(action.size);
          continue;
        }
        const sent = action.kind === "prepared" ? new PreparedHeaders(action.list) : action.list;
        for (let time = 0; time < 3; time++) {
          const block = encoder.encode(sent).slice();
          assert.deepEqual(decoder.decode(block, 0, block.length).headers, action.list);
          assert.equal(decoder.table.size, encoder.table.size);
          assert.ok(encoder.table.size <= encoder.table.capacity);
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("another implementation reads what the encoder writes", () => {
  fc.assert(
    fc.property(fc.array(list, { maxLength: 10 }), (lists) => {
      const encoder = new HpackEncoder({ tableBytes: 4096 });
      const other = hpackJs.decompressor.create({ table: { size: 4096 } });
      for (const headers of lists) {
        const sent = new PreparedHeaders(headers);
        for (let time = 0; time < 2; time++) {
          other.write(encoder.encode(sent).slice());
          other.execute();
          const read: HeaderField[] = [];
          for (let one = other.read(); one !== null; one = other.read()) read.push([one.name, one.value]);
          assert.deepEqual(read, headers.map(([name, value]) => [name, value]));
        }
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("the decoder reads what another implementation writes", () => {
  const ascii = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)),
    maxLength: 40,
  });
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.tuple(name, ascii), { maxLength: 8 }), { maxLength: 10 }),
      fc.boolean(),
      (lists, huffman) => {
        const decoder = new HpackDecoder({ tableBytes: 4096, maxListBytes: 1 << 20, maxFields: 1000 });
        const other = hpackJs.compressor.create({ table: { size: 4096 } });
        for (const headers of lists) {
          other.write(headers.map(([name, value]) => ({ name, value, huffman })));
          const block = new Uint8Array(other.read() ?? []);
          assert.deepEqual(decoder.decode(block, 0, block.length).headers, headers);
        }
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("Huffman code keeps every string", () => {
  fc.assert(fc.property(latin1({ maxLength: 200 }), (text) => {
    const out = new Uint8Array(huffmanLength(text));
    huffmanEncode(text, out, 0);
    assert.equal(huffmanDecode(out, 0, out.length), text);
  }));
});

Deno.test("random octets decode or fail with HpackError, within the limits", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder({ tableBytes: 256, maxListBytes: 1000, maxFields: 20 });
      for (const block of blocks) {
        try {
          const { headers } = decoder.decode(block, 0, block.length);
          assert.ok(headers.length <= 20);
        } catch (error) {
          assert.ok(error instanceof HpackError, String(error));
          return;
        }
        assert.ok(decoder.table.size <= 256);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a block that repeats yields the same list object while the table stands", () => {
  const { encoder, decoder } = pairUp();
  const sent: HeaderList = [[":method", "POST"], [":path", "/a.B/C"], ["te", "trailers"]];
  const decode = () => {
    const block = encoder.encode(sent).slice();
    return decoder.decode(block, 0, block.length).headers;
  };
  decode(); // fills the table
  const first = decode();
  assert.equal(decode(), first);
  const other = encoder.encode([[":path", "/other"]]).slice();
  decoder.decode(other, 0, other.length);
  const later = decode();
  assert.notEqual(later, first);
  assert.deepEqual(later, first);
});

Deno.test("a sensitive field is never indexed, and its value is in no table", () => {
  const encoder = new HpackEncoder({ tableBytes: 4096 });
  const block = encoder.encode([["authorization", "Bearer x"]]);
  assert.equal(block[0]! & 0xf0, 0x10);
  assert.equal(encoder.table.count, 0);
});

Deno.test("a bomb of references stops the decoder long before its list is built", () => {
  const decoder = new HpackDecoder({ tableBytes: 4096, maxListBytes: 16_384, maxFields: 128 });
  const big: HeaderList = [["x-bomb", "b".repeat(3_900)]];
  const bomb = new PreparedHeaders(big);
  const insert = new HpackEncoder({ tableBytes: 4096 }).encode(bomb).slice();
  const block = new Uint8Array(insert.length + 16_000).fill(0x80 | 62);
  block.set(insert);
  assert.throws(() => decoder.decode(block, 0, block.length), HpackError);
});

Deno.test("a list past its limits is read to its end and marked", () => {
  const { encoder } = pairUp();
  const decoder = new HpackDecoder({ tableBytes: 4096, maxListBytes: 1_000, maxFields: 128 });
  const long = encoder.encode([["x-a", "a".repeat(900)], ["x-b", "b".repeat(900)], [":path", "/later"]]).slice();
  const decoded = decoder.decode(long, 0, long.length);
  assert.equal(decoded.tooLarge, true);
  assert.deepEqual(decoded.headers, [["x-a", "a".repeat(900)]]);
  const next = encoder.encode([[":path", "/later"]]).slice();
  assert.deepEqual(decoder.decode(next, 0, next.length).headers, [[":path", "/later"]]);
});
