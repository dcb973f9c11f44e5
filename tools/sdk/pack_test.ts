// The package as a TypeScript program gets it: installed, checked by its types, and run by Node.
import assert from "node:assert/strict";
import { PACKAGE, packDeviceSdk } from "./pack.ts";

const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

const PROGRAM = `
import { createDevice, type EdgeEvent, endpointOf, type FoundInstance, MatchError } from "${PACKAGE}";
const device = createDevice({ url: "http://127.0.0.1:1", app: { organization: "a", name: "b", version: "c" } });
export async function use(found: FoundInstance): Promise<number | undefined> {
  for await (const event of device.followEdgeEvents(found, { triggers: ["closer"] })) {
    const each: EdgeEvent = event;
    if (each.type === "newInstance") console.log(each.trigger, each.instance.fqdn);
  }
  return endpointOf(found)?.port;
}
const error: unknown = await device.register().catch((thrown) => thrown);
console.log(error instanceof MatchError && error.code);
`;

async function run(command: string, args: string[], cwd: string): Promise<{ code: number; text: string }> {
  const env = { NO_COLOR: "1" };
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd, env, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("the package holds the SDK with its types and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sdk-pack-test-" });
  try {
    const path = await packDeviceSdk({ source, out: `${folder}/out` });
    const list = (await run("tar", ["-tzf", path], folder)).text.trim().split("\n");
    assert.deepEqual(list.filter((name) => !/^package\/(?:edge\/)?[a-z_]+(?:\.d\.ts|\.js)$/.test(name)).sort(), [
      "package/LICENSE",
      "package/package.json",
    ]);
    assert.ok(!list.some((name) => /test|example/.test(name)));

    const modules = `${folder}/node_modules/@archipelago`;
    await Deno.mkdir(modules, { recursive: true });
    assert.equal((await run("tar", ["-xzf", path, "-C", modules], folder)).code, 0);
    await Deno.rename(`${modules}/package`, `${folder}/node_modules/${PACKAGE}`);
    const dependencies = { [PACKAGE]: "0.1.0" };
    await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ type: "module", dependencies }));
    await Deno.writeTextFile(`${folder}/deno.json`, `{"nodeModulesDir":"manual"}`);
    await Deno.writeTextFile(`${folder}/good.ts`, PROGRAM);
    await Deno.writeTextFile(
      `${folder}/bad.ts`,
      PROGRAM.replace("number | undefined", "string | undefined").replace("each.trigger", "each.triggers").replace(
        `["closer"]`,
        `["farther"]`,
      ),
    );
    const good = await run(Deno.execPath(), ["check", "--quiet", "good.ts"], folder);
    assert.equal(good.code, 0, good.text);
    const bad = await run(Deno.execPath(), ["check", "--quiet", "bad.ts"], folder);
    assert.deepEqual([...bad.text.matchAll(/^(TS\d+)/gm)].map(([, code]) => code).sort(), [
      "TS2322",
      "TS2322",
      "TS2551",
    ]);

    const script = PROGRAM.replace(/type \w+,? ?/g, "").replace(/export async function[^]*?\n}\n/, "").replace(
      ": unknown",
      "",
    );
    await Deno.writeTextFile(`${folder}/program.mjs`, script);
    assert.deepEqual(await run("node", ["program.mjs"], folder), { code: 0, text: "UNAVAILABLE\n" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
