import assert from "node:assert/strict";
import { FakeClock, FileExistsError, FileNotFoundError, systemFiles } from "./mod.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const files = systemFiles();

Deno.test("writeAtomic replaces content, sets the mode and leaves no other file", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a`;
    await files.writeAtomic(path, "one", { mode: 0o600 });
    await files.writeAtomic(path, new TextEncoder().encode("two"), { mode: 0o600 });
    assert.equal(await files.readText(path), "two");
    assert.equal((await files.stat(path))?.mode, 0o600);
    assert.deepEqual(await files.list(folder), [{ name: "a", kind: "file" }]);
  }));

Deno.test("writeAtomic with createOnly gives the file to exactly one of many writers", () =>
  inFolder(async (folder) => {
    const attempts = Array.from(
      { length: 8 },
      (_, at) => files.writeAtomic(`${folder}/a`, `${at}`, { createOnly: true }),
    );
    const results = await Promise.allSettled(attempts);
    const winners = results.flatMap((result, at) => result.status === "fulfilled" ? [`${at}`] : []);
    assert.deepEqual(winners, [await files.readText(`${folder}/a`)]);
    const lost = results.find((result) => result.status === "rejected");
    assert.ok(lost?.status === "rejected" && lost.reason instanceof FileExistsError);
    assert.equal((await files.list(folder)).length, 1);
  }));

Deno.test("missing files are named, or undefined where absence is an answer", () =>
  inFolder(async (folder) => {
    const path = `${folder}/none`;
    await assert.rejects(files.readText(path), (error) => error instanceof FileNotFoundError && error.path === path);
    await assert.rejects(files.writeAtomic(`${path}/deeper`, ""), FileNotFoundError);
    assert.equal(await files.stat(path), undefined);
    assert.equal(await files.remove(path), false);
    await files.writeAtomic(path, "");
    assert.equal(await files.exists(`${path}/below-a-file`), false);
    assert.equal(await files.remove(path), true);
  }));

Deno.test("a lock is held by one at a time", () =>
  inFolder(async (folder) => {
    const first = await files.lock(`${folder}/lock`);
    assert.equal(await files.tryLock(`${folder}/lock`), undefined);
    const waiting = files.lock(`${folder}/lock`);
    first.release();
    const second = await waiting;
    second.release();
    (await files.tryLock(`${folder}/lock`))?.release();
  }));

Deno.test("watch reports a file that is written, replaced, and removed", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const [a, b] = [`${folder}/a`, `${folder}/b`];
    await files.writeAtomic(a, "1");
    const changes = files.watch([a, b], { clock, signal: stop.signal, intervalMs: 100 })[Symbol.asyncIterator]();
    const next = async (change: () => Promise<unknown>) => {
      const result = changes.next();
      // The first look and each later one must be over before the change is made, or it would be the baseline.
      while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await change();
      let settled = false;
      result.then(() => settled = true);
      for (let round = 0; round < 1_000 && !settled; round++) await clock.advance(100);
      return (await result).value;
    };
    assert.deepEqual(await next(() => files.writeAtomic(a, "2")), [a]);
    assert.deepEqual(await next(() => files.writeAtomic(b, "1")), [b]);
    assert.deepEqual(await next(() => Promise.all([files.remove(a), files.remove(b)])), [a, b]);
    const end = changes.next();
    stop.abort();
    assert.equal((await end).done, true);
  }));
