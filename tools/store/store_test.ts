import assert from "node:assert/strict";

const DUMP = new URL("../../tiers/regional/controller/state/testdata/region_v1.dump", import.meta.url).pathname;

async function store(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-P=store", "tools/store/main.ts", ...args],
    cwd: new URL("../..", import.meta.url).pathname,
    env: { NO_COLOR: "1" },
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("store restores a dump, tells what is there, and dumps the same again", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const url = `sqlite:${folder}/store.db`;
    const empty = await store("info", "--store", url);
    assert.deepEqual([empty.code, empty.out], [0, "The store holds no region's objects\n"]);
    const restored = await store("restore", "--store", url, "--file", DUMP);
    assert.equal(restored.code, 0, restored.err);
    assert.match(restored.err, /Restored 82 rows of region local, data model version 1/);
    const info = await store("info", "--store", url);
    assert.match(info.out, /^region local, data model version 1/);
    assert.match(info.out, /^ +11 AppInst$/m);
    const file = `${folder}/again.dump`;
    assert.equal((await store("dump", "--store", url, "--file", file)).code, 0);
    const rows = (text: string) => text.trimEnd().split("\n").slice(1, -1);
    assert.deepEqual(rows(await Deno.readTextFile(file)), rows(await Deno.readTextFile(DUMP)));
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    const twice = await store("restore", "--store", url, "--file", DUMP);
    assert.deepEqual([twice.code, /not empty/.test(twice.err)], [1, true]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("store says what it takes", async () => {
  const help = await store("--help");
  assert.match(help.out, /restore +write a dump into an empty store/);
  const unknown = await store("drop", "--store", "sqlite::memory:");
  assert.deepEqual([unknown.code, /COMMAND "drop": must be one of info, dump, restore/.test(unknown.err)], [2, true]);
  assert.equal((await store("restore", "--store", "sqlite::memory:")).code, 2);
});
