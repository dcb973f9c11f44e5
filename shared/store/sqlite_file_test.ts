import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CompactedError, openStore, StoreError } from "./mod.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refused(url: string, reason: string, message: RegExp): Promise<void> {
  await assert.rejects(openStore(url), (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, message);
    return true;
  });
}

function put(key: string, size = 0) {
  return { type: "put", key, value: new Uint8Array(size) } as const;
}

Deno.test("sqlite: contents, revisions and history survive a restart, leases do not", () =>
  withFolder(async (folder) => {
    const url = `sqlite:${folder}/store.db`;
    const first = await openStore(url);
    await first.transact([], [put("a")]);
    const lease = await first.grantLease(60_000);
    await first.transact([], [{ ...put("leased"), lease: lease.id }]);
    await first.transact([], [{ type: "delete", key: "a" }]);
    await first.close();
    const second = await openStore(url);
    assert.deepEqual((await second.scan("")).entries, []);
    assert.ok((await second.get("a", { revision: 2 })).entry);
    assert.equal((await second.get("a")).revision, 5);
    assert.equal((await second.transact([], [put("b")])).revision, 6);
    await second.close();
  }));

Deno.test("sqlite: a second opener is refused while the first has the file", () =>
  withFolder(async (folder) => {
    const url = `sqlite:${folder}/store.db`;
    const first = await openStore(url);
    await refused(url, "locked", /in use by another process/);
    await first.transact([], [put("still works")]);
    await first.close();
    await (await openStore(url)).close();
  }));

Deno.test("sqlite: files that are no store of ours are refused and left as they are", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/text`, "Dear diary, ".repeat(100));
    const other = new DatabaseSync(`${folder}/other.db`);
    other.exec("CREATE TABLE theirs (a); PRAGMA application_id = 7");
    other.close();
    const unmarked = new DatabaseSync(`${folder}/unmarked.db`);
    unmarked.exec("CREATE TABLE theirs (a)");
    unmarked.close();
    for (const name of ["text", "other.db", "unmarked.db"]) {
      const before = await Deno.readFile(`${folder}/${name}`);
      await refused(`sqlite:${folder}/${name}`, "foreign", new RegExp(name));
      assert.deepEqual(await Deno.readFile(`${folder}/${name}`), before);
    }
    await refused(`sqlite:${folder}/missing/store.db`, "open", /missing/);
    await refused(`sqlite:${folder}`, "open", /cannot be used/);
  }));

Deno.test("sqlite: a store of a later version is refused", () =>
  withFolder(async (folder) => {
    const path = `${folder}/store.db`;
    await (await openStore(`sqlite:${path}`)).close();
    const later = new DatabaseSync(path);
    later.exec("PRAGMA user_version = 99");
    later.close();
    await refused(`sqlite:${path}`, "newer", /version 99.*up to 1/);
  }));

Deno.test("sqlite: history beyond what is kept is compacted by itself", async () => {
  const store = await openStore("sqlite::memory:", { historyKeepRevisions: 50 });
  for (let i = 0; i < 3000; i++) await store.transact([], [put(`k${i % 10}`)]);
  const { revision } = await store.get("k0");
  assert.equal(revision, 3001);
  assert.ok((await store.get("k0", { revision: revision - 50 })).entry);
  await assert.rejects(store.get("k0", { revision: 2 }), CompactedError);
  assert.equal((await store.scan("")).entries.length, 10);
  await store.close();
});

Deno.test("sqlite: transactions asked for at once are revisions of their own, refused ones among them", async () => {
  const store = await openStore("sqlite::memory:");
  const outcomes = await Promise.allSettled([
    store.transact([], [put("a")]),
    store.transact([{ key: "a", target: "modRevision", op: "=", value: 0 }], [put("never")]),
    store.transact([], [{ ...put("leased"), lease: "none" }]),
    store.transact([{ key: "a", target: "modRevision", op: "=", value: 2 }], [put("b")]),
  ]);
  assert.deepEqual(outcomes.map((outcome) => outcome.status === "fulfilled" ? outcome.value : outcome.reason.reason), [
    { committed: true, revision: 2 },
    { committed: false, revision: 2 },
    "lease",
    { committed: true, revision: 3 },
  ]);
  assert.deepEqual((await store.scan("")).entries.map((entry) => entry.key), ["a", "b"]);
  await store.close();
});

Deno.test("sqlite: a lease ends by the clock that was passed in", async () => {
  const sleepers: { atMs: number; wake: () => void }[] = [];
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((wake) => {
        sleepers.push({ atMs: nowMs + ms, wake });
        signal?.addEventListener("abort", () => wake(), { once: true });
      }),
  };
  async function advance(ms: number): Promise<void> {
    nowMs += ms;
    for (const sleeper of sleepers.splice(0)) sleeper.atMs <= nowMs ? sleeper.wake() : sleepers.push(sleeper);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const store = await openStore("sqlite::memory:", { clock });
  const lease = await store.grantLease(5000);
  await store.transact([], [{ ...put("a"), lease: lease.id }]);
  await advance(4000);
  await lease.keepAlive();
  await advance(4000);
  assert.ok((await store.get("a")).entry);
  await advance(1000);
  assert.equal((await store.get("a")).entry, undefined);
  await lease.lost;
  await store.close();
});

/** A disk of a few hundred KiB, which takes the right to mount; null without it. */
async function smallDisk(): Promise<{ folder: string; release(): Promise<void> } | null> {
  const folder = await Deno.makeTempDir();
  const args = ["-t", "tmpfs", "-o", "size=400k", "tmpfs", folder];
  const mount = await new Deno.Command("mount", { args, stderr: "null" }).output().catch(() => null);
  const release = async () => {
    if (mount?.success) await new Deno.Command("umount", { args: [folder] }).output();
    await Deno.remove(folder);
  };
  if (mount?.success) return { folder, release };
  await release();
  return null;
}

const canMount = await smallDisk().then(async (disk) => {
  await disk?.release();
  return disk !== null;
});

Deno.test({
  name: "sqlite: a full disk is one clear error, loses nothing, and heals when space is back",
  ignore: !canMount,
  async fn() {
    const { folder, release } = (await smallDisk())!;
    try {
      const url = `sqlite:${folder}/store.db`;
      await Deno.writeFile(`${folder}/ballast`, new Uint8Array(120_000));
      let store = await openStore(url);
      let written = 0;
      await assert.rejects(async () => {
        for (;;) written = (await store.transact([], [put(`k${written}`, 10_000)])).revision;
      }, (error) => error instanceof StoreError && error.reason === "full" && /No space left/.test(error.message));
      assert.equal((await store.status()).healthy, false);
      const before = (await store.scan("")).entries;
      assert.equal((await store.get("k0")).revision, written);
      await Deno.remove(`${folder}/ballast`);
      await store.transact([], [put("after", 10)]);
      assert.equal((await store.status()).healthy, true);
      await store.close();
      store = await openStore(url);
      assert.deepEqual((await store.scan("k")).entries, before);
      assert.equal((await store.get("after")).revision, written + 1);
      await store.close();
    } finally {
      await release();
    }
  },
});
