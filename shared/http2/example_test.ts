import assert from "node:assert/strict";

Deno.test("the example of docs/http2.md runs and prints what it should", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/http2.md", import.meta.url));
  const example = /```ts\n([\s\S]+?)```/.exec(page)![1]!;
  const module = new URL("./mod.ts", import.meta.url).href;
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/example.ts`;
    await Deno.writeTextFile(file, example.replace('"../shared/http2/mod.ts"', JSON.stringify(module)));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-config", "--check", "--allow-net=127.0.0.1", file],
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(
      new TextDecoder().decode(stdout),
      '[ [ ":status", "200" ], [ "content-type", "text/plain" ] ] hello, world [ [ "x-octets", "12" ] ]\n',
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
