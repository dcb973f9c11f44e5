import assert from "node:assert/strict";
import { openStore, StoreError } from "./mod.ts";

const ROUNDS = 4;
const WRITER = new URL("./mod.ts", import.meta.url).href;

/** Writes pairs of keys in one transaction each, and tells the number of every pair that was acknowledged. */
const PROGRAM = `
  const { openStore } = await import(${JSON.stringify(WRITER)});
  const store = await openStore("sqlite:" + Deno.args[0], { historyKeepRevisions: 20 });
  const value = new Uint8Array(2000);
  for (let i = Number(Deno.args[1]);; i++) {
    const { revision } = await store.transact([], [
      { type: "put", key: "left/" + i, value },
      { type: "put", key: "right/" + i, value },
      { type: "put", key: "last", value: new TextEncoder().encode(String(i)) },
    ]);
    await Deno.stdout.write(new TextEncoder().encode(i + " " + revision + "\\n"));
  }
`;

Deno.test("sqlite: kill -9 loses no acknowledged write, halves none, frees the lock, and revisions go on", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/store.db`;
    await Deno.writeTextFile(`${folder}/writer.ts`, PROGRAM);
    let next = 0;
    let lastRevision = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--no-config", `${folder}/writer.ts`, path, String(next)],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const acknowledged: [number, number][] = [];
      let tail = "";
      let killed = false;
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
        if (acknowledged.length === 0) {
          await assert.rejects(openStore(`sqlite:${path}`), (e) => e instanceof StoreError && e.reason === "locked");
        }
        const lines = (tail + chunk).split("\n");
        tail = lines.pop()!;
        for (const line of lines) acknowledged.push(line.split(" ").map(Number) as [number, number]);
        // At some moment that falls into the middle of whatever it does.
        if (!killed && acknowledged.length > 100 * round + 10) {
          child.kill("SIGKILL");
          killed = true;
        }
      }
      await child.status;

      const store = await openStore(`sqlite:${path}`);
      const [left, right] = await Promise.all(["left/", "right/"].map((prefix) => store.scan(prefix)));
      const numbers = (entries: { key: string }[]) => new Set(entries.map(({ key }) => Number(key.split("/")[1])));
      const lefts = numbers(left!.entries);
      assert.deepEqual(numbers(right!.entries), lefts);
      for (const [i, revision] of acknowledged) {
        assert.ok(lefts.has(i), `Pair ${i} was acknowledged`);
        assert.equal((await store.get(`left/${i}`)).entry!.modRevision, revision);
        assert.ok(revision > lastRevision);
        lastRevision = revision;
      }
      // One more may have reached the disk without its acknowledgement getting out.
      assert.ok(left!.revision >= lastRevision);
      assert.equal(lefts.size, Math.max(...lefts) + 1);
      assert.equal(new TextDecoder().decode((await store.get("last")).entry!.value), String(Math.max(...lefts)));
      next = lefts.size;
      lastRevision = left!.revision;
      await store.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
