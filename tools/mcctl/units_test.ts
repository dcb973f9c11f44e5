import assert from "node:assert/strict";
import fc from "fast-check";
import { Cloudlet } from "../../shared/schema/mod.ts";
import { allCommands } from "./commands.ts";
import { bashCompletion } from "./completion.ts";
import { readDocuments } from "./documents.ts";
import { tableText } from "./output/table.ts";
import { didYouMean, editDistance, nearest } from "./suggest.ts";

async function* chunked(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (const size of sizes) {
    yield bytes.slice(at, at + size);
    at += size;
  }
  yield bytes.slice(at);
}

Deno.test("readDocuments finds the same documents however the bytes are cut", async () => {
  const documents = fc.array(fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(documents, fc.array(fc.nat({ max: 9 })), async (documents, sizes) => {
      const expected = documents.map((document) => JSON.parse(JSON.stringify(document)));
      const text = documents.map((document) => `${JSON.stringify(document)}\n`).join("");
      const found: unknown[] = [];
      for await (const document of readDocuments(chunked(text, sizes))) found.push(document);
      assert.deepEqual(found, expected);
    }),
    { numRuns: 50 },
  );
});

Deno.test("readDocuments takes a document over several lines, and refuses a cut one", async () => {
  const all = async (text: string) => await Array.fromAsync(readDocuments(chunked(text, [3])));
  assert.deepEqual(await all(`{\n "a": 1\n}\n[2]`), [{ a: 1 }, [2]]);
  assert.deepEqual(await all("\n \n"), []);
  await assert.rejects(all(`{"a":`), /ends inside/);
});

Deno.test("tableText: keys first, states next, columns that hold something, no control characters", () => {
  const rows = tableText([
    { key: { organization: "o", name: "n" }, physical_name: "p\u001b[2Jq", state: "Ready", alliance_orgs: ["a", "b"] },
    { key: { organization: "o2", name: "a name that is longer than any column of a table may be" } },
  ], Cloudlet.descriptor).split("\n");
  assert.match(rows[0]!, /^CLOUDLETORG +CLOUDLET +STATE +PHYSICALNAME +ALLIANCEORGS$/);
  assert.match(rows[1]!, /^o +n +Ready +p \[2Jq +a,b$/);
  assert.match(rows[2]!, /^o2 +a name that is longer than any column o…$/);
});

Deno.test("tableText: objects without a descriptor, and plain values", () => {
  assert.equal(
    tableText([{ Name: "x", Locked: true, CreatedAt: "2024", Metadata: "" }, { Name: "long" }]),
    "NAME   LOCKED\nx      true\nlong",
  );
  assert.equal(tableText(["AdminManager"]), "NAME\nAdminManager");
  assert.equal(tableText([{}]), "");
});

Deno.test("suggestions are near or none", () => {
  assert.equal(editDistance("shwo", "show"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(nearest("clodlet", ["cloudlet", "clusterinst"]), "cloudlet");
  assert.equal(nearest("appi", ["app", "appinst"]), "app");
  assert.equal(nearest("zzz", ["app"]), undefined);
  assert.equal(didYouMean("apps", ["app"]), `; did you mean "app"?`);
});

const hasBash = Deno.build.os !== "windows" &&
  await Deno.stat("/bin/bash").then(() => true, () => false);

Deno.test({
  name: "completion: bash offers groups, verbs, arguments and values",
  ignore: !hasBash,
  async fn() {
    const script = bashCompletion(allCommands());
    const complete = async (text: string): Promise<string[]> => {
      const test = `${script}\nCOMP_LINE=${
        JSON.stringify(text)
      } COMP_POINT=${text.length}\n_mcctl\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
      const command = new Deno.Command("/bin/bash", { args: ["--norc", "-c", test], stdout: "piped", stderr: "piped" });
      const { stdout, stderr } = await command.output();
      assert.equal(new TextDecoder().decode(stderr), "");
      return new TextDecoder().decode(stdout).split("\n").filter((word) => word !== "");
    };
    assert.deepEqual(await complete("mcctl cloud"), ["cloudlet", "cloudletinfo", "cloudletpool"]);
    assert.deepEqual(await complete("mcctl app "), [
      "create",
      "delete",
      "update",
      "show",
      "addautoprovpolicy",
      "removeautoprovpolicy",
      "addalertpolicy",
      "removealertpolicy",
      "showcloudletsfordeployment",
    ]);
    assert.deepEqual(await complete("mcctl app create appn"), ["appname="]);
    assert.deepEqual(await complete("mcctl app create imagetype=do"), []);
    assert.deepEqual(await complete("mcctl app create imagetype=D"), ["Docker"]);
    assert.deepEqual(await complete("mcctl --debug login na"), ["name="]);
    assert.deepEqual(await complete("mcctl app show --outp"), ["--output", "--output-format", "--output-stream"]);
    assert.deepEqual(await complete("mcctl completion "), ["bash"]);
  },
});
