import assert from "node:assert/strict";
import { MAX_KEY_BYTES, MAX_TRANSACTION_OPERATIONS, MAX_VALUE_BYTES } from "../mod.ts";
import { bytes, type ConformanceCase, contents, put, rejects, remove, take, text } from "./support.ts";

/** Keys, revisions and transactions as single requests. */
export const keysCases: ConformanceCase[] = [
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
];
