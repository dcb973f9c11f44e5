import assert from "node:assert/strict";
import { createGatherer, createNotifyClient, type NotifyClient, roundRobin } from "../../../../shared/notify/mod.ts";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInstKind,
  AppInstLatency,
  AppInstLatencyAsked,
  EXPLAIN_QUESTION,
  LATENCY_QUESTION,
  MatchCandidate,
  MatchExplanation,
  MatchQuery,
  MatchVerdict,
} from "../../../../shared/schema/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, furnish, instance, lines, until, World } from "./world.ts";

interface Engine {
  readonly client: NotifyClient;
  readonly asked: string[];
}

/** A matching engine that has the given number of devices on its streams, of the region or of a cloudlet. */
export function matchingEngine(
  world: World,
  name: string,
  clients: number,
  explain: () => MatchExplanation | Promise<MatchExplanation>,
  cloudlet = "",
): Engine {
  const client = createNotifyClient({
    service: "dme",
    region: "eu",
    instance: name,
    cloudlet,
    wants: [],
    connect: roundRobin([world.notifyAddress], () => ({})),
    backoff: { initialMs: 10, maxMs: 100 },
  });
  const asked: string[] = [];
  const node = { service: "dme", region: "eu", cloudlet: "", instance: name };
  createGatherer({
    type: LATENCY_QUESTION,
    node,
    client,
    answer(question) {
      asked.push(AppInstKind.keyString(AppInstLatency.decode(question).key));
      return AppInstLatencyAsked.encode({ clients });
    },
  });
  createGatherer({
    type: EXPLAIN_QUESTION,
    node,
    client,
    async answer(question) {
      asked.push(String(MatchQuery.decode(question).latitude));
      return MatchExplanation.encode(await explain());
    },
  });
  client.start();
  return { client, asked };
}

const query = MatchQuery.create({
  appKey: { organization: "AtlasWorks", name: "Echo", version: "1.0" },
  latitude: 48.5,
  longitude: 11,
});

/** What is asked of the matching engines. */
export const matchCases: ApiCase[] = [
  {
    name: "matching engines are asked for latencies and explanations",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      await lines(world.api.instances.createAppInst(instance()));
      const { key } = instance();
      await refused(
        world.api.latencies.requestAppInstLatency(
          AppInstLatency.create({ key: { ...key, appKey: { ...key.appKey, name: "No" } } }),
        ),
        Status.NOT_FOUND,
        /AppInst key .*No.* not found/,
      );
      await refused(
        world.api.latencies.requestAppInstLatency(AppInstLatency.create()),
        Status.INVALID_ARGUMENT,
        /key\.app_key\.organization/,
      );
      await refused(all(world.api.matches.explainMatch(query)), Status.FAILED_PRECONDITION, /No matching engine/);
      await refused(
        world.api.latencies.requestAppInstLatency(AppInstLatency.create({ key })),
        Status.FAILED_PRECONDITION,
        /No matching engine/,
      );
      const other = MatchQuery.create({ appKey: { ...query.appKey, version: "9" } });
      await refused(all(world.api.matches.explainMatch(other)), Status.NOT_FOUND, /App key .* not found/);

      const winner = { verdict: MatchVerdict.WINS, rank: 1, cloudlet: "Edge", distanceKm: 12.5, reason: "the nearest" };
      const explanation = MatchExplanation.create({ candidates: [winner] });
      const engines = [
        matchingEngine(world, "one", 3, () => explanation),
        matchingEngine(world, "two", 4, () => explanation),
      ];
      // Somebody else's, which has devices but no say.
      const onSite = matchingEngine(
        world,
        "three",
        5,
        () => explanation,
        '{"organization":"Bayline Inc.","name":"Edge"}',
      );
      try {
        await until(() => world.controller.hub.streams().length === 4, "all engines are connected");
        const { message } = await world.api.latencies.requestAppInstLatency(AppInstLatency.create({ key }));
        assert.equal(message, "Asked 12 devices on 3 matching engines");
        onSite.asked.length = 0;
        for (const { asked } of engines) {
          // The cluster that the request left out is filled in.
          assert.match(asked.splice(0).join(), /^\{"app_key":.*"cluster_key":\{"name":".+"\}/);
        }
        const told = await all(world.api.matches.explainMatch(query));
        const by = (name: string) => ({ ...explanation.candidates[0]!, engines: [name] });
        assert.deepEqual(told.toSorted((a, b) => a.engines[0]! < b.engines[0]! ? -1 : 1), [by("one"), by("two")]);
        assert.deepEqual([...engines, onSite].map(({ asked }) => asked), [["48.5"], ["48.5"], []]);
      } finally {
        for (const { client } of [...engines, onSite]) await client.stop();
      }
      const failing = matchingEngine(world, "four", 0, () => {
        throw new Error("The region's data has not arrived yet");
      });
      try {
        await until(
          () => world.controller.hub.streams().some(({ child }) => child.instance === "four"),
          "it is there",
        );
        await until(() => world.controller.hub.streams().length === 2, "the others have gone");
        assert.deepEqual(await all(world.api.matches.explainMatch(query)), [
          MatchCandidate.create({ reason: "four: The region's data has not arrived yet", engines: ["four"] }),
        ]);
      } finally {
        await failing.client.stop();
      }
    },
  },
];
