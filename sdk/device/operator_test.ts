// What only an operator's network knows, by the SDK through a matching engine to the network of a pretended operator.
import assert from "node:assert/strict";
import location from "../../plugins/operator_location/mod.ts";
import { createChannel } from "../../shared/rpc/mod.ts";
import { memoryLogger } from "../../shared/telemetry/mod.ts";
import { type SimNetwork, startNetwork } from "../../tools/operator_sim/network.ts";
import { MatchError } from "./mod.ts";
import { NORTH, type Scene, SOUTH, withRegion } from "./testing/region.ts";

const FREE = { hostname: "127.0.0.1", port: 0 };
const BERLIN = { latitude: 52.52, longitude: 13.405 };

function withOperator(body: (scene: Scene, network: SimNetwork) => Promise<void>): Promise<void> {
  return withRegion(async (scene) => {
    const network = await startNetwork({
      httpAddr: FREE,
      grpcAddr: FREE,
      subscribers: { "127.0.0.1": { ...BERLIN, home: "DE" } },
      login: "",
      apiKey: "the-key",
      fail: [],
    });
    const tokenServerUri = `${network.url}/its?followURL=${encodeURIComponent(`${network.url}/verify`)}`;
    const operator = await location.open({
      settings: {
        "verify-url": `${network.url}/verify`,
        "qos-position-addr": network.grpcAddress,
        "qos-session-addr": network.url,
      },
      tokenServerUri,
      fetch,
      secret: () => Promise.resolve("the-key"),
      connect: (address) => createChannel({ address }),
      now: Date.now,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      log: memoryLogger().log,
    });
    Object.assign(scene.region.desk, { operator, tokenServerUri });
    try {
      await body(scene, network);
    } finally {
      await operator.close();
      await network.close();
    }
  });
}

Deno.test("a place is verified with a token that the SDK fetches from the operator's token server", async () => {
  await withOperator(async ({ device }, network) => {
    const here = device();
    assert.match((await here.register()).tokenServerUri, /followURL/);
    const check = async (latitude: number, longitude: number) => {
      const { status, accuracyKm } = await here.verifyLocation({ latitude, longitude });
      return [status, accuracyKm];
    };
    assert.deepEqual(await check(52.53, 13.405), ["Verified", 2]);
    assert.deepEqual(await check(52.61, 13.5), ["Verified", 100]);
    assert.deepEqual(await check(40.42, -3.7), ["MismatchOtherCountry", undefined]);
    assert.deepEqual(await here.verifyLocation(BERLIN, "made-up"), {
      status: "ErrorUnauthorized",
      accuracyKm: undefined,
    });
    network.failures = ["its=500"];
    await assert.rejects(here.verifyLocation(BERLIN), (error) => {
      assert.ok(error instanceof MatchError);
      assert.match(error.message, /gave no token \(HTTP 500\)/);
      return true;
    });
  });
});

Deno.test("forecasts that come in parts are one answer, each with the place it is for", async () => {
  await withOperator(async ({ device }, network) => {
    const places = [SOUTH, NORTH, BERLIN];
    const forecast = await device().getQosForecast(places, { bands: { rat5g: ["n78"] } });
    assert.deepEqual(forecast.map(({ place }) => place), places);
    assert.ok(Math.abs(forecast[0]!.downlink.average - 84) < 0.01);
    assert.deepEqual(forecast[1]!.latency, { minimum: 10, average: 20, maximum: 40 });
    network.failures = ["kpi=500"];
    await assert.rejects(
      device().getQosForecast(places),
      (error) => error instanceof MatchError && error.code === "UNAVAILABLE" && error.answered,
    );
  });
});

Deno.test("priority sessions are made, kept, and deleted once", async () => {
  await withOperator(async ({ device }, network) => {
    const here = device();
    const wanted = {
      profile: "ThroughputDownM",
      deviceAddress: "10.0.0.1",
      serverAddress: "10.0.0.9",
      serverPorts: "5000-5010",
      protocolIn: "Udp",
      durationS: 60,
    } as const;
    const made = await here.createPrioritySession(wanted);
    assert.deepEqual([made.profile, made.durationS, made.created], ["ThroughputDownM", 60, true]);
    assert.equal(made.expiresAt - made.startedAt, 60);
    assert.deepEqual(network.sessions().map(({ id, qos }) => [id, qos]), [[made.id, "THROUGHPUT_M"]]);
    const kept = await here.createPrioritySession(wanted);
    assert.deepEqual([kept.id, kept.created], [made.id, false]);
    assert.equal(await here.deletePrioritySession(made), "Deleted");
    assert.equal(await here.deletePrioritySession(made), "NotFound");
    await assert.rejects(
      here.createPrioritySession({ ...wanted, deviceAddress: "::1" }),
      (error) => error instanceof MatchError && error.code === "INVALID_ARGUMENT" && /::1/.test(error.message),
    );
  });
});
