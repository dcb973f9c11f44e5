import assert from "node:assert/strict";
import { join } from "node:path";
import { canReach, findAccount } from "./account.ts";
import { settlePlace } from "./place.ts";
import { parsePostmasterFile } from "./postmaster.ts";

const NOBODY = { name: "nobody", uid: 65534, gid: 65534 };

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.chmod(folder, 0o755);
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("findAccount() reads passwd lines and skips malformed ones", () => {
  const passwd = "root:x:0:0:root:/root:/bin/sh\nbroken:x:abc:1\nnobody:x:65534:65533:nobody:/:/sbin/nologin\n";
  assert.deepEqual(findAccount(passwd, "nobody"), { name: "nobody", uid: 65534, gid: 65533 });
  assert.equal(findAccount(passwd, "broken"), undefined);
  assert.equal(findAccount(passwd, "nob"), undefined);
});

Deno.test("canReach() wants search permission on every folder", async () => {
  await withFolder(async (folder) => {
    const inner = join(folder, "closed", "inner");
    await Deno.mkdir(inner, { recursive: true });
    assert.equal(await canReach(inner, NOBODY), true);
    await Deno.chmod(join(folder, "closed"), 0o700);
    assert.equal(await canReach(inner, NOBODY), false);
    await Deno.chmod(join(folder, "closed"), 0o701);
    assert.equal(await canReach(inner, NOBODY), true);
    // The owner's class decides for the owner, even where others may.
    await Deno.chmod(join(folder, "closed"), 0o601);
    assert.equal(await canReach(inner, { name: "me", uid: Deno.uid()!, gid: Deno.gid()! }), false);
    await Deno.chmod(join(folder, "closed"), 0o700);
  });
});

Deno.test("settlePlace() keeps data in the folder when it can be reached, and stays with a choice once made", async () => {
  await withFolder(async (folder) => {
    const [open, closed, elsewhere] = [join(folder, "open"), join(folder, "closed"), join(folder, "elsewhere")];
    assert.equal((await settlePlace(open, NOBODY, elsewhere)).clusterDir, join(open, "cluster"));
    await Deno.mkdir(closed, { mode: 0o700 });
    const relocated = await settlePlace(join(closed, "data"), NOBODY, elsewhere);
    assert.ok(relocated.clusterDir.startsWith(elsewhere), relocated.clusterDir);
    await Deno.chmod(closed, 0o755);
    assert.deepEqual(await settlePlace(join(closed, "data"), NOBODY, elsewhere), relocated);
  });
});

Deno.test("settlePlace() clears relocated data whose temporary origin is gone, and no other", async () => {
  await withFolder(async (folder) => {
    const elsewhere = join(folder, "elsewhere");
    for (
      const [name, origin] of [["postgres-gone", join(folder, "nothing")], ["postgres-disk", "/srv/unmounted/data"]]
    ) {
      await Deno.mkdir(join(elsewhere, name!), { recursive: true });
      await Deno.writeTextFile(join(elsewhere, name!, "origin"), `${origin}\n`);
    }
    const closed = join(folder, "closed");
    await Deno.mkdir(closed, { mode: 0o700 });
    await settlePlace(join(closed, "data"), NOBODY, elsewhere);
    const left = [...Deno.readDirSync(elsewhere)].map((entry) => entry.name);
    assert.ok(left.includes("postgres-disk") && !left.includes("postgres-gone"), left.join());
  });
});

Deno.test("settlePlace() says so when no folder can be reached", async () => {
  await withFolder(async (folder) => {
    await Deno.chmod(folder, 0o700);
    await assert.rejects(settlePlace(join(folder, "data"), NOBODY, join(folder, "elsewhere")), {
      fault: "unreachable_directory",
    });
  });
});

Deno.test("parsePostmasterFile() takes complete and incomplete files", () => {
  const complete = "4711\n/data\n1700000000\n5432\n\n127.0.0.1\n  5432001     32768\nready   \n";
  assert.deepEqual(parsePostmasterFile(complete), { pid: 4711, port: 5432, status: "ready" });
  assert.deepEqual(parsePostmasterFile("4711\n/data\n"), { pid: 4711, port: 0, status: "" });
  assert.equal(parsePostmasterFile(""), undefined);
  assert.equal(parsePostmasterFile("rubbish"), undefined);
});
