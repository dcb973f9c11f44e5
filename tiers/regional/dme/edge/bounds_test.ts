import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { createRateLimiter } from "../../../../shared/ratelimit/mod.ts";
import type { RpcError } from "../../../../shared/rpc/mod.ts";
import { serveHttp, systemClock } from "../../../../shared/runtime/mod.ts";
import { dme, toJson } from "../../../../shared/schema/mod.ts";
import { type EdgeStream, grpcFace, webSocketFace } from "../testing/edge_clients.ts";
import {
  ALPHA,
  begin,
  Client,
  cookies,
  init,
  overAllForms,
  peer,
  refused,
  Server,
  SOUTH,
} from "../testing/edge_streams.ts";
import { appInst, goldenRegion, testRegion } from "../testing/region.ts";
import { until } from "../testing/until.ts";
import { appId } from "../matching/mod.ts";
import { EdgeConnection } from "./connection.ts";
import type { EdgeStats } from "./stats.ts";

const persistent = createRateLimiter({
  settings: [{
    name: "two",
    api: "PersistentConnection",
    target: "all",
    algorithm: { kind: "token-bucket", requestsPerSecond: 0.001, burst: 2 },
  }],
  maxTracked: 10,
  clock: systemClock(),
});
Deno.test("events over the rate are dropped, and said so once a second", async () => {
  const region = testRegion(goldenRegion(), undefined, persistent);
  const face = await grpcFace(region);
  try {
    const stream = await begin(face, region);
    for (let i = 0; i < 2; i++) {
      await stream.send({ eventType: Client.EVENT_UNKNOWN });
      assert.match((await stream.next())!.errorMsg, /Unknown event type/);
    }
    for (let i = 0; i < 20; i++) await stream.send({ eventType: Client.EVENT_UNKNOWN });
    assert.match((await stream.next())!.errorMsg, /PersistentConnection is refused.*exceeded rate/);
    // To end is always allowed.
    await stream.send({ eventType: Client.EVENT_TERMINATE_CONNECTION });
    assert.equal(await stream.next(), undefined);
  } finally {
    await face.close();
  }
});

Deno.test("a stream that sends nothing is ended, one that ends at once too", async () => {
  const region = testRegion(goldenRegion(), undefined, undefined, { limits: { initMs: 50 } });
  const connections: (RpcError | undefined)[] = [];
  const silent = Promise.withResolvers<void>();
  new EdgeConnection(region.edge, peer, {
    send: () => true,
    end(error) {
      connections.push(error);
      silent.resolve();
    },
  });
  await silent.promise;
  assert.match(String(connections[0]), /DEADLINE_EXCEEDED.*did not come within 0.05 s/);
  new EdgeConnection(region.edge, peer, { send: () => true, end: (error) => void connections.push(error) })
    .inputEnded();
  assert.match(String(connections[1]), /INVALID_ARGUMENT.*ended before/);
  assert.equal(region.edge.open, 0);
});

Deno.test("what is left of a stream is counted until it is gone", async () => {
  const region = testRegion(goldenRegion(), undefined, undefined, { limits: { streams: 1 } });
  const left = region.edge.linger();
  assert.throws(() => region.edge.requireRoom(), refused("RESOURCE_EXHAUSTED", /open already/));
  left();
  left();
  region.edge.requireRoom();
  const face = await webSocketFace(region);
  try {
    for (let i = 0; i < 3; i++) {
      const stream = await begin(face, region);
      await stream.send({ eventType: Client.EVENT_TERMINATE_CONNECTION });
      assert.equal(await stream.next(), undefined);
      await until(() => {
        try {
          region.edge.requireRoom();
          return true;
        } catch {
          return false;
        }
      }, "the WebSocket is closed");
    }
  } finally {
    await face.close();
  }
});

overAllForms("too many streams are refused", async (face, region) => {
  await begin(face, region);
  const given = await cookies(region);
  if (face.name === "WebSocket") return void await assert.rejects(face.open(init(given)));
  await assert.rejects(
    (await face.open(init(given))).next(),
    refused("RESOURCE_EXHAUSTED", /1 event streams are open/),
  );
  assert.equal(region.edge.open, 1);
}, () => ({ edge: { limits: { streams: 1 } } }));

Deno.test("what devices tell is counted for the instance that they were given", async () => {
  const seen: unknown[] = [];
  const stats: EdgeStats = {
    session: ({ instance, ...device }) => seen.push(["session", instance.clusterInstKey.cloudletKey.name, device]),
    latency: ({ locationTile, signalStrength }, samples) =>
      seen.push(["latency", samples, signalStrength, locationTile]),
    custom: (instance, name, samples) => seen.push(["custom", instance.appKey.name, name, samples]),
  };
  const region = testRegion(goldenRegion(), undefined, undefined, { stats });
  const face = await grpcFace(region);
  try {
    const stream = await begin(face, region);
    const device = {
      carrier: "",
      deviceOs: "os 1",
      deviceModel: "model 2",
      dataNetworkType: "LTE",
      signalStrength: 0,
      locationTile: "11.498383,47.987700_11.516349,48.005788_2",
    };
    assert.deepEqual(seen.splice(0), [["session", "north-3", device]]);
    const gpsLocation = { ...SOUTH };
    const send = async (event: Parameters<EdgeStream["send"]>[0]) => {
      await stream.send(event);
      await stream.send({ eventType: Client.EVENT_LATENCY_SAMPLES, gpsLocation });
      while ((await stream.next())?.eventType !== Server.EVENT_LATENCY_PROCESSED);
      return seen.splice(0).slice(0, -1);
    };
    assert.deepEqual(
      await send({ eventType: Client.EVENT_CUSTOM_EVENT, customEvent: "fps", samples: [{ value: 60 }] }),
      [["custom", "alpha", "fps", [60]]],
    );
    const update = (deviceInfoDynamic?: object) =>
      send({ eventType: Client.EVENT_LOCATION_UPDATE, gpsLocation, deviceInfoDynamic });
    // The same place and device, or a carrier that alone is new, are no other session.
    assert.deepEqual(await update(), []);
    assert.deepEqual(await update({ dataNetworkType: "LTE", carrierName: "othertel" }), []);
    assert.deepEqual(await update({ dataNetworkType: "5G", carrierName: "northtel" }), [
      ["session", "north-3", { ...device, dataNetworkType: "5G", carrier: "northtel" }],
    ]);
    gpsLocation.latitude = 48.02;
    const moved = await update() as [string, string, { locationTile: string }][];
    assert.equal(moved[0]?.[2].locationTile, "11.498383,48.005788_11.516349,48.023876_2");
    await stream.send({
      eventType: Client.EVENT_LATENCY_SAMPLES,
      gpsLocation,
      samples: [{ value: -1 }, { value: 5 }],
      deviceInfoDynamic: { signalStrength: 2 ** 64 },
    });
    await stream.next();
    assert.deepEqual((seen[0] as unknown[]).slice(0, 2), ["latency", [-1, 5]]);
    stream.close();
  } finally {
    await face.close();
  }
});

/** Sends large events to the device until its stream is closed; some 100 MB are more than any buffers on the way hold. */
async function overwhelm(region: ReturnType<typeof testRegion>): Promise<void> {
  const event = dme.ServerEdgeEvent.create({ eventType: Server.EVENT_ERROR, errorMsg: "x".repeat(20_000) });
  for (let sent = 0; region.edge.open > 0; sent++) {
    assert.ok(sent < 5000, "The stream is still open");
    for (const client of region.edge.clients.ofApp(appId("acme", "alpha", "1.1")) ?? []) client.send(event);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

Deno.test("a client that does not read its events is cut off, by gRPC", async () => {
  const ends: string[] = [];
  const observer = { ended: (code: string) => void ends.push(code), refused() {} };
  const region = testRegion(goldenRegion(), undefined, undefined, { observer });
  const face = await grpcFace(region);
  try {
    const stream = await begin(face, region);
    await overwhelm(region);
    assert.deepEqual(ends, ["RESOURCE_EXHAUSTED"]);
    const rest = async () => {
      while (await stream.next()) { /* what had arrived before */ }
    };
    await assert.rejects(rest(), refused("RESOURCE_EXHAUSTED", /./));
    // One that reads gets as much as is sent to it.
    const other = await begin(face, region);
    let got = 0;
    const read = (async () => {
      while (await other.next()) got++;
    })();
    const key = appInst(ALPHA, "northtel", "north-3", "", [0, 0]).key;
    for (let i = 0; i < 1000; i++) region.edge.pushes.requestLatency(key);
    await until(() => got === 1000, "all events have come");
    await other.send({ eventType: Client.EVENT_TERMINATE_CONNECTION });
    await read;
  } finally {
    await face.close();
  }
});

/** A text message of a client, masked with zeros. */
function textFrame(text: string): Uint8Array {
  const body = new TextEncoder().encode(text);
  return new Uint8Array([0x81, 0xfe, body.length >> 8, body.length & 255, 0, 0, 0, 0, ...body]);
}

const RAW_FORMS: Record<string, (socket: Socket, first: string, query: string) => void> = {
  WebSocket(socket, first) {
    socket.write(
      "GET /v1/streamedgeevent HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    socket.write(textFrame(first));
  },
  lines(socket, first) {
    socket.write("POST /v1/streamedgeevent HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write(`${new TextEncoder().encode(first).length.toString(16)}\r\n${first}\r\n`);
  },
  "server-sent events"(socket, _first, query) {
    socket.write(`GET /v1/streamedgeevent?${query} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
  },
};

for (const [form, begin] of Object.entries(RAW_FORMS)) {
  Deno.test(`a client that does not read its events is cut off, by ${form}`, async () => {
    const ends: string[] = [];
    const observer = { ended: (code: string) => void ends.push(code), refused() {} };
    const region = testRegion(goldenRegion(), undefined, undefined, { observer });
    const listener = await serveHttp({ hostname: "127.0.0.1", port: 0, handler: region.rest });
    const given = await cookies(region);
    const socket = connect(listener.port, "127.0.0.1");
    socket.on("error", () => {});
    try {
      const first = toJson(dme.ClientEdgeEvent, dme.ClientEdgeEvent.create(init(given)), "dme");
      const query = new URLSearchParams({
        session_cookie: given.sessionCookie,
        edge_events_cookie: given.edgeEventsCookie,
      });
      begin(socket, JSON.stringify(first), query.toString());
      await new Promise((resolve) => socket.once("data", resolve));
      socket.pause();
      await until(() => region.edge.clients.ofApp(appId("acme", "alpha", "1.1")) !== undefined, "the stream is live");
      await overwhelm(region);
      assert.deepEqual(ends, ["RESOURCE_EXHAUSTED"]);
    } finally {
      socket.destroy();
      await listener.close();
    }
  });
}
