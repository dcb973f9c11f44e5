import assert from "node:assert/strict";
import { CompactedError } from "../mod.ts";
import { bytes, type ConformanceCase, contents, plain, put, rejects, remove, take, text, within } from "./support.ts";

/** Watches, and what compaction leaves of the past. */
export const watchCases: ConformanceCase[] = [
  {
    name: "compaction removes the past, keeps the present, and says so",
    async run(store) {
      await put(store, "old", "1"); // 2
      await put(store, "a", "1"); // 3
      await put(store, "a", "2"); // 4
      await remove(store, "a"); // 5
      await put(store, "a", "3"); // 6
      await store.compact(5);
      assert.deepEqual(await contents(store, "", 5), { old: "1" });
      assert.deepEqual(await contents(store, "", 6), { old: "1", a: "3" });
      await rejects(() => store.get("a", { revision: 4 }), "compacted");
      await rejects(() => store.scan("", { revision: 4 }), "compacted");
      for (const fromRevision of [1, 4, 5]) {
        const error = await rejects(() => take(store, "", fromRevision, 1), "compacted");
        assert.equal((error as CompactedError).compactRevision, 5);
      }
      assert.deepEqual((await take(store, "", 6, 1)).map(plain), [{ revision: 6, events: ["put a=3"] }]);
      await store.compact(3);
      await store.compact(5);
      await rejects(() => store.compact(7), "future");
      await store.compact(6);
      assert.equal(await put(store, "b", "1"), 7);
      assert.deepEqual(await contents(store, ""), { old: "1", a: "3", b: "1" });
    },
  },
  {
    name: "watch replays from a revision and goes on, one batch a revision, in order",
    async run(store) {
      await put(store, "p/a", "1"); // 2
      await put(store, "q", "1"); // 3
      await store.transact([], [ // 4
        { type: "put", key: "p/b", value: bytes("1") },
        { type: "delete", key: "p/a" },
        { type: "put", key: "q", value: bytes("2") },
      ]);
      const watched = take(store, "p/", 2, 3);
      await put(store, "p/c", "1"); // 5
      const batches = await watched;
      assert.deepEqual(batches.map(plain), [
        { revision: 2, events: ["put p/a=1"] },
        { revision: 4, events: ["put p/b=1", "delete p/a"] },
        { revision: 5, events: ["put p/c=1"] },
      ]);
      assert.equal(batches[2]!.events[0]!.entry!.createRevision, 5);
      assert.deepEqual((await take(store, "", 4, 1)).map(plain), [
        { revision: 4, events: ["put p/b=1", "delete p/a", "put q=2"] },
      ]);
    },
  },
  {
    name: "watch from a revision yet to come begins there",
    async run(store) {
      const watched = take(store, "", 4, 1);
      await put(store, "a", "1"); // 2
      await put(store, "a", "2"); // 3
      await put(store, "a", "3"); // 4
      assert.deepEqual((await watched).map(plain), [{ revision: 4, events: ["put a=3"] }]);
    },
  },
  {
    name: "an aborted watch ends without an error",
    async run(store) {
      const stop = new AbortController();
      const watching = (async () => {
        for await (const _ of store.watch("", { fromRevision: 1, signal: stop.signal }));
      })();
      await put(store, "a", "1");
      stop.abort();
      await within(watching, "the watch ends");
      for await (const _ of store.watch("", { fromRevision: 1, signal: AbortSignal.abort() })) assert.fail();
    },
  },
  {
    name: "a scan and a watch from the next revision miss nothing while writers write",
    async run(store) {
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let i = 0; i < 50; i++) {
          const key = `k/${(writer * 7 + i) % 13}`;
          if (i % 5 === 4) await remove(store, key);
          else await put(store, key, `${writer}.${i}`);
        }
      });
      await put(store, "k/start", "1");
      const { entries, revision } = await store.scan("k/");
      const replica = new Map(entries.map((entry) => [entry.key, text(entry.value)]));
      const stop = new AbortController();
      let seen = revision;
      const watching = (async () => {
        for await (const batch of store.watch("k/", { fromRevision: revision + 1, signal: stop.signal })) {
          assert.ok(batch.revision > seen, "revisions grow");
          for (const event of batch.events) {
            assert.equal(event.modRevision, batch.revision);
            if (event.type === "put") replica.set(event.key, text(event.entry!.value));
            else replica.delete(event.key);
          }
          seen = batch.revision;
          if (replica.has("k/end")) return;
        }
      })();
      await Promise.all(writers);
      await put(store, "k/end", "1");
      await within(watching, "the watcher sees the end");
      assert.deepEqual(Object.fromEntries([...replica].sort()), await contents(store, "k/"));
    },
  },
  {
    name: "a watcher that lags behind compaction is told, or was served in full",
    async run(store) {
      const stop = new AbortController();
      const watcher = store.watch("", { fromRevision: 2, signal: stop.signal })[Symbol.asyncIterator]();
      await put(store, "a", "1"); // 2
      assert.deepEqual(plain((await watcher.next()).value!), { revision: 2, events: ["put a=1"] });
      for (let i = 0; i < 20; i++) await put(store, "a", String(i)); // 3..22
      await store.compact(22);
      await put(store, "a", "end"); // 23
      let last = 2;
      try {
        while (last < 23) {
          const { value } = await within(watcher.next(), "the watcher goes on");
          assert.equal(value!.revision, last + 1);
          last = value!.revision;
        }
      } catch (error) {
        assert.ok(error instanceof CompactedError, String(error));
      }
      stop.abort();
    },
  },
];
