// Two controllers on one store, each with matching engines of its own, asked through the master controller.
import assert from "node:assert/strict";
import { MatchCandidate, MatchExplanation, MatchVerdict } from "../../shared/schema/mod.ts";
import { openStore } from "../../shared/store/mod.ts";
import { ADMIN_PASSWORD, makeWorld } from "../../tiers/global/master-controller/testing/world.ts";

import { matchingEngine } from "../../tiers/regional/controller/testing/match_cases.ts";
import { all, furnish, instance, lines, until, World } from "../../tiers/regional/controller/testing/world.ts";
import { refused } from "./expect.ts";
import { startTestPostgres } from "./postgres.ts";

const winner = MatchCandidate.create({ verdict: MatchVerdict.WINS, rank: 1, cloudlet: "Edge", reason: "the nearest" });
const other = MatchCandidate.create({ verdict: MatchVerdict.EXCLUDED, cloudlet: "Edge", reason: "not heard of" });
const says = (...candidates: MatchCandidate[]) => () => MatchExplanation.create({ candidates });

Deno.test("master controller: the matching engines of all controllers answer, and who is silent is told", async () => {
  await using postgres = await startTestPostgres();
  const master = await makeWorld(postgres.url);
  const store = await openStore("sqlite::memory:");
  const first = await World.start({ store });
  const second = await World.start({ store, parts: { id: "two" } });
  const engines = [
    matchingEngine(first, "dme-a", 3, says(winner)),
    matchingEngine(second, "dme-b", 4, says(winner)),
    matchingEngine(second, "dme-c", 5, says(other)),
  ];
  const [engineA] = engines;
  try {
    await furnish(first);
    await lines(first.api.instances.createAppInst(instance()));
    await until(async () => (await all(second.api.instances.showAppInst(instance()))).length === 1, "both know it");
    await until(() => second.controller.hub.streams().length === 2, "the engines of the second are connected");
    await until(() => first.controller.hub.streams().length === 2, "the engine of the first is connected");
    const admin = await master.login("mexadmin", ADMIN_PASSWORD);
    const register = (Region: string, ...worlds: World[]) =>
      master.call("auth/controller/create", { Region, Address: worlds.map((each) => each.apiAddress).join() }, admin);
    await register("pair", first, second);

    const ask = (region = "pair") =>
      master.call("auth/ctrl/RequestAppInstLatency", { region, appinstlatency: { key: KEY } }, admin);
    const asked = await ask();
    assert.deepEqual(
      asked.json.message.split("; ").sort(),
      ["Asked 3 devices on 1 matching engine", "Asked 9 devices on 2 matching engines"],
    );

    const matchquery = { app_key: KEY.app_key, latitude: 48.5, longitude: 11 };
    const explain = (region = "pair") => master.call("auth/ctrl/ExplainMatch", { region, matchquery }, admin);
    const rows = (answer: Awaited<ReturnType<typeof explain>>) =>
      answer.lines.map(({ data }) => [data?.verdict ?? "", data?.reason, data?.engines?.toSorted().join()]);
    assert.deepEqual(rows(await explain()).sort(), [
      ["Excluded", "not heard of", "dme-c"],
      ["Wins", "the nearest", "dme-a,dme-b"],
    ]);

    // An engine that cannot say anything is named, and is no reason to say nothing of the others.
    const mute = matchingEngine(second, "dme-d", 0, () => {
      throw new Error("The region's data has not arrived yet");
    });
    engines.push(mute);
    await until(() => second.controller.hub.streams().length === 3, "it is connected");
    assert.deepEqual(rows(await explain()).at(-1), ["", "dme-d: The region's data has not arrived yet", "dme-d"]);

    const deaf = matchingEngine(second, "dme-e", 0, () => new Promise(() => {}));
    await until(() => second.controller.hub.streams().length === 4, "it is connected");
    assert.deepEqual(rows(await explain()).slice(2).map(([, reason]) => reason).sort(), [
      "dme-d: The region's data has not arrived yet",
      "dme-e: has not answered in time",
    ]);
    await deaf.client.stop();
    await until(() => second.controller.hub.streams().length === 3, "it is gone");

    // A controller without engines is no failure while another has some.
    await engineA!.client.stop();
    await until(() => first.controller.hub.streams().length === 1, "the first has no engine");
    assert.equal((await ask()).json.message, "Asked 9 devices on 3 matching engines");
    assert.equal(rows(await explain()).length, 3);
    await register("alone", first);
    await refused(ask("alone"), 400, "No matching engine is connected");
    await refused(explain("alone"), 400, "No matching engine is connected");

    // A controller that cannot be reached is told beside what the other says.
    await first[Symbol.asyncDispose]();
    assert.match((await ask()).json.message, /^Asked 9 devices on 3 matching engines; Region pair is unavailable: /);
    const partly = await explain();
    assert.equal(partly.lines.length, 4);
    assert.match(partly.lines.at(-1).result.message, /Region pair is unavailable: /);
  } finally {
    for (const { client } of engines) await client.stop();
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await store.close();
    await master.close();
  }
});

const KEY = {
  app_key: { organization: "AtlasWorks", name: "Echo", version: "1.0" },
  cluster_inst_key: { cloudlet_key: { organization: "Bayline Inc.", name: "Edge" } },
};
