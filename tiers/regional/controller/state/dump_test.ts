import assert from "node:assert/strict";
import fc from "fast-check";
import { AppInstKind, kinds } from "../../../../shared/schema/mod.ts";
import { openStore, type Store, transaction } from "../../../../shared/store/mod.ts";
import { memoryLogger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import { checkDump, DumpError, dumpLines, restoreDump } from "./dump.ts";
import { RegionCache } from "./region_cache.ts";
import { controllerRow, encodeRow } from "./rows.ts";
import { claimStore, modelVersion, WrongStoreError } from "./version.ts";
import { UPGRADES } from "./upgrades.ts";

/** What the controller of data model 1 had stored after `up --demo`. */
const V1 = new URL("./testdata/region_v1.dump", import.meta.url);

async function* linesOf(text: string): AsyncGenerator<string> {
  for (const line of text.split("\n")) if (line !== "") yield await Promise.resolve(line);
}

async function dumped(store: Store): Promise<string[]> {
  return await Array.fromAsync(dumpLines(store));
}

async function contents(store: Store): Promise<[string, string][]> {
  const { entries } = await store.scan("");
  return entries.filter(({ lease }) => lease === undefined)
    .map(({ key, value }) => [key, new TextDecoder().decode(value)]);
}

Deno.test("a restored dump holds the same rows, whatever they are, and none under a lease", async () => {
  const rows = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.jsonValue(), { maxKeys: 120 });
  await fc.assert(
    fc.asyncProperty(rows, async (values) => {
      const store = await openStore("sqlite::memory:");
      await claimStore(store, "eu");
      const lease = await store.grantLease(5000);
      for (const [name, value] of Object.entries(values)) {
        await transaction(store, (tx) => tx.put(`/v1/Thing/${name}`, encodeRow(value as never)));
      }
      await transaction(store, (tx) => tx.put(controllerRow("one"), encodeRow({}), { lease: lease.id }));
      const text = (await dumped(store)).join("\n");
      const copy = await openStore("sqlite::memory:");
      const summary = await restoreDump(copy, () => linesOf(text));
      assert.equal(summary.rows, Object.keys(values).length + 1);
      assert.deepEqual(await contents(copy), await contents(store));
      await claimStore(copy, "eu");
      await copy.close();
      await store.close();
    }),
    { numRuns: 20 },
  );
});

Deno.test("a damaged, cut or later dump is refused with its line, and nothing is written", async () => {
  const text = await Deno.readTextFile(V1);
  const lines = text.trimEnd().split("\n");
  const later = lines[0]!.replace('"version":1', '"version":999');
  const wrong: [string[], RegExp][] = [
    [[], /cut off/],
    [lines.slice(0, -1), /cut off/],
    [lines.slice(0, 10), /cut off/],
    [[...lines.slice(0, 5), ...lines.slice(6)], /line 83: 82 rows expected, there are 81/],
    [lines.map((line) => line.replace("hyperion", "hyperiom")), /checksum/],
    [[...lines, lines[1]!], /line 85: nothing may come after/],
    [["{}", ...lines.slice(1)], /line 1: expected the header/],
    [["x"], /line 1: expected a JSON object/],
    [[lines[0]!, '{"key":"/other/x","value":1}'], /line 2: expected a row with a key under \/v1\//],
    [[later, ...lines.slice(1)], /version 999, this program knows up to/],
  ];
  for (const [damaged, message] of wrong) {
    const store = await openStore("sqlite::memory:");
    await assert.rejects(restoreDump(store, () => linesOf(damaged.join("\n"))), (error) => {
      assert.ok(error instanceof DumpError);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(await contents(store), []);
    await store.close();
  }
});

Deno.test("a restore that was cut off keeps controllers away, and is finished by running it again", async () => {
  const text = await Deno.readTextFile(V1);
  const store = await openStore("sqlite::memory:");
  let reads = 0;
  async function* breaking(): AsyncGenerator<string> {
    reads++;
    let line = 0;
    for await (const each of linesOf(text)) {
      if (reads === 2 && line++ === 60) throw new Error("power cut");
      yield each;
    }
  }
  await assert.rejects(restoreDump(store, breaking), /power cut/);
  await assert.rejects(claimStore(store, "local"), /restore was not finished/);
  const other = await openStore("sqlite::memory:");
  await claimStore(other, "local");
  const otherText = (await dumped(other)).join("\n");
  await assert.rejects(restoreDump(store, () => linesOf(otherText)), WrongStoreError);
  assert.equal((await restoreDump(store, () => linesOf(text))).rows, 82);
  await claimStore(store, "local", { autoUpgrade: true });
  await assert.rejects(restoreDump(store, () => linesOf(text)), /not empty/);
  await store.close();
  await other.close();
});

Deno.test("a store of data model 1 is upgraded, and every object of it can be read", async () => {
  const text = await Deno.readTextFile(V1);
  assert.deepEqual((await checkDump(linesOf(text))).version, 1);
  const store = await openStore("sqlite::memory:");
  await restoreDump(store, () => linesOf(text));
  if (modelVersion(UPGRADES) > 1) await assert.rejects(claimStore(store, "local"), /--auto-upgrade/);
  await claimStore(store, "local", { autoUpgrade: true });
  await claimStore(store, "local");
  const logger = memoryLogger();
  const cache = new RegionCache(store, kinds as readonly AnyKind[], logger.log);
  await cache.start();
  assert.deepEqual(logger.records.filter(({ level }) => level === "error"), []);
  assert.equal(cache.table(AppInstKind).size, 11);
  for (const { uri, mappedPorts, state } of cache.table(AppInstKind).values()) {
    assert.ok(uri !== "" && mappedPorts.length > 0 && state > 0);
  }
  await cache.close();
  await store.close();
});
