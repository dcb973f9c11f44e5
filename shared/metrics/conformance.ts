import assert from "node:assert/strict";
import { MetricsError } from "./errors.ts";
import type { Point } from "./point.ts";
import type { MetricsQuery, Series } from "./query.ts";
import type { MetricsStore } from "./store.ts";

/** One rule that every driver keeps, on a store without data. */
export interface MetricsCase {
  readonly name: string;
  run(store: MetricsStore): Promise<void>;
}

/** Begin of an hour, not so long ago that anything would be too old to keep. */
const T0 = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000;

const at = (seconds: number, measurement: string, tags: Point["tags"], fields: Point["fields"]): Point => ({
  measurement,
  tags,
  fields,
  timeMs: T0 + seconds * 1000,
});

const range = { fromMs: T0, toMs: T0 + 3_600_000 };

async function read(store: MetricsStore, query: Partial<MetricsQuery>): Promise<Series[]> {
  const found = await store.query("metrics", {
    measurement: "cpu",
    select: [{ field: "used" }],
    ...range,
    ...query,
  });
  const order = ({ tags }: Series) => JSON.stringify(Object.entries(tags).sort());
  return found.sort((a, b) => order(a) < order(b) ? -1 : 1);
}

/** Times as seconds after T0, so that what is expected is easily read. */
function rows(series: Series | undefined): unknown[][] {
  return (series?.values ?? []).map(([time, ...row]) => [(time - T0) / 1000, ...row]);
}

/** The suite that every driver passes. */
export const metricsConformance: readonly MetricsCase[] = [
  {
    name: "points are read by series, oldest first, with the values of their types",
    async run(store) {
      store.write("metrics", [
        at(2, "cpu", { host: "a", zone: "" }, { used: 0.5, count: 7n, name: 'say "hi", \\ok', up: true }),
        at(1, "cpu", { host: "a" }, { used: 2 }),
        at(1.25, "cpu", { host: "b, c=d e" }, { used: 3.25 }),
        at(1, "mem", { host: "a" }, { used: 9 }),
      ]);
      await store.flush();
      const select = ["used", "count", "name", "up"].map((field) => ({ field }));
      const found = await read(store, { select });
      assert.deepEqual(found.map(({ measurement, tags, columns }) => [measurement, { ...tags }, columns]), [
        ["cpu", { host: "a" }, ["time", "used", "count", "name", "up"]],
        ["cpu", { host: "b, c=d e" }, ["time", "used", "count", "name", "up"]],
      ]);
      assert.deepEqual(rows(found[0]), [[1, 2, null, null, null], [2, 0.5, 7, 'say "hi", \\ok', true]]);
      assert.deepEqual(rows(found[1]), [[1.25, 3.25, null, null, null]]);
      assert.equal(store.stats().written, 4);
      assert.deepEqual(await read(store, { measurement: "nothing" }), []);
      assert.deepEqual(await store.query("empty", { measurement: "cpu", select: [{ field: "used" }], ...range }), []);
    },
  },
  {
    name: "a point that comes again adds its fields to the one that is there",
    async run(store) {
      store.write("metrics", [at(1, "cpu", { host: "a" }, { used: 1, free: 1 })]);
      await store.flush();
      store.write("metrics", [at(1, "cpu", { host: "a" }, { used: 2, idle: 3 })]);
      await store.flush();
      const select = ["used", "free", "idle"].map((field) => ({ field }));
      assert.deepEqual(rows((await read(store, { select }))[0]), [[1, 2, 1, 3]]);
    },
  },
  {
    name: "tags, ranges and limits narrow what is read; a begin is in, an end is not",
    async run(store) {
      const points = ["a", "b", "it's; DROP"].flatMap((host) =>
        [0, 10, 20, 30].map((seconds) => at(seconds, "cpu", { host }, { used: seconds + 0.5 }))
      );
      points.push(at(5, "cpu", {}, { used: 0.25 }));
      store.write("metrics", points);
      await store.flush();
      const hosts = (found: Series[]) => found.map(({ tags }) => tags["host"]);
      assert.deepEqual(hosts(await read(store, { tags: { host: "it's; DROP" } })), ["it's; DROP"]);
      assert.deepEqual(hosts(await read(store, { tags: { host: ["a", "b", "c"] } })), ["a", "b"]);
      assert.deepEqual(hosts(await read(store, { tags: { host: "" } })), [undefined]);
      assert.deepEqual(await read(store, { tags: { host: "a' OR 1=1 --" } }), []);
      const part = await read(store, { tags: { host: "a" }, fromMs: T0 + 10_000, toMs: T0 + 30_000 });
      assert.deepEqual(rows(part[0]), [[10, 10.5], [20, 20.5]]);
      const newest = await read(store, { tags: { host: ["a", "b"] }, limit: 2 });
      assert.deepEqual(newest.map(rows), [[[20, 20.5], [30, 30.5]], [[20, 20.5], [30, 30.5]]]);
    },
  },
  {
    name: "windows aggregate by time, over all series of a group",
    async run(store) {
      store.write("metrics", [
        at(0, "cpu", { host: "a", core: "0" }, { used: 1, n: 1n }),
        at(20, "cpu", { host: "a", core: "1" }, { used: 4, n: 10n }),
        at(40, "cpu", { host: "a", core: "0" }, { used: 2.5, n: 100n }),
        at(130, "cpu", { host: "a", core: "0" }, { used: 8, n: 7n }),
        at(10, "cpu", { host: "b", core: "0" }, { used: 9, n: 5n }),
      ]);
      await store.flush();
      const select = [
        { field: "used", aggregate: "mean", as: "avg" },
        { field: "used", aggregate: "max" },
        { field: "used", aggregate: "min", as: "min" },
        { field: "n", aggregate: "sum" },
        { field: "n", aggregate: "last", as: "last" },
        { field: "n", aggregate: "count", as: "count" },
      ] as const;
      const found = await read(store, { select, groupBy: ["host"], windowMs: 60_000 });
      assert.deepEqual(found.map(({ tags }) => ({ ...tags })), [{ host: "a" }, { host: "b" }]);
      assert.deepEqual(found[0]!.columns, ["time", "avg", "used", "min", "n", "last", "count"]);
      assert.deepEqual(rows(found[0]), [[0, 2.5, 4, 1, 111, 100, 3], [120, 8, 8, 8, 7, 7, 1]]);
      assert.deepEqual(rows(found[1]), [[0, 9, 9, 9, 5, 5, 1]]);
      const all = await read(store, { select: [{ field: "n", aggregate: "sum" }], groupBy: [], windowMs: 3_600_000 });
      assert.deepEqual(all.map(rows), [[[0, 123]]]);
      const last = await read(store, {
        select: [{ field: "n", aggregate: "sum" }],
        groupBy: ["host"],
        windowMs: 60_000,
        limit: 1,
      });
      assert.deepEqual(rows(last[0]), [[120, 7]]);
    },
  },
  {
    name: "databases and their policies are apart from each other",
    async run(store) {
      const query: MetricsQuery = { measurement: "cpu", select: [{ field: "used" }], ...range };
      for (const [database, used] of [["one", 1], ["two", 2], ["one/long", 3], ["one/longer", 4]] as const) {
        store.write(database, [at(1, "cpu", {}, { used })]);
      }
      await store.flush();
      for (const [database, used] of [["one", 1], ["two", 2], ["one/long", 3], ["one/longer", 4]] as const) {
        assert.deepEqual(rows((await store.query(database, query))[0]), [[1, used]], database);
      }
    },
  },
  {
    name: "how long points are kept can be said before and after they come, and said anew",
    async run(store) {
      await store.setRetention("metrics", 3 * 24 * 3_600_000);
      store.write("metrics", [at(1, "cpu", {}, { used: 1 })]);
      await store.flush();
      await store.setRetention("metrics", 0);
      await store.setRetention("metrics/short", 2 * 3_600_000);
      await store.setRetention("metrics", 30 * 24 * 3_600_000);
      assert.deepEqual(rows((await read(store, {}))[0]), [[1, 1]]);
      await assert.rejects(store.setRetention("metrics", 1000), hasReason("invalid"));
    },
  },
  {
    name: "what is no point is dropped and counted, and costs the others nothing",
    async run(store) {
      store.write("metrics", [
        at(1, "cpu", { host: "a" }, {}),
        at(1, "cpu", { host: "a\nb" }, { used: 1 }),
        at(1, "cpu", { host: "a\\" }, { used: 1 }),
        at(1, 'c"pu', { host: "a" }, { used: 1 }),
        at(1, "cpu", { 'ho"st': "a" }, { used: 1 }),
        at(1, "cpu", { host: "a" }, { used: NaN }),
        at(1, "cpu", { host: "a" }, { used: 2n ** 70n }),
        at(NaN, "cpu", { host: "a" }, { used: 1 }),
        at(1, "cpu", { host: "ä 😀" }, { used: 1 }),
      ]);
      await store.flush();
      assert.deepEqual((await read(store, {})).map(({ tags }) => tags["host"]), ["ä 😀"]);
      const { written, dropped, queued } = store.stats();
      assert.deepEqual([written, dropped, queued], [1, 8, 0]);
    },
  },
  {
    name: "queries that no database is to be asked are refused",
    async run(store) {
      const bad: Partial<MetricsQuery>[] = [
        { measurement: 'cpu" DROP' },
        { select: [] },
        { select: [{ field: 'a"' }] },
        { select: [{ field: "used", as: 'a"' }] },
        { select: [{ field: "used", aggregate: "max" }] },
        { windowMs: 1000 },
        { tags: { 'a"': "" } },
        { tags: { host: [] } },
        { groupBy: ["*"] },
        { limit: 0 },
        { fromMs: -1 },
        { fromMs: 2, toMs: 1 },
      ];
      for (const query of bad) await assert.rejects(read(store, query), hasReason("invalid"), JSON.stringify(query));
      for (const name of ["", "a/b/c", 'a"b', "a/"]) {
        assert.throws(() => store.write(name, []), hasReason("invalid"), name);
      }
    },
  },
  {
    name: "a thousand points in one go are all there",
    async run(store) {
      store.write(
        "metrics",
        Array.from({ length: 1000 }, (_, n) => at(n / 10, "cpu", { host: `h${n % 7}` }, { used: n })),
      );
      await store.flush();
      const found = await read(store, {
        select: [{ field: "used", aggregate: "count" }],
        groupBy: [],
        windowMs: 3_600_000,
      });
      assert.deepEqual(rows(found[0]), [[0, 1000]]);
    },
  },
  {
    name: "after its end nothing more is taken",
    async run(store) {
      await store.close();
      await store.close();
      store.write("metrics", [at(1, "cpu", {}, { used: 1 })]);
      assert.equal(store.stats().dropped, 1);
      await assert.rejects(read(store, {}), hasReason("closed"));
      await assert.rejects(store.setRetention("metrics", 0), hasReason("closed"));
    },
  },
];

function hasReason(reason: MetricsError["reason"]): (error: unknown) => boolean {
  return (error) => error instanceof MetricsError && error.reason === reason;
}
