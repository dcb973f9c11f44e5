import assert from "node:assert/strict";
import { storeConformance } from "../../shared/store/conformance.ts";
import { openStore, type Store, StoreError } from "../../shared/store/mod.ts";
import { startEtcd } from "./etcd.ts";

const REAL = Deno.env.get("ARCHIPELAGO_REAL") === "1";
const PATIENCE_MS = 30_000;

// The gRPC client frees its sockets and timers a moment after close, so leak checks would judge chance.
const lenient = { ignore: !REAL, sanitizeOps: false, sanitizeResources: false };

for (const { name, run } of storeConformance) {
  Deno.test({
    name: `etcd: ${name}`,
    ...lenient,
    async fn() {
      const etcd = await startEtcd();
      let store: Store | undefined;
      try {
        store = await openStore(`etcd:${etcd.url}`);
        await run(store);
      } finally {
        await store?.close();
        await etcd.dispose();
      }
    },
  });
}

Deno.test({
  name: "etcd: killed and back, nothing acknowledged is lost, a watch resumes, revisions go on",
  ...lenient,
  async fn() {
    const etcd = await startEtcd();
    const store = await openStore(`etcd:${etcd.url}`);
    const stop = new AbortController();
    try {
      const seen: string[] = [];
      const watching = (async () => {
        for await (const batch of store.watch("", { fromRevision: 1, signal: stop.signal })) {
          for (const event of batch.events) seen.push(event.key);
          if (seen.includes("end")) return;
        }
      })();
      const put = (key: string) => store.transact([], [{ type: "put", key, value: new Uint8Array() }]);
      const before = await put("before");
      await etcd.kill();
      await assert.rejects(put("lost"), (error) => error instanceof StoreError && error.reason === "unavailable");
      assert.equal((await store.status()).healthy, false);
      await etcd.start();
      const deadline = performance.now() + PATIENCE_MS;
      for (let back = false; !back;) {
        assert.ok(performance.now() < deadline, "the store does not come back");
        back = (await store.status()).healthy;
      }
      const after = await put("end");
      assert.ok(after.revision > before.revision);
      await watching;
      assert.deepEqual(seen.filter((key) => key !== "lost"), ["before", "end"]);
    } finally {
      stop.abort();
      await store.close();
      await etcd.dispose();
    }
  },
});

Deno.test({
  name: "etcd: a dead endpoint beside a living one is gone around",
  ...lenient,
  async fn() {
    const etcd = await startEtcd();
    const unused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const dead = `http://127.0.0.1:${(unused.addr as Deno.NetAddr).port}`;
    unused.close();
    const store = await openStore(`etcd:${dead},${etcd.url}`);
    try {
      for (let i = 0; i < 20; i++) {
        await store.transact([], [{ type: "put", key: `k${i}`, value: new Uint8Array() }]);
        assert.ok((await store.get(`k${i}`)).entry);
      }
    } finally {
      await store.close();
      await etcd.dispose();
    }
  },
});
