import assert from "node:assert/strict";
import { type Endpoint, MatchError, type Probe } from "./mod.ts";
import { NORTHERN, SOUTH, SOUTHERN, withRegion } from "./testing/region.ts";

const failsWith = (code: string, text: RegExp, answered = true) => (error: unknown) => {
  assert.ok(error instanceof MatchError, String(error));
  assert.deepEqual([error.code, error.answered], [code, answered], error.message);
  assert.match(error.message, text);
  return true;
};

Deno.test("a device registers and finds the nearest instance with all that is known of it", async () => {
  await withRegion(async ({ device }) => {
    const here = device();
    const { sessionCookie, identity, tokenServerUri } = await here.register();
    assert.equal(sessionCookie.split(".").length, 3);
    assert.deepEqual([identity.type, identity.id.length, tokenServerUri], ["dme-ksuid", 27, ""]);
    const found = await here.findCloudlet(SOUTH);
    assert.equal(found?.fqdn, SOUTHERN);
    assert.deepEqual(found.ports, [{
      protocol: "Tcp",
      internalPort: 443,
      publicPort: 443,
      endPort: 0,
      fqdnPrefix: "",
      tls: true,
      maxPacketBytes: 0,
    }]);
    assert.deepEqual([found.location.latitude, found.location.longitude], [48.1351, 11.582]);
    assert.deepEqual(found.qos, { result: "NotAttempted", error: "" });
    assert.equal(await device({ carrier: "othertel" }).findCloudlet(SOUTH), undefined);
  });
});

Deno.test("the list holds the nearest instances of the region, best first, at most as many as asked for", async () => {
  await withRegion(async ({ device }) => {
    const sites = await device().getAppInstList(SOUTH);
    assert.deepEqual(sites.map(({ name, organization }) => `${organization}/${name}`).slice(0, 2), [
      "northtel/north-3",
      "northtel/north-2",
    ]);
    assert.equal(sites.flatMap(({ instances }) => instances).length, 3);
    assert.ok(Math.abs(sites[0]!.distanceKm - 16.2) < 0.1, String(sites[0]!.distanceKm));
    assert.equal(sites[0]!.instances[0]!.app.name, "alpha");
    assert.equal((await device().getAppInstList(SOUTH, { limit: 1 })).length, 1);
    assert.deepEqual(await device({ carrier: "othertel" }).getAppInstList(SOUTH), []);
  });
});

Deno.test("in performance mode the quickest instance wins, and the region's order where none is reached", async () => {
  await withRegion(async ({ device }) => {
    const asked: string[] = [];
    const probeOf =
      (latencies: Record<string, number[]>): Probe => ({ host, port }: Endpoint, { samples, timeoutMs }) => {
        assert.deepEqual([port, samples, timeoutMs], [443, 3, 2_000]);
        asked.push(host);
        return Promise.resolve(latencies[host] ?? [-1, -1, -1]);
      };
    const find = (latencies: Record<string, number[]>, carrier = "") =>
      device({ probe: probeOf(latencies), carrier }).findCloudlet(SOUTH, { mode: "performance" });
    const quick = await find({ [NORTHERN]: [4, 5, 6], [SOUTHERN]: [8, -1, 9] });
    assert.equal(quick?.fqdn, NORTHERN);
    assert.deepEqual(quick.latency, { samples: 3, average: 5, minimum: 4, maximum: 6, deviation: 1 });
    assert.equal(asked.length, 3);
    assert.ok(quick.edgeEventsCookie.split(".").length === 3);
    const steady = await find({ [NORTHERN]: [4, 5, 6], [SOUTHERN]: [5, 5, 5] });
    assert.equal(steady?.fqdn, SOUTHERN);
    assert.equal((await find({}))?.fqdn, SOUTHERN);
    assert.equal(await find({}, "othertel"), undefined);
  });
});

Deno.test("a session that ran out is renewed, with the same identity, and once for all that wait", async () => {
  await withRegion(async ({ region, device }) => {
    const identities: string[] = [];
    const bodies = (url: string, init: RequestInit) => {
      if (url.endsWith("registerclient")) identities.push(JSON.parse(String(init.body)).unique_id ?? "");
      return fetch(url, init);
    };
    const here = device({ fetch: bodies });
    const { identity } = await here.register();
    region.clock.nowMs += 25 * 3_600_000;
    const found = await Promise.all([here.findCloudlet(SOUTH), here.findCloudlet(SOUTH), here.getAppInstList(SOUTH)]);
    assert.equal(found.length, 3);
    assert.deepEqual(identities, ["", identity.id]);
  });
});

Deno.test("places, forecasts and priority sessions as the default operator answers", async () => {
  await withRegion(async ({ device }) => {
    const here = device({ carrier: "northtel" });
    const place = { latitude: 32.0139, longitude: -96.598, timeMs: 1_700_000_000_123, speed: 3 };
    assert.deepEqual(await here.verifyLocation(place), { status: "Verified", accuracyKm: 2 });
    assert.deepEqual(await here.verifyLocation({ latitude: 52.65, longitude: 10.341 }, "token"), {
      status: "MismatchSameCountry",
      accuracyKm: undefined,
    });
    const { status, carrier, place: seen } = await here.getLocation();
    assert.deepEqual([status, carrier, seen?.latitude], ["Found", "northtel", 32.013988]);
    const forecast = await here.getQosForecast([SOUTH, place], { lteCategory: 6, bands: { rat4g: ["LTE800"] } });
    assert.deepEqual(forecast.map((each) => each.place), [SOUTH, place]);
    for (const { uplink, downlink, latency } of forecast) {
      for (const { minimum, average, maximum } of [uplink, downlink, latency]) {
        assert.ok(0 <= minimum && minimum <= average && average <= maximum);
      }
    }
    await assert.rejects(here.getQosForecast([]), failsWith("INVALID_ARGUMENT", /position/));
    const wanted = {
      profile: "LowLatency",
      deviceAddress: "192.0.2.1",
      serverAddress: "192.0.2.2",
      durationS: 60,
    } as const;
    await assert.rejects(here.createPrioritySession(wanted), failsWith("INVALID_ARGUMENT", /configured/));
    assert.equal(await here.deletePrioritySession({ id: "1", profile: "LowLatency" }), "Unknown");
  });
});

Deno.test("the token of an operator's token server is taken from where it redirects to", async () => {
  let token: string | undefined;
  const answers: [RegExp, (init: RequestInit) => Response][] = [
    [
      /registerclient$/,
      () => Response.json({ session_cookie: "a.b.c", token_server_uri: "https://token.example/its" }),
    ],
    [/^https:\/\/token\.example\/its$/, ({ redirect }) => {
      assert.equal(redirect, "manual");
      return new Response(null, { status: 303, headers: { location: "https://verify.example/?dt-id=x%2By" } });
    }],
    [/verifylocation$/, ({ body }) => {
      token = JSON.parse(String(body)).verify_loc_token;
      return Response.json({ gps_location_status: "RoamingCountryMatch", gps_location_accuracy_km: -1 });
    }],
  ];
  const fetch = (url: string, init: RequestInit) =>
    Promise.resolve(answers.find(([pattern]) => pattern.test(url))![1](init));
  await withRegion(async ({ device }) => {
    const { status } = await device({ fetch }).verifyLocation(SOUTH);
    assert.deepEqual([status, token], ["RoamingCountryMatch", "x+y"]);
  });
});

Deno.test("what is refused, not answered, late or not of the API is told apart", async () => {
  await withRegion(async ({ device }) => {
    await assert.rejects(
      device({ app: { organization: "acme", name: "nothing", version: "1" } }).register(),
      failsWith("NOT_FOUND", /nothing/),
    );
    await assert.rejects(device().findCloudlet({ latitude: 91, longitude: 0 }), failsWith("INVALID_ARGUMENT", /./));
    await assert.rejects(
      device({ url: "http://127.0.0.1:1" }).register(),
      failsWith("UNAVAILABLE", /RegisterClient: .*not reached/, false),
    );
    const silent = (_url: string, { signal }: RequestInit) =>
      new Promise<Response>((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
    await assert.rejects(
      device({ fetch: silent, timeoutMs: 10 }).register(),
      failsWith("DEADLINE_EXCEEDED", /within 10 ms/, false),
    );
    const given = AbortSignal.abort();
    const here = device();
    await here.register();
    await assert.rejects(here.findCloudlet(SOUTH, { signal: given }), failsWith("CANCELLED", /given up/, false));
    for (const answer of ["<html>", "[]", "7"]) {
      await assert.rejects(
        device({ fetch: () => Promise.resolve(new Response(answer, { status: 502 })) }).register(),
        failsWith("INTERNAL", /not of the client API/, false),
      );
    }
  });
});

Deno.test("an app with a public key is vouched for by a token of its back-end", async () => {
  const sent: unknown[] = [];
  await withRegion(async ({ device }) => {
    const fetch = (_url: string, { body }: RequestInit) => {
      sent.push(JSON.parse(String(body)).auth_token);
      return Promise.resolve(Response.json({ session_cookie: "a.b.c" }));
    };
    let count = 0;
    const asked = device({ fetch, authToken: () => Promise.resolve(`token ${++count}`) });
    await asked.register();
    await asked.register();
    await device({ fetch, authToken: "fixed" }).register();
  });
  assert.deepEqual(sent, ["token 1", "token 2", "fixed"]);
});
