import assert from "node:assert/strict";
import { bytes, type ConformanceCase, contents, plain, put, rejects, take, within } from "./support.ts";

/** Leases, and the end of a store. */
export const leasesCases: ConformanceCase[] = [
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
