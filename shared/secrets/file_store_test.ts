import assert from "node:assert/strict";
import { environmentOf, systemClock, systemFiles, systemRandom } from "../runtime/mod.ts";
import { openSecrets, SecretsError } from "./mod.ts";
import { testSecretStore } from "./testing/conformance.ts";

const deps = { files: systemFiles(), clock: systemClock(), random: systemRandom(), environment: environmentOf({}) };

testSecretStore("file", async () => {
  const folder = await Deno.makeTempDir();
  const reopen = () => openSecrets(`file:${folder}/secrets`, deps);
  return { store: await reopen(), reopen, dispose: () => Deno.remove(folder, { recursive: true }) };
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await work(folder).finally(() => Deno.remove(folder, { recursive: true }));
}

Deno.test("file: nothing readable reaches the disk, and only the owner may read it", () =>
  inFolder(async (folder) => {
    const store = await openSecrets(`file:${folder}/s`, deps);
    await store.put("a/pw", { password: "hunter2" });
    const sealed = await Deno.readTextFile(`${folder}/s/a/pw.sealed`);
    assert.equal(sealed.includes("hunter2") || sealed.includes(btoa("hunter2")), false);
    for (const file of ["s/a/pw.sealed", "s.kek"]) {
      assert.equal((await Deno.stat(`${folder}/${file}`)).mode! & 0o777, 0o600);
    }
  }));

Deno.test("file: a changed, moved or foreign file is refused, not misread", () =>
  inFolder(async (folder) => {
    const store = await openSecrets(`file:${folder}/s`, deps);
    await store.put("a", { x: 1 });
    await store.put("b", { x: 2 });
    const a = await Deno.readTextFile(`${folder}/s/a.sealed`);
    await Deno.writeTextFile(`${folder}/s/b.sealed`, a);
    await assert.rejects(store.get("b"), /damaged or moved/);
    const envelope = JSON.parse(a);
    await Deno.writeTextFile(
      `${folder}/s/a.sealed`,
      JSON.stringify({ ...envelope, data: `A${envelope.data.slice(1)}` }),
    );
    await assert.rejects(store.get("a"), SecretsError);
    await Deno.writeTextFile(`${folder}/s/a.sealed`, "not a secret");
    await assert.rejects(store.put("a", {}), /not in the form/);
  }));

Deno.test("file: without its key, with a bad one or another one, a store does not open", () =>
  inFolder(async (folder) => {
    await (await openSecrets(`file:${folder}/s`, deps)).put("a", { x: 1 });
    const env = (kek: string) => ({ ...deps, environment: environmentOf({ ARCHIPELAGO_SECRETS_KEK: kek }) });
    await assert.rejects(openSecrets(`file:${folder}/s`, env("short")), /must be 32 bytes in base64/);
    const other = await openSecrets(`file:${folder}/s`, env(new Uint8Array(32).toBase64()));
    await assert.rejects(other.get("a"), /sealed with another key-encryption key/);
    const right = await openSecrets(`file:${folder}/s`, env((await Deno.readTextFile(`${folder}/s.kek`)).trim()));
    assert.deepEqual((await right.get("a"))?.data, { x: 1 });
    await Deno.rename(`${folder}/s.kek`, `${folder}/moved`);
    await assert.rejects(openSecrets(`file:${folder}/s`, deps), /is missing, and .* cannot be opened without it/);
    assert.deepEqual((await (await openSecrets(`file:${folder}/s?kek=${folder}/moved`, deps)).get("a"))?.version, 1);
  }));

Deno.test("file: processes that open a new store at once agree on its key", () =>
  inFolder(async (folder) => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => openSecrets(`file:${folder}/s`, deps)));
    await stores[0]!.put("a", { x: 1 });
    for (const store of stores) assert.deepEqual((await store.get("a"))?.data, { x: 1 });
  }));

Deno.test("openSecrets refuses other drivers and parameters", async () => {
  await assert.rejects(openSecrets("vault:https://h", deps), /"vault" is not supported/);
  await assert.rejects(openSecrets("file:", deps), /needs a path/);
  await assert.rejects(openSecrets("file:/x?kke=1", deps), /does not know the parameter kke/);
});
