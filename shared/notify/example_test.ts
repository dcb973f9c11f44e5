import assert from "node:assert/strict";

Deno.test("the example of docs/notify.md runs and prints what it should", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/notify.md", import.meta.url));
  const example = /```ts\n([\s\S]+?)```/.exec(page)![1]!;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/example.ts`;
    const shared = new URL("../", import.meta.url).href;
    await Deno.writeTextFile(file, example.replaceAll('"../shared/', `"${shared}`));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-lock",
        `--config=${config}`,
        "--check",
        "--allow-net=127.0.0.1",
        "--allow-env",
        file,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout), '{ room: "hall", on: true } { room: "hall", on: true } 1\n');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
