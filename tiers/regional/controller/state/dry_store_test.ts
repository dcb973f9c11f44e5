import assert from "node:assert/strict";
import fc from "fast-check";
import { openStore, transaction } from "../../../../shared/store/mod.ts";
import { dryStore } from "./dry_store.ts";

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);
const key = fc.constantFrom("/v1/a", "/v1/b", "/v1/c", "/v1/d", "/v1/e", "/w");
const step = fc.tuple(fc.constantFrom("put", "delete"), key, fc.string({ maxLength: 3 }));

Deno.test("a dry store reads like one that took the changes, and the real one keeps what it has", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step), fc.array(step), fc.integer({ min: 1, max: 4 }), async (before, changes, limit) => {
      const [real, twin] = [await openStore("sqlite::memory:"), await openStore("sqlite::memory:")];
      for (const store of [real, twin]) {
        for (const [type, key, value] of before) {
          await transaction(store, (tx) => type === "put" ? tx.put(key, bytes(value)) : tx.delete(key));
        }
      }
      const kept = (await real.scan("")).entries;
      const dry = dryStore(real);
      for (const store of [dry.store, twin]) {
        for (const [type, key, value] of changes) {
          await transaction(store, (tx) => type === "put" ? tx.put(key, bytes(value)) : tx.delete(key));
        }
      }
      const pairs = (entries: { key: string; value: Uint8Array }[]) => entries.map((e) => [e.key, text(e.value)]);
      for (const prefix of ["", "/v1/", "/w"]) {
        assert.deepEqual(pairs((await dry.store.scan(prefix)).entries), pairs((await twin.scan(prefix)).entries));
        const [mine, theirs] = [await dry.store.scan(prefix, { limit }), await twin.scan(prefix, { limit })];
        assert.deepEqual([pairs(mine.entries), mine.more], [pairs(theirs.entries), theirs.more]);
      }
      for (const name of ["/v1/a", "/v1/b", "/w"]) {
        assert.equal(text((await dry.store.get(name)).entry?.value), text((await twin.get(name)).entry?.value));
      }
      assert.deepEqual((await real.scan("")).entries, kept);
      const old = new Map(kept.map((entry) => [entry.key, text(entry.value)]));
      for (const { key, before, value } of dry.changes()) {
        assert.equal(text(before), old.get(key));
        assert.equal(text(value), text((await twin.get(key)).entry?.value));
      }
      await real.close();
      await twin.close();
    }),
  );
});
