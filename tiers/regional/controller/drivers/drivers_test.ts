import assert from "node:assert/strict";
import { FakeClock, seededRandom, systemFiles } from "../../../../shared/runtime/mod.ts";
import { DebError, readDebControl } from "./deb.ts";
import { folderFiles } from "./driver_files.ts";
import { debFile } from "./testing/deb_file.ts";

Deno.test("packages tell what they depend on", async () => {
  const control =
    "Package: gpu\nDepends: libc6 (>= 2.3), linux-image-5.4.0-1,\n dkms | linux-headers\nPre-Depends: base\n";
  for (const packed of ["", ".gz"] as const) {
    const read = await readDebControl(await debFile(control, packed));
    assert.deepEqual(read?.depends, ["libc6", "linux-image-5.4.0-1", "dkms", "linux-headers", "base"]);
  }
  assert.equal(await readDebControl(await debFile(control, ".xz")), undefined);
});

Deno.test("what is no package is refused, wherever it ends", async () => {
  const whole = await debFile("Package: gpu\n", ".gz");
  for (const file of [new Uint8Array(0), new TextEncoder().encode("MZ"), whole.slice(0, 100), whole.slice(0, 200)]) {
    await assert.rejects(readDebControl(file), DebError);
  }
  await assert.rejects(readDebControl(await debFile("", "")), DebError);
});

Deno.test("kept files are handed out to whoever has a URL that is still good", async () => {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock();
  const { driverFiles, serve } = await folderFiles({
    folder,
    files: systemFiles(),
    clock,
    random: seededRandom(1),
    fetch: () => Promise.reject(new Error("not asked for")),
    baseUrl: () => "http://localhost/files",
  });
  const status = async (url: string) => (await serve(new Request(url))).status;
  try {
    await driverFiles.put("a/b/driver.deb", new TextEncoder().encode("bits"));
    const url = await driverFiles.url("a/b/driver.deb", 1000);
    const answer = await serve(new Request(url));
    assert.deepEqual([answer.status, await answer.text()], [200, "bits"]);
    assert.equal(await status(url.replace("driver", "other")), 403);
    assert.equal(await status(url.replace(/until=\d+/, "until=99999999999999")), 403);
    assert.equal(await status("http://localhost/files?path=a&until=1&signature=%%"), 403);
    await assert.rejects(driverFiles.put("../x", new Uint8Array(1)), TypeError);
    await driverFiles.remove("a/b");
    assert.equal(await status(url), 404);
    await driverFiles.put("a/b/driver.deb", new Uint8Array(1));
    await clock.advance(1001);
    assert.equal(await status(url), 403);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
