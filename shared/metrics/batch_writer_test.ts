import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../runtime/mod.ts";
import { memoryLogger, nullLogger } from "../telemetry/mod.ts";
import { BatchWriter, type Queued } from "./batch_writer.ts";
import { fillPrevious } from "./fill.ts";
import { pointsOfBatch, sendPoints } from "./messages.ts";
import type { Point } from "./point.ts";

const points = (count: number, from = 0): Point[] =>
  Array.from({ length: count }, (_, n) => ({ measurement: "m", tags: {}, fields: { n: BigInt(from + n) }, timeMs: n }));
const numbers = (batch: readonly Queued[]) => batch.map(({ point }) => Number(point.fields["n"]));

Deno.test("points wait for a second, or until there are fifty", async () => {
  const clock = new FakeClock();
  const batches: number[] = [];
  const writer = new BatchWriter((batch) => (batches.push(batch.length), Promise.resolve(0)), clock, nullLogger());
  writer.add("d", points(3));
  await clock.advance(999);
  assert.deepEqual(batches, []);
  await clock.advance(1);
  assert.deepEqual(batches, [3]);
  writer.add("d", points(50));
  await writer.flush();
  assert.deepEqual(batches, [3, 50]);
  await writer.close(0);
});

Deno.test("while the database is away points wait in order, the oldest go when there are too many, and one line says so", async () => {
  const clock = new FakeClock();
  const logger = memoryLogger();
  const written: number[] = [];
  let away = true;
  const writer = new BatchWriter(
    (batch) => away ? Promise.reject(new Error("away")) : (written.push(...numbers(batch)), Promise.resolve(0)),
    clock,
    logger.log,
  );
  writer.add("d", points(100));
  await writer.flush();
  writer.add("d", points(5000, 100));
  await clock.advance(60_000);
  assert.deepEqual([writer.stats.queued, writer.stats.dropped, writer.stats.trouble], [5000, 100, "away"]);
  away = false;
  await clock.advance(20_000);
  assert.deepEqual(written, Array.from({ length: 5000 }, (_, n) => n + 100));
  assert.deepEqual(writer.stats, { queued: 0, written: 5000, dropped: 100, trouble: undefined });
  assert.equal(logger.records.filter(({ message }) => message === "Metrics cannot be written, they wait").length, 1);
  await writer.close(0);
});

Deno.test("a writer that ends writes what waits, unless the database takes too long", async () => {
  const clock = new FakeClock();
  const written: number[] = [];
  const quick = new BatchWriter((batch) => (written.push(...numbers(batch)), Promise.resolve(0)), clock, nullLogger());
  quick.add("d", points(2));
  await quick.close(1000);
  assert.deepEqual(written, [0, 1]);
  const stuck = new BatchWriter(() => new Promise(() => {}), clock, nullLogger());
  stuck.add("d", points(2));
  const closed = stuck.close(1000);
  await clock.advance(1000);
  await closed;
});

Deno.test("points travel as messages and come out as they went in", () => {
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
    fc.string(),
    fc.boolean(),
  );
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  const point = fc.record({
    measurement: name,
    tags: fc.dictionary(name, fc.string()),
    fields: fc.dictionary(name, value, { minKeys: 1 }),
    timeMs: fc.integer({ min: 0, max: 2 ** 41 }),
  });
  fc.assert(fc.property(fc.array(point, { maxLength: 20 }), (sent) => {
    const came: Point[] = [];
    assert.equal(sendPoints({ send: (_, bytes) => came.push(...pointsOfBatch(bytes)) > 0 }, sent), 0);
    const plain = (list: readonly Point[]) =>
      list.map(({ tags, fields, ...rest }) => ({ ...rest, tags: { ...tags }, fields: { ...fields } }));
    assert.deepEqual(plain(came), plain(sent));
  }));
  assert.equal(sendPoints({ send: () => false }, points(1001)), 1001);
});

Deno.test("windows without values repeat the one before, up to the end of the range", () => {
  const series = {
    measurement: "m",
    tags: {},
    columns: ["time", "a", "b"],
    values: [[10, 1, null], [30, null, 2]],
  } as const;
  assert.deepEqual(fillPrevious(series, 10, 51).values, [[10, 1, null], [20, 1, null], [30, 1, 2], [40, 1, 2], [
    50,
    1,
    2,
  ]]);
  assert.deepEqual(fillPrevious({ ...series, values: [] }, 10, 50).values, []);
});
