import assert from "node:assert/strict";
import { join } from "node:path";
import { layOutPrograms } from "./program.ts";

async function makePackage(root: string): Promise<string> {
  const nativeDir = join(root, "package", "native");
  for (const folder of ["bin", "lib", "share/deep"]) await Deno.mkdir(join(nativeDir, folder), { recursive: true });
  await Deno.writeTextFile(join(nativeDir, "bin/postgres"), "program", { mode: 0o755 });
  await Deno.writeTextFile(join(nativeDir, "lib/libpq.so.5.18"), "library", { mode: 0o600 });
  await Deno.writeTextFile(join(nativeDir, "share/deep/file"), "text", { mode: 0o644 });
  const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
  await Deno.writeTextFile(join(nativeDir, "pg-symlinks.json"), JSON.stringify(links));
  return nativeDir;
}

Deno.test("layOutPrograms() makes the links, leaves the package alone and may run twice at the same time", async () => {
  const root = await Deno.makeTempDir();
  try {
    const nativeDir = await makePackage(root);
    const source = { nativeDir, version: "18.0.0", major: 18 };
    const target = join(root, "program");
    const [one, two] = await Promise.all([layOutPrograms(source, target), layOutPrograms(source, target)]);
    assert.deepEqual(one, two);
    assert.equal(await Deno.readTextFile(one.postgres), "program");
    const lib = join(target, "18.0.0", "lib");
    assert.equal(await Deno.readLink(join(lib, "libpq.so.5")), "libpq.so.5.18");
    // What others may not read in the package must be readable where another account runs it.
    assert.equal((await Deno.stat(join(lib, "libpq.so.5.18"))).mode! & 0o777, 0o644);
    assert.equal((await Deno.stat(join(nativeDir, "lib/libpq.so.5.18"))).mode! & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(target)].map((entry) => entry.name), ["18.0.0"]);
    assert.deepEqual([...Deno.readDirSync(join(nativeDir, "lib"))].map((entry) => entry.name), ["libpq.so.5.18"]);
    assert.deepEqual(await layOutPrograms(source, target), one);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("layOutPrograms() refuses a link that leads out of the package", async () => {
  const root = await Deno.makeTempDir();
  try {
    const nativeDir = await makePackage(root);
    const links = [{ source: "native/lib/libpq.so.5.18", target: "native/../../evil" }];
    await Deno.writeTextFile(join(nativeDir, "pg-symlinks.json"), JSON.stringify(links));
    await assert.rejects(
      layOutPrograms({ nativeDir, version: "18.0.0", major: 18 }, join(root, "program")),
      /leads out/,
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
