// The matching engine with the plugin location-api, against the network of a pretended operator, by gRPC and by REST.
import assert from "node:assert/strict";
import { type Channel, createChannel, createClient, RpcError, Status } from "../../shared/rpc/mod.ts";
import { App, Cloudlet, CloudletInfo, dme } from "../../shared/schema/mod.ts";
import { startService } from "../../shared/service/mod.ts";
import { dmeService } from "../../tiers/regional/dme/service.ts";
import { testController, testPlatform } from "../../tiers/regional/dme/testing/controller.ts";
import { appInst } from "../../tiers/regional/dme/testing/region.ts";
import { createToken } from "../../tools/operator_sim/locations.ts";
import { type SimNetwork, startNetwork } from "../../tools/operator_sim/network.ts";

const { QosSessionProfile: Profile, VerifyLocationReply_GPSLocationStatus: Verified } = dme;
const BERLIN = { latitude: 52.52, longitude: 13.405 };
const FREE = { hostname: "127.0.0.1", port: 0 };

/** A matching engine, its operator's network, and a session by both faces. */
interface Scene {
  readonly network: SimNetwork;
  readonly grpc: ReturnType<typeof createClient<typeof dme.MatchEngineApi>>;
  rest(name: string, body: object): Promise<{ status: number; json: Record<string, unknown> }>;
  readonly cookie: string;
  /** Where the token server sends devices. */
  readonly tokenServerUri: string;
  readonly lines: string[];
  storeKey(value: string): Promise<void>;
}

async function onScene(
  options: { settings?(network: SimNetwork): string[]; qos?: dme.QosSessionProfile; ports?: string },
  work: (scene: Scene) => Promise<void>,
): Promise<void> {
  const platform = await testPlatform("eu");
  const controller = await testController(platform, "eu");
  const own = await platform.ca.issue({ identity: { tier: "regional", region: "eu", service: "controller" } });
  const network = await startNetwork({
    httpAddr: FREE,
    grpcAddr: FREE,
    grpcTls: { cert: own.certPem, key: own.keyPem, ca: own.caPem, requireClientCertificate: true },
    subscribers: {
      "127.0.0.1": { ...BERLIN, home: "DE" },
      "10.0.0.2": { ...BERLIN, home: "FR" },
    },
    login: "engine:pass",
    apiKey: "the-key",
    fail: [],
  });
  const app = ["acme", "alpha", "1.1"];
  controller.putApp(App.create({
    key: { organization: app[0], name: app[1], version: app[2] },
    accessPorts: options.ports ?? "udp:5000,tcp:443",
    qosSessionProfile: options.qos,
    qosSessionDuration: 600e9,
  }));
  const key = { organization: "northtel", name: "north-2" };
  controller.putCloudlet(Cloudlet.create({ key, location: BERLIN }));
  controller.putCloudletInfo(CloudletInfo.create({ key, state: dme.CloudletState.CLOUDLET_STATE_READY }));
  controller.putAppInst(appInst(app, "northtel", "north-2", "localhost", [BERLIN.latitude, BERLIN.longitude]));
  controller.hub.markReady();
  await platform.secrets.put("eu/operator/location-api", { value: "engine:pass" });
  const settings = options.settings?.(network) ?? [
    `verify-url=${network.url}/verify`,
    `qos-position-addr=${network.grpcAddress}`,
    `qos-session-addr=${network.url}`,
    "timeout-ms=1000",
  ];
  const tokenServerUri = `${network.url}/its?followURL=${encodeURIComponent(`${network.url}/verify`)}`;
  const lines: string[] = [];
  const running = await startService(dmeService, {
    args: [
      ...platform.dmeArgs,
      "--notify-addrs",
      controller.address,
      "--operator=location-api",
      `--operator-settings=${settings.join(",")}`,
      `--token-server-uri=${tokenServerUri}`,
    ],
    sink: (line) => void lines.push(line),
  });
  const client = Deno.createHttpClient({ caCerts: [platform.ca.rootPem] });
  const channel: Channel = createChannel({
    address: running.addresses.grpc!.replace("127.0.0.1", "localhost"),
    tls: { ca: platform.ca.rootPem },
  });
  const grpc = createClient(dme.MatchEngineApi, channel, { timeoutMs: 30_000 });
  const url = running.addresses.rest!.replace("127.0.0.1", "localhost");
  try {
    await running.ready;
    const { sessionCookie } = await grpc.registerClient(
      dme.RegisterClientRequest.create({ orgName: "acme", appName: "alpha", appVers: "1.1" }),
    );
    await work({
      network,
      grpc,
      cookie: sessionCookie,
      tokenServerUri,
      lines,
      storeKey: async (value) => void await platform.secrets.put("eu/operator/qos-sessions", { value }),
      async rest(name, body) {
        const response = await fetch(`${url}/v1/${name}`, { method: "POST", body: JSON.stringify(body), client });
        return { status: response.status, json: await response.json() };
      },
    });
  } finally {
    client.close();
    channel.close();
    await running.stop();
    await network.close();
    await controller.close();
    await platform.close();
  }
}

async function refusal(call: Promise<unknown>): Promise<RpcError> {
  const error = await call.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof RpcError, String(error));
  return error;
}

Deno.test("VerifyLocation: every degree of the location API by both faces, and what a device does before", () =>
  onScene({}, async ({ grpc, rest, cookie, network, tokenServerUri, lines }) => {
    const verify = async (latitude: number, longitude: number, verifyLocToken: string) => {
      const byGrpc = await grpc.verifyLocation(
        dme.VerifyLocationRequest.create({
          sessionCookie: cookie,
          gpsLocation: { latitude, longitude },
          verifyLocToken,
        }),
      );
      const { json } = await rest("verifylocation", {
        session_cookie: cookie,
        gps_location: { latitude, longitude },
        verify_loc_token: verifyLocToken,
      });
      assert.equal(json["gps_location_accuracy_km"], byGrpc.gpsLocationAccuracyKm);
      return [byGrpc.gpsLocationStatus, byGrpc.gpsLocationAccuracyKm];
    };
    // The token server knows the device by its address.
    const sent = await fetch(tokenServerUri, { redirect: "manual" });
    await sent.body?.cancel();
    assert.equal(sent.status, 303);
    const token = new URL(sent.headers.get("location")!).searchParams.get("dt-id")!;
    const roaming = createToken("10.0.0.2", Date.now());
    const cases: [string, number, number, string, number, number][] = [
      ["within 2 km", 52.53, 13.405, token, Verified.LOC_VERIFIED, 2],
      ["within 10 km", 52.56, 13.405, token, Verified.LOC_VERIFIED, 10],
      ["within 100 km", 52.61, 13.5, token, Verified.LOC_VERIFIED, 100],
      ["elsewhere in the country", 48.14, 11.58, token, Verified.LOC_MISMATCH_SAME_COUNTRY, -1],
      ["in another country", 40.42, -3.7, token, Verified.LOC_MISMATCH_OTHER_COUNTRY, -1],
      ["roaming, at home by its own word", 48.85, 2.35, roaming, Verified.LOC_ROAMING_COUNTRY_MATCH, -1],
      ["roaming, in a third country", 40.42, -3.7, roaming, Verified.LOC_ROAMING_COUNTRY_MISMATCH, -1],
      ["nobody's subscriber", 52.53, 13.4, createToken("10.9.9.9", Date.now()), Verified.LOC_UNKNOWN, -1],
      [
        "a token that is too old",
        52.53,
        13.4,
        createToken("127.0.0.1", Date.now() - 61_000),
        Verified.LOC_ERROR_UNAUTHORIZED,
        -1,
      ],
      ["no token of the server", 52.53, 13.4, "made-up", Verified.LOC_ERROR_UNAUTHORIZED, -1],
    ];
    for (const [name, latitude, longitude, with_, status, accuracy] of cases) {
      assert.deepEqual(await verify(latitude, longitude, with_), [status, accuracy], name);
    }
    for (
      const [fault, status] of [
        ["verify=401", Verified.LOC_ERROR_UNAUTHORIZED],
        ["verify=403", Verified.LOC_ERROR_UNAUTHORIZED],
        ["verify=500", Verified.LOC_ERROR_OTHER],
        ["verify=garbage", Verified.LOC_ERROR_OTHER],
        ["verify=stall", Verified.LOC_ERROR_OTHER],
      ] as const
    ) {
      network.failures = [fault];
      assert.deepEqual(await verify(52.53, 13.405, token), [status, -1], fault);
    }
    network.failures = ["verify=stall"];
    const slow = verify(52.53, 13.405, token);
    const began = Date.now();
    await grpc.getLocation(dme.GetLocationRequest.create({ sessionCookie: cookie }));
    assert.ok(Date.now() - began < 900, "another call waits for a slow network");
    await slow;
    network.failures = [];
    const without = await refusal(
      grpc.verifyLocation(dme.VerifyLocationRequest.create({ sessionCookie: cookie, gpsLocation: BERLIN })),
    );
    assert.deepEqual([without.code, /verify_loc_token/.test(without.message)], [Status.INVALID_ARGUMENT, true]);
    assert.ok(!lines.join("").includes("pass") && !lines.join("").includes(token));
  }));

Deno.test("without its settings the operator's services are refused as not configured", () =>
  onScene({ settings: () => ["timeout-ms=500"] }, async ({ grpc, cookie }) => {
    const request = dme.VerifyLocationRequest.create({
      sessionCookie: cookie,
      gpsLocation: BERLIN,
      verifyLocToken: "x",
    });
    assert.match((await refusal(grpc.verifyLocation(request))).message, /No location API is configured/);
    const session = dme.QosPrioritySessionCreateRequest.create({ sessionCookie: cookie });
    assert.match((await refusal(grpc.qosPrioritySessionCreate(session))).message, /not? .*configured/i);
    const deleted = await grpc.qosPrioritySessionDelete(
      dme.QosPrioritySessionDeleteRequest.create({ sessionCookie: cookie, sessionId: "x" }),
    );
    assert.equal(deleted.status, dme.QosPrioritySessionDeleteReply_DeleteStatus.QDEL_UNKNOWN);
    const kpi = grpc.getQosPositionKpi(
      dme.QosPositionRequest.create({ sessionCookie: cookie, positions: [{ positionid: 1, gpsLocation: BERLIN }] }),
    );
    assert.equal((await refusal(Array.fromAsync(kpi))).code, Status.INVALID_ARGUMENT);
  }));

Deno.test("GetQosPositionKpi passes the network's predictions on as they come", () =>
  onScene({}, async ({ grpc, cookie, network }) => {
    const positions = [1, 2, 3].map((n) => ({ positionid: n, gpsLocation: { latitude: n * 10, longitude: 0 } }));
    const ask = () =>
      Array.fromAsync(grpc.getQosPositionKpi(dme.QosPositionRequest.create({
        sessionCookie: cookie,
        positions,
        bandSelection: { rat5g: ["n78"] },
      })));
    const replies = await ask();
    assert.equal(replies.length, 2);
    const results = replies.flatMap(({ positionResults }) => positionResults);
    assert.deepEqual(
      results.map((r) => [r.positionid, r.gpsLocation?.latitude, r.dluserthroughputAvg, r.latencyMin, r.latencyMax]),
      [[1, 10, 160, 10, 40], [2, 20, 140, 10, 40], [3, 30, 120, 10, 40]],
    );
    network.failures = ["kpi=500"];
    assert.equal((await refusal(ask())).code, Status.UNAVAILABLE);
    network.failures = ["kpi=stall"];
    assert.equal((await refusal(ask())).code, Status.DEADLINE_EXCEEDED);
  }));

Deno.test("priority sessions: made, kept, replaced and deleted, and refused before the network is asked", () =>
  onScene({}, async ({ grpc, rest, cookie, network, storeKey, lines }) => {
    const create = (more: object = {}) =>
      grpc.qosPrioritySessionCreate(dme.QosPrioritySessionCreateRequest.create({
        sessionCookie: cookie,
        sessionDuration: 60,
        ipUserEquipment: "10.0.0.1",
        ipApplicationServer: "10.0.0.9",
        profile: Profile.QOS_LOW_LATENCY,
        ...more,
      }));
    const remove = async (profile: dme.QosSessionProfile, sessionId: string) =>
      (await grpc.qosPrioritySessionDelete(
        dme.QosPrioritySessionDeleteRequest.create({ sessionCookie: cookie, profile, sessionId }),
      )).status;
    assert.equal((await refusal(create())).code, Status.UNAUTHENTICATED, "no key is stored");
    await storeKey("the-key");
    const made = await create();
    assert.deepEqual([made.httpStatus, made.sessionDuration, made.expiresAt - made.startedAt], [201, 60, 60]);
    const kept = await create();
    assert.deepEqual([kept.httpStatus, kept.sessionId], [200, made.sessionId]);
    const replaced = await create({ profile: Profile.QOS_THROUGHPUT_DOWN_M });
    assert.equal(replaced.httpStatus, 201);
    assert.deepEqual(network.sessions().map(({ qos }) => qos), ["THROUGHPUT_M"]);
    const { QDEL_DELETED, QDEL_NOT_FOUND, QDEL_UNKNOWN } = dme.QosPrioritySessionDeleteReply_DeleteStatus;
    assert.equal(await remove(Profile.QOS_THROUGHPUT_DOWN_M, replaced.sessionId), QDEL_DELETED);
    assert.equal(await remove(Profile.QOS_THROUGHPUT_DOWN_M, replaced.sessionId), QDEL_NOT_FOUND);

    for (
      const [more, field] of [
        [{ ipUserEquipment: "::1" }, /ip_user_equipment "::1"/],
        [{ ipApplicationServer: "10.0.0.256" }, /ip_application_server "10.0.0.256"/],
        [{ profile: Profile.QOS_NO_PRIORITY }, /QOS_NO_PRIORITY/],
      ] as const
    ) {
      const error = await refusal(create(more));
      assert.equal(error.code, Status.INVALID_ARGUMENT);
      assert.match(error.message, field);
    }
    const { status, json } = await rest("qosprioritysessioncreate", {
      session_cookie: cookie,
      ip_user_equipment: "10.0.0.1",
      ip_application_server: "10.0.0.9",
      profile: "QOS_THROUGHPUT_DOWN_S",
    });
    assert.deepEqual([status, json["profile"], json["http_status"], json["session_duration"]], [
      200,
      "ThroughputDownS",
      201,
      86400,
    ]);
    network.failures = ["sessions=500"];
    assert.equal((await refusal(create())).code, Status.UNAVAILABLE);
    assert.equal(await remove(Profile.QOS_LOW_LATENCY, "x"), QDEL_UNKNOWN);
    network.failures = ["sessions=garbage"];
    assert.notEqual((await refusal(create())).code, Status.OK);
    network.failures = ["sessions=stall"];
    assert.equal((await refusal(create())).code, Status.UNAVAILABLE);
    assert.ok(!lines.join("").includes("the-key"));
  }));

Deno.test("FindCloudlet asks for priority where the app wants it, and succeeds whatever comes of it", () =>
  onScene({ qos: Profile.QOS_LOW_LATENCY }, async ({ grpc, rest, cookie, network, storeKey }) => {
    const { QOS_SESSION_CREATED, QOS_SESSION_FAILED } = dme.FindCloudletReply_QosSessionResult;
    const find = (tags: Record<string, string>) =>
      grpc.findCloudlet(dme.FindCloudletRequest.create({ sessionCookie: cookie, gpsLocation: BERLIN, tags }));
    await storeKey("the-key");
    const found = await find({ ip_user_equipment: "10.0.0.1" });
    assert.deepEqual([found.status, found.qosResult, found.qosErrorMsg], [
      dme.FindCloudletReply_FindStatus.FIND_FOUND,
      QOS_SESSION_CREATED,
      "",
    ]);
    const [session] = network.sessions();
    assert.deepEqual(found.tags, { priority_session_id: session!.id, qos_profile_name: "QOS_LOW_LATENCY" });
    assert.deepEqual([session!.between, session!.duration], ["10.0.0.1 127.0.0.1", 600]);
    const without = await find({});
    assert.deepEqual([without.status, without.qosResult], [found.status, QOS_SESSION_FAILED]);
    assert.match(without.qosErrorMsg, /ip_user_equipment/);
    network.failures = ["sessions=500"];
    const { json } = await rest("findcloudlet", {
      session_cookie: cookie,
      gps_location: BERLIN,
      tags: { ip_user_equipment: "10.0.0.7" },
    });
    assert.deepEqual([json["status"], json["qos_result"]], ["Found", "SessionFailed"]);
  }));

Deno.test("FindCloudlet makes no session for an app without ports or without a wish for one", async () => {
  const { QOS_NOT_ATTEMPTED, QOS_SESSION_FAILED } = dme.FindCloudletReply_QosSessionResult;
  for (
    const [options, expected] of [
      [{ qos: Profile.QOS_LOW_LATENCY, ports: "" }, QOS_SESSION_FAILED],
      [{ qos: Profile.QOS_NO_PRIORITY }, QOS_NOT_ATTEMPTED],
    ] as const
  ) {
    await onScene(options, async ({ grpc, cookie, network, storeKey }) => {
      await storeKey("the-key");
      const reply = await grpc.findCloudlet(dme.FindCloudletRequest.create({
        sessionCookie: cookie,
        gpsLocation: BERLIN,
        tags: { ip_user_equipment: "10.0.0.1" },
      }));
      assert.deepEqual([reply.qosResult, network.sessions()], [expected, []]);
    });
  }
});

Deno.test("an operator that is unknown, or whose settings are wrong, ends the start with what is wrong", async () => {
  const platform = await testPlatform("eu");
  const start = (...args: string[]) =>
    startService(dmeService, { args: [...platform.dmeArgs, "--notify-addrs=127.0.0.1:1", ...args], sink: () => {} });
  await assert.rejects(start("--operator=acme"), /--operator acme: must be one of standalone, location-api/);
  await assert.rejects(
    start("--operator=location-api", "--operator-settings=verify-url=ftp://x,wrong=1"),
    /there is no setting wrong \(settings: verify-url/,
  );
  await assert.rejects(
    start("--operator=location-api", "--operator-settings=verify-url=ftp://x"),
    /verify-url must be an http/,
  );
  await platform.close();
});
