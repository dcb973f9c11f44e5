import assert from "node:assert/strict";
import { SecretConflictError, SecretsError, type SecretStore } from "../mod.ts";

/** A fresh, empty store; `reopen` gives a second view of the same one. */
export interface StoreUnderTest {
  readonly store: SecretStore;
  reopen(): Promise<SecretStore>;
  dispose(): Promise<void>;
}

/** Registers the tests that every driver passes. */
export function testSecretStore(driver: string, open: () => Promise<StoreUnderTest>): void {
  const test = (name: string, body: (given: StoreUnderTest) => Promise<void>) =>
    Deno.test(`${driver}: ${name}`, async () => {
      const given = await open();
      try {
        await body(given);
      } finally {
        given.store.close();
        await given.dispose();
      }
    });

  test("a secret is read back by path and version, by others too", async ({ store, reopen }) => {
    assert.equal(await store.get("a/b"), undefined);
    assert.equal(await store.put("a/b", { user: "ann", deep: { n: [1, null] } }), 1);
    assert.equal(await store.put("a/b", { user: "bob" }), 2);
    const other = await reopen();
    assert.deepEqual((await other.get("a/b"))?.data, { user: "bob" });
    assert.deepEqual((await other.get("a/b", { version: 1 }))?.data, { user: "ann", deep: { n: [1, null] } });
    assert.equal(await other.get("a/b", { version: 3 }), undefined);
    assert.equal(await other.get("a"), undefined);
    other.close();
  });

  test("cas refuses a writer that has not seen the newest version", async ({ store }) => {
    await assert.rejects(
      store.put("x", {}, { cas: 1 }),
      (error) => error instanceof SecretConflictError && error.actual === 0,
    );
    assert.equal(await store.put("x", { a: 1 }, { cas: 0 }), 1);
    await assert.rejects(store.put("x", { a: 2 }, { cas: 0 }), SecretConflictError);
    assert.deepEqual((await store.get("x"))?.data, { a: 1 });
    assert.equal(await store.put("x", { a: 2 }, { cas: 1 }), 2);
  });

  test("of many writers with the same cas one wins, and plain writers all count", async ({ store, reopen }) => {
    const other = await reopen();
    const writers = Array.from({ length: 10 }, (_, n) => (n % 2 ? store : other).put("race", { n }, { cas: 0 }));
    const results = await Promise.allSettled(writers);
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
    const versions = await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 ? store : other).put("race", { n })));
    assert.deepEqual(versions.sort((a, b) => a - b), [2, 3, 4, 5, 6, 7, 8, 9]);
    other.close();
  });

  test("ten versions are kept, of signing keys two", async ({ store }) => {
    for (let n = 1; n <= 12; n++) {
      await store.put("plain", { n });
      await store.put("eu/jwtkeys/dme", { n });
    }
    const numbers = async (path: string) => (await store.versions(path)).map(({ version }) => version);
    assert.deepEqual(await numbers("plain"), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    assert.deepEqual(await numbers("eu/jwtkeys/dme"), [12, 11]);
    assert.equal(await store.get("eu/jwtkeys/dme", { version: 10 }), undefined);
  });

  test("a deleted secret is gone with all versions, and its numbers are not used again", async ({ store }) => {
    await store.put("gone", { a: 1 });
    assert.equal(await store.delete("gone"), true);
    assert.equal(await store.delete("gone"), false);
    assert.deepEqual([await store.get("gone"), await store.get("gone", { version: 1 }), await store.versions("gone")], [
      undefined,
      undefined,
      [],
    ]);
    assert.equal(await store.put("gone", { a: 2 }, { cas: 0 }), 2);
  });

  test("watch gives what is there, every later state, and ends with its signal", async ({ store }) => {
    const stop = new AbortController();
    const seen = store.watch("w", { signal: stop.signal, intervalMs: 5 })[Symbol.asyncIterator]();
    assert.equal((await seen.next()).value, undefined);
    await store.put("w", { a: 1 });
    assert.deepEqual((await seen.next()).value?.data, { a: 1 });
    await store.put("w", { a: 2 });
    assert.equal((await seen.next()).value?.version, 2);
    await store.delete("w");
    assert.deepEqual(await seen.next(), { done: false, value: undefined });
    const end = seen.next();
    stop.abort();
    assert.equal((await end).done, true);
  });

  test("paths that are none are refused", async ({ store }) => {
    for (const path of ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a b", "a\u0000b", "ä", "a".repeat(501)]) {
      await assert.rejects(store.get(path), SecretsError, path);
      await assert.rejects(store.put(path, {}), SecretsError, path);
    }
  });
}
