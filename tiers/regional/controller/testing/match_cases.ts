import assert from "node:assert/strict";
import { createGatherer, createNotifyClient, type NotifyClient, roundRobin } from "../../../../shared/notify/mod.ts";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInstKind,
  AppInstLatency,
  AppInstLatencyAsked,
  EXPLAIN_QUESTION,
  LATENCY_QUESTION,
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

/** A matching engine that has the given number of devices on its streams. */
function engine(world: World, name: string, clients: number, explain: () => MatchExplanation): Engine {
  const client = createNotifyClient({
    service: "dme",
    region: "eu",
    instance: name,
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
    answer(question) {
      asked.push(String(MatchQuery.decode(question).latitude));
      return MatchExplanation.encode(explain());
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
      const other = MatchQuery.create({ appKey: { ...query.appKey, version: "9" } });
      await refused(all(world.api.matches.explainMatch(other)), Status.NOT_FOUND, /App key .* not found/);

      const winner = { verdict: MatchVerdict.WINS, rank: 1, cloudlet: "Edge", distanceKm: 12.5, reason: "the nearest" };
      const explanation = MatchExplanation.create({ candidates: [winner] });
      const engines = [
        engine(world, "one", 3, () => explanation),
        engine(world, "two", 4, () => explanation),
      ];
      try {
        await until(() => world.controller.hub.streams().length === 3, "both engines are connected");
        const { message } = await world.api.latencies.requestAppInstLatency(AppInstLatency.create({ key }));
        assert.equal(message, "Asked 7 devices on 2 matching engines");
        for (const { asked } of engines) {
          // The cluster that the request left out is filled in.
          assert.match(asked.splice(0).join(), /^\{"app_key":.*"cluster_key":\{"name":".+"\}/);
        }
        const told = await all(world.api.matches.explainMatch(query));
        assert.deepEqual(told, explanation.candidates);
        assert.deepEqual(engines.flatMap(({ asked }) => asked), ["48.5"]);
      } finally {
        for (const { client } of engines) await client.stop();
      }
      const failing = engine(world, "three", 0, () => {
        throw new Error("The region's data has not arrived yet");
      });
      try {
        await until(
          () => world.controller.hub.streams().some(({ child }) => child.instance === "three"),
          "it is there",
        );
        await until(() => world.controller.hub.streams().length === 2, "the others have gone");
        await refused(
          all(world.api.matches.explainMatch(query)),
          Status.FAILED_PRECONDITION,
          /data has not arrived yet/,
        );
      } finally {
        await failing.client.stop();
      }
    },
  },
];
