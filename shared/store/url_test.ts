import assert from "node:assert/strict";
import fc from "fast-check";
import { parseStoreUrl, StoreError } from "./mod.ts";

Deno.test("parseStoreUrl reads the forms of both drivers", () => {
  assert.deepEqual(parseStoreUrl("sqlite::memory:"), { driver: "sqlite", path: ":memory:" });
  assert.deepEqual(parseStoreUrl("sqlite:/var/lib/a b/store.db"), { driver: "sqlite", path: "/var/lib/a b/store.db" });
  assert.deepEqual(parseStoreUrl("etcd:https://h1:2379,https://h2,https://[::1]:443/"), {
    driver: "etcd",
    endpoints: ["https://h1:2379", "https://h2:2379", "https://[::1]:443"],
  });
  assert.deepEqual(parseStoreUrl("etcd:http://h:80"), { driver: "etcd", endpoints: ["http://h:80"] });
});

Deno.test("parseStoreUrl refuses what it does not know, and repeats no password", () => {
  const wrong = [
    ...["", "sqlite", "sqlite:", "sqlite3:/x", "postgres://h", "etcd:", "etcd:h:2379", "etcd:ftp://h", "etcd:http://"],
    ...["etcd:http://h/path", "etcd:http://h?x=1", "etcd:http://h:99999", "etcd:http://a,https://b", "etcd:http://a,"],
  ];
  for (const url of wrong) {
    assert.throws(() => parseStoreUrl(url), (error) => error instanceof StoreError && error.reason === "url", url);
  }
  assert.throws(
    () => parseStoreUrl("etcd:https://root:hunter2@h:2379"),
    (error) => error instanceof StoreError && error.reason === "url" && !error.message.includes("hunter2"),
  );
});

Deno.test("parseStoreUrl gives a URL or a StoreError for any text", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl().map((url) => `etcd:${url}`)), (text) => {
    try {
      const parsed = parseStoreUrl(text);
      if (parsed.driver === "etcd") {
        for (const endpoint of parsed.endpoints) assert.match(endpoint, /^https?:\/\/.+:\d+$/);
      }
    } catch (error) {
      assert.ok(error instanceof StoreError && error.reason === "url");
    }
  }));
});
