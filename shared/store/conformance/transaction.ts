import assert from "node:assert/strict";
import { transaction } from "../mod.ts";
import { bytes, type ConformanceCase, contents, put, rejects, remove, text } from "./support.ts";

/** Transactions that read before they write. */
export const transactionCases: ConformanceCase[] = [
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
    name: "transaction that holds a prefix notices what comes and changes there, and not what goes",
    async run(store) {
      for (const key of ["p/a", "p/b", "q"]) await put(store, key, "1");
      const disturbances = [
        { runs: 2, disturb: () => put(store, "p/c", "1") },
        { runs: 2, disturb: () => put(store, "p/b", "2") },
        { runs: 1, disturb: () => remove(store, "p/a") },
        { runs: 1, disturb: () => put(store, "q", "2") },
      ];
      for (const { runs, disturb } of disturbances) {
        let run = 0;
        await transaction(store, async (tx) => {
          const { revision } = await store.get("q");
          assert.equal(await tx.hold("p/"), revision);
          if (run++ === 0) await disturb();
          tx.put("done", bytes("1"));
        });
        assert.equal(run, runs);
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
    name: "transaction by what is known costs the store no reads, and what is known wrongly is never taken for true",
    async run(store) {
      await put(store, "a", "1");
      const at = await put(store, "b", "1");
      const truth: Record<string, number> = { a: at - 1, b: at, c: 0 };
      const old: Record<string, number> = { a: at - 1, b: 0, c: at };
      // What is known, whether the body writes, what it refuses; how often it then runs and what comes of it.
      const cases = [
        { known: truth, writes: true, refused: [], runs: 1, reads: 0, outcome: "a b" },
        { known: truth, writes: false, refused: [], runs: 2, reads: 3, outcome: "a b" },
        { known: truth, writes: true, refused: ["a b"], runs: 2, reads: 3, outcome: "refused a b" },
        { known: old, writes: true, refused: [], runs: 2, reads: 3, outcome: "a b" },
        { known: old, writes: true, refused: ["a c"], runs: 2, reads: 3, outcome: "a b" },
        { known: { a: at - 1 }, writes: true, refused: [], runs: 1, reads: 2, outcome: "a b" },
      ];
      for (const { known, writes, refused, runs, reads, outcome } of cases) {
        let [ran, read] = [0, 0];
        const counting = {
          get: (...args: Parameters<typeof store.get>) => (read++, store.get(...args)),
          scan: store.scan.bind(store),
          transact: store.transact.bind(store),
        };
        const { revision } = await store.get("a");
        const result = transaction(counting, async (tx) => {
          ran++;
          const there: string[] = [];
          for (const key of ["a", "b", "c"]) {
            if ((tx.peek(key) ?? (await tx.get(key))?.modRevision ?? 0) > 0) there.push(key);
          }
          const seen = there.join(" ");
          if (refused.includes(seen)) throw new Error(`refused ${seen}`);
          if (writes) tx.put("done", bytes(seen));
          return seen;
        }, { known: { revision, modRevision: (key) => known[key] } });
        assert.equal(await result.then(({ value }) => value, ({ message }) => message), outcome);
        assert.deepEqual([ran, read], [runs, reads]);
        if (writes && !outcome.startsWith("refused")) assert.equal(text((await store.get("done")).entry!.value), "a b");
      }
    },
  },
  {
    name: "transaction by what is known sees its own writes and reads, and the rest as of the same revision",
    async run(store) {
      await put(store, "a", "1");
      const revision = await put(store, "b", "1");
      const runs: unknown[][] = [];
      await transaction(store, async (tx) => {
        const seen: unknown[] = [tx.peek("a")];
        runs.push(seen);
        if (runs.length === 1) await put(store, "b", "2");
        seen.push(text((await tx.get("b"))!.value), tx.peek("b"));
        tx.put("c", bytes("1"));
        seen.push(tx.peek("c"));
      }, { known: { revision, modRevision: (key) => key === "a" ? revision - 1 : 0 } });
      // What was read has changed, so the first run was in vain.
      assert.deepEqual(runs, [[revision - 1, "1", undefined, undefined], [undefined, "2", undefined, undefined]]);
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
];
