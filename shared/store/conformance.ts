import assert from "node:assert/strict";
import { CompactedError, type Store, StoreError, transaction, type WatchBatch } from "./mod.ts";
import { MAX_KEY_BYTES, MAX_TRANSACTION_OPERATIONS, MAX_VALUE_BYTES } from "./limits.ts";

/** One rule that every driver keeps. It gets a fresh, empty store, and must leave it open. */
export interface ConformanceCase {
  name: string;
  run(store: Store): Promise<void>;
}

/** Longest wait for something that must happen, in milliseconds; generous, as machines may be loaded. */
const PATIENCE_MS = 30_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The suite that every driver passes. */
export const storeConformance: ConformanceCase[] = [
  {
    name: "an empty store is at revision 1 and a missing key has no entry",
    async run(store) {
      assert.deepEqual(await store.get("a"), { revision: 1 });
      assert.deepEqual(await store.scan(""), { entries: [], revision: 1, more: false });
    },
  },
  {
    name: "a put makes one revision and counts versions from creation",
    async run(store) {
      const first = await put(store, "a", "1");
      const second = await put(store, "a", "2");
      assert.deepEqual([first, second], [2, 3]);
      const { entry, revision } = await store.get("a");
      assert.equal(revision, 3);
      assert.deepEqual({ ...entry, value: text(entry!.value) }, {
        key: "a",
        value: "2",
        createRevision: 2,
        modRevision: 3,
        version: 2,
      });
      await remove(store, "a");
      await put(store, "a", "3");
      const again = (await store.get("a")).entry!;
      assert.deepEqual([again.createRevision, again.modRevision, again.version], [5, 5, 1]);
    },
  },
  {
    name: "an empty value is a value",
    async run(store) {
      await store.transact([], [{ type: "put", key: "a", value: new Uint8Array() }]);
      assert.equal((await store.get("a")).entry?.value.length, 0);
      const at = (await put(store, "b", "x")) - 1;
      assert.equal((await store.get("a", { revision: at })).entry?.value.length, 0);
    },
  },
  {
    name: "a transaction that changes nothing makes no revision",
    async run(store) {
      await put(store, "a", "1");
      assert.deepEqual(await store.transact([], []), { committed: true, revision: 2 });
      assert.deepEqual(await store.transact([], [{ type: "delete", key: "nobody" }]), { committed: true, revision: 2 });
      assert.equal((await store.get("a")).revision, 2);
    },
  },
  {
    name: "all writes of a transaction share a revision, and none happens when a compare fails",
    async run(store) {
      const { revision } = await store.transact([], [
        { type: "put", key: "a", value: bytes("1") },
        { type: "put", key: "b", value: bytes("1") },
      ]);
      assert.equal(revision, 2);
      const refused = await store.transact(
        [{ key: "a", target: "modRevision", op: "=", value: 2 }, {
          key: "b",
          target: "modRevision",
          op: "=",
          value: 0,
        }],
        [{ type: "put", key: "a", value: bytes("2") }, { type: "delete", key: "b" }],
      );
      assert.deepEqual(refused, { committed: false, revision: 2 });
      const taken = await store.transact(
        [{ key: "a", target: "modRevision", op: "=", value: 2 }, {
          key: "c",
          target: "modRevision",
          op: "=",
          value: 0,
        }],
        [{ type: "put", key: "a", value: bytes("2") }, { type: "delete", key: "b" }],
      );
      assert.deepEqual(taken, { committed: true, revision: 3 });
      assert.deepEqual(await contents(store, ""), { a: "2" });
    },
  },
  {
    name: "a compare on a prefix notices new and changed keys",
    async run(store) {
      await put(store, "p/a", "1");
      const unchangedSince = (value: number) =>
        store.transact([{ prefix: "p/", target: "modRevision", op: "<", value }], []);
      assert.equal((await unchangedSince(3)).committed, true);
      assert.equal((await unchangedSince(2)).committed, false);
      await put(store, "q", "1");
      assert.equal((await unchangedSince(3)).committed, true);
      await put(store, "p/b", "1");
      assert.equal((await unchangedSince(4)).committed, false);
      assert.equal((await unchangedSince(5)).committed, true);
      assert.equal(
        (await store.transact([{ prefix: "none/", target: "modRevision", op: "<", value: 1 }], [])).committed,
        true,
      );
    },
  },
  {
    name: "concurrent creators of one key: exactly one wins",
    async run(store) {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          store.transact([{ key: "a", target: "modRevision", op: "=", value: 0 }], [
            { type: "put", key: "a", value: bytes(String(i)) },
          ])),
      );
      assert.equal(outcomes.filter((outcome) => outcome.committed).length, 1);
      assert.equal((await store.get("a")).revision, 2);
    },
  },
  {
    name: "scan is in byte order, limited, resumable and confined to its prefix",
    async run(store) {
      // U+FFFF sorts before U+1F600 as UTF-8, but after it as JavaScript strings.
      const keys = ["p/", "p/A", "p/a", "p/a/b", "p/é", "p/\uffff", "p/\u{1f600}"];
      for (const key of ["p", "o", "p0", "q/a", ...keys.toReversed()]) await put(store, key, key);
      const all = await store.scan("p/");
      assert.deepEqual(all.entries.map((entry) => entry.key), keys);
      assert.equal(all.more, false);
      const seen: string[] = [];
      for (let after: string | undefined, more = true; more;) {
        const page = await store.scan("p/", { limit: 2, after, revision: all.revision });
        assert.ok(page.entries.length <= 2);
        seen.push(...page.entries.map((entry) => entry.key));
        after = page.entries.at(-1)?.key;
        more = page.more;
      }
      assert.deepEqual(seen, keys);
      assert.equal((await store.scan("p/", { limit: keys.length })).more, false);
      assert.deepEqual((await store.scan("p/", { after: "q" })).entries, []);
      assert.equal((await store.scan("p/", { after: "a" })).entries.length, keys.length);
      assert.equal((await store.scan("")).entries.length, keys.length + 4);
    },
  },
  {
    name: "a scan of more than a page shows one state",
    async run(store) {
      const count = 2500;
      for (let i = 0; i < count; i += MAX_TRANSACTION_OPERATIONS) {
        const size = Math.min(MAX_TRANSACTION_OPERATIONS, count - i);
        await store.transact(
          [],
          Array.from({ length: size }, (_, j) => ({ type: "put", key: `k/${i + j}`, value: bytes("") }) as const),
        );
      }
      const { entries } = await store.scan("k/");
      assert.equal(new Set(entries.map((entry) => entry.key)).size, count);
    },
  },
  {
    name: "reads at a revision see that revision",
    async run(store) {
      await put(store, "a", "1"); // 2
      await put(store, "b", "1"); // 3
      await put(store, "a", "2"); // 4
      await remove(store, "b"); // 5
      await put(store, "c", "1"); // 6
      assert.deepEqual(await contents(store, "", 1), {});
      assert.deepEqual(await contents(store, "", 3), { a: "1", b: "1" });
      assert.deepEqual(await contents(store, "", 4), { a: "2", b: "1" });
      assert.deepEqual(await contents(store, "", 5), { a: "2" });
      assert.deepEqual(await contents(store, "", 6), { a: "2", c: "1" });
      assert.equal(text((await store.get("b", { revision: 4 })).entry!.value), "1");
      assert.deepEqual(await store.get("b", { revision: 5 }), { revision: 5 });
      await rejects(() => store.get("a", { revision: 7 }), "future");
    },
  },
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
  {
    name: "keys of a lease vanish together when it is revoked",
    async run(store) {
      const lease = await store.grantLease(60_000);
      assert.ok(lease.ttlMs >= 60_000);
      await store.transact([], [
        { type: "put", key: "a", value: bytes("1"), lease: lease.id },
        { type: "put", key: "b", value: bytes("1"), lease: lease.id },
        { type: "put", key: "c", value: bytes("1"), lease: lease.id },
      ]);
      await put(store, "c", "detached");
      assert.equal((await store.get("a")).entry!.lease, lease.id);
      assert.equal((await store.get("c")).entry!.lease, undefined);
      await lease.keepAlive();
      const watched = take(store, "", (await store.get("a")).revision + 1, 1);
      await lease.revoke();
      await within(lease.lost, "the revoked lease is lost");
      const [batch] = await watched;
      assert.deepEqual(plain(batch!).events.sort(), ["delete a", "delete b"]);
      assert.deepEqual(await contents(store, ""), { c: "detached" });
      await rejects(() => lease.keepAlive(), "lease");
      await rejects(
        () => store.transact([], [{ type: "put", key: "d", value: bytes(""), lease: lease.id }]),
        "lease",
      );
      await lease.revoke();
    },
  },
  {
    name: "keys of a lease that nobody keeps alive vanish",
    async run(store) {
      const lease = await store.grantLease(1000);
      await store.transact([], [{ type: "put", key: "a", value: bytes("1"), lease: lease.id }]);
      await lease.keepAlive();
      const watched = take(store, "", 3, 1);
      assert.deepEqual(plain((await watched)[0]!).events, ["delete a"]);
      await within(lease.lost, "the expired lease is lost");
      await rejects(() => lease.keepAlive(), "lease");
    },
  },
  {
    name: "transaction retries until its reads still hold",
    async run(store) {
      await Promise.all(Array.from({ length: 10 }, () =>
        transaction(store, async (tx) => {
          const count = Number(text((await tx.get("count"))?.value ?? bytes("0")));
          tx.put("count", bytes(String(count + 1)));
        })));
      assert.deepEqual(await contents(store, ""), { count: "10" });
    },
  },
  {
    name: "transaction reads one revision and its own writes",
    async run(store) {
      await put(store, "p/a", "1");
      await put(store, "p/b", "1");
      let runs = 0;
      const { value, revision } = await transaction(store, async (tx) => {
        runs++;
        assert.equal(text((await tx.get("p/a"))!.value), runs === 1 ? "1" : "2");
        if (runs === 1) {
          await store.transact([], [
            { type: "put", key: "p/a", value: bytes("2") },
            { type: "put", key: "p/b", value: bytes("2") },
          ]);
        }
        // Still the state of the first read, however late it is asked for.
        assert.equal(text((await tx.get("p/b"))!.value), runs === 1 ? "1" : "2");
        tx.delete("p/a");
        tx.put("p/c", bytes("3"));
        assert.equal(await tx.get("p/a"), undefined);
        return (await tx.scan("p/")).map((entry) => entry.key);
      });
      assert.deepEqual([runs, value, revision], [2, ["p/b", "p/c"], 5]);
      assert.deepEqual(await contents(store, ""), { "p/b": "2", "p/c": "3" });
    },
  },
  {
    name: "transaction that scanned is not fooled by a key that comes or goes",
    async run(store) {
      await put(store, "p/a", "1");
      for (const disturb of [() => put(store, "p/b", "1"), () => remove(store, "p/a")]) {
        let runs = 0;
        const { value } = await transaction(store, async (tx) => {
          const found = (await tx.scan("p/")).length;
          if (runs++ === 0) await disturb();
          tx.put("found", bytes(String(found)));
          return found;
        });
        assert.equal(runs, 2);
        assert.equal(value, (await store.scan("p/")).entries.length);
      }
    },
  },
  {
    name: "transaction that only reads commits nothing, and an error in its body writes nothing",
    async run(store) {
      await put(store, "a", "1");
      const { value, revision } = await transaction(store, async (tx) => text((await tx.get("a"))!.value));
      assert.deepEqual([value, revision], ["1", 2]);
      const failure = new Error("No");
      await assert.rejects(
        transaction(store, (tx) => {
          tx.put("a", bytes("2"));
          throw failure;
        }),
        failure,
      );
      assert.deepEqual(await contents(store, ""), { a: "1" });
    },
  },
  {
    name: "transaction that always loses gives up with a conflict",
    async run(store) {
      await rejects(() =>
        transaction(store, async (tx) => {
          await tx.get("a");
          await put(store, "a", "x");
          tx.put("a", bytes("y"));
        }, { maxAttempts: 3 }), "conflict");
      assert.deepEqual(await contents(store, ""), { a: "x" });
      assert.equal((await store.get("a")).revision, 4);
    },
  },
  {
    name: "what breaks a rule is refused and changes nothing",
    async run(store) {
      const value = bytes("1");
      const many = Array.from({ length: MAX_TRANSACTION_OPERATIONS + 1 }, (_, i) => `k${i}`);
      const refused = [
        () => store.get(""),
        () => store.get("a\0b"),
        () => store.get("\ud800"),
        () => store.get("x".repeat(MAX_KEY_BYTES + 1)),
        () => store.get("a", { revision: 0 }),
        () => store.scan("a", { limit: 0 }),
        () => store.scan("a", { revision: 1.5 }),
        () => store.transact([], [{ type: "put", key: "a", value }, { type: "delete", key: "a" }]),
        () => store.transact([], [{ type: "put", key: "a", value: new Uint8Array(MAX_VALUE_BYTES + 1) }]),
        () => store.transact([], many.map((key) => ({ type: "put", key, value }) as const)),
        () => store.transact(many.map((key) => ({ key, target: "modRevision", op: "=", value: 0 }) as const), []),
        () => store.transact([{ key: "a", target: "modRevision", op: "=", value: -1 }], []),
        () =>
          store.transact([], ["a", "b"].map((key) => ({ type: "put", key, value: new Uint8Array(900_000) }) as const)),
        () => take(store, "", 0, 1),
        () => store.grantLease(10),
        () => store.compact(0),
      ];
      for (const attempt of refused) await rejects(attempt, "invalid");
      await rejects(() => store.transact([], [{ type: "put", key: "a", value, lease: "12345" }]), "lease");
      assert.deepEqual(await store.scan(""), { entries: [], revision: 1, more: false });
      const longest = "é".repeat(MAX_KEY_BYTES / 2);
      await store.transact([], [{ type: "put", key: longest, value: new Uint8Array(MAX_VALUE_BYTES).fill(7) }]);
      const { entry } = await store.get(longest);
      assert.equal(entry!.value.length, MAX_VALUE_BYTES);
      assert.ok(entry!.value.every((byte) => byte === 7));
    },
  },
  {
    name: "status tells the revision, and a closed store refuses",
    async run(store) {
      await put(store, "a", "1");
      const { revision, healthy, detail } = await store.status();
      assert.deepEqual([revision, healthy], [2, true]);
      assert.ok(detail.length > 0);
      const lease = await store.grantLease(60_000);
      const watching = take(store, "", 3, 1);
      await store.close();
      await store.close();
      assert.deepEqual(await within(watching, "the watch ends"), []);
      await within(lease.lost, "the lease is given up");
      await rejects(() => store.get("a"), "closed");
      await rejects(() => store.transact([], []), "closed");
      await rejects(() => take(store, "", 1, 1), "closed");
      assert.equal((await store.status()).healthy, false);
    },
  },
];

function bytes(value: string): Uint8Array {
  return encoder.encode(value);
}

function text(value: Uint8Array): string {
  return decoder.decode(value);
}

async function put(store: Store, key: string, value: string): Promise<number> {
  return (await store.transact([], [{ type: "put", key, value: bytes(value) }])).revision;
}

async function remove(store: Store, key: string): Promise<number> {
  return (await store.transact([], [{ type: "delete", key }])).revision;
}

async function contents(store: Store, prefix: string, revision?: number): Promise<Record<string, string>> {
  const { entries } = await store.scan(prefix, { revision });
  return Object.fromEntries(entries.map((entry) => [entry.key, text(entry.value)]));
}

/** The first `count` batches with events, fewer when the watch ends before. */
async function take(store: Store, prefix: string, fromRevision: number, count: number): Promise<WatchBatch[]> {
  const stop = new AbortController();
  const taken: WatchBatch[] = [];
  const taking = (async () => {
    for await (const batch of store.watch(prefix, { fromRevision, signal: stop.signal })) {
      if (batch.events.length > 0) taken.push(batch);
      if (taken.length === count) break;
    }
  })();
  try {
    await within(taking, `${count} batches`);
  } finally {
    stop.abort();
  }
  return taken;
}

function plain(batch: WatchBatch): { revision: number; events: string[] } {
  const events = batch.events.map((event) =>
    event.type === "put" ? `put ${event.key}=${text(event.entry!.value)}` : `delete ${event.key}`
  );
  return { revision: batch.revision, events };
}

async function rejects(attempt: () => Promise<unknown>, reason: string): Promise<StoreError> {
  try {
    await attempt();
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.reason, reason, error.message);
    return error;
  }
  assert.fail(`Nothing was refused where ${reason} was due: ${attempt}`);
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${PATIENCE_MS} ms in vain: ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
