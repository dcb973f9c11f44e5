import assert from "node:assert/strict";
import { dme, enumDescriptor } from "../../shared/schema/mod.ts";
import { eventParser } from "./edge/event_source.ts";
import {
  carrierOf,
  compareLatency,
  connectProbe,
  endpointOf,
  fetchProbe,
  matchingEngineUrl,
  placeOf,
  type Port,
  statisticsOf,
  urlOf,
  webClock,
} from "./mod.ts";
import { placeFromJson, placeToJson } from "./place.ts";
import * as texts from "./texts.ts";

Deno.test("enumerations are those of the schema", () => {
  const pairs: [readonly string[], Readonly<Record<string, number>>][] = [
    [texts.CLOUDLET_STATES, dme.CloudletState],
    [texts.MAINTENANCE_STATES, dme.MaintenanceState],
    [texts.HEALTH_CHECKS, dme.HealthCheck],
    [texts.PROTOCOLS, dme.LProto],
    [texts.QOS_RESULTS, dme.FindCloudletReply_QosSessionResult],
    [texts.QOS_PROFILES, dme.QosSessionProfile],
    [texts.QOS_PROTOCOLS, dme.QosSessionProtocol],
    [texts.QOS_DELETIONS, dme.QosPrioritySessionDeleteReply_DeleteStatus],
    [texts.LOCATION_CHECKS, dme.VerifyLocationReply_GPSLocationStatus],
    [texts.LOCATION_ANSWERS, dme.GetLocationReply_LocStatus],
    [texts.SERVER_EVENTS, dme.ServerEdgeEvent_ServerEventType],
  ];
  for (const [ours, object] of pairs) {
    const { name, values } = enumDescriptor(object);
    assert.deepEqual(ours, values.map(({ text }) => text), name);
  }
});

const port = (given: Partial<Port>): Port => ({
  protocol: "Tcp",
  internalPort: 80,
  publicPort: 80,
  endPort: 0,
  fqdnPrefix: "",
  tls: false,
  maxPacketBytes: 0,
  ...given,
});

Deno.test("endpoints follow the rules of the reply: prefix, public number, ranges, protection", () => {
  const instance = {
    fqdn: "app.example",
    ports: [
      port({ protocol: "Udp", internalPort: 2000, endPort: 2010, publicPort: 42000 }),
      port({ internalPort: 8080, publicPort: 10001, tls: true, fqdnPrefix: "web." }),
      port({ internalPort: 9000, publicPort: 9000 }),
    ],
  };
  const web = endpointOf(instance);
  assert.deepEqual(web, { protocol: "Tcp", host: "web.app.example", port: 10001, tls: true });
  assert.equal(urlOf(web!), "https://web.app.example:10001/");
  assert.equal(urlOf(web!, "ws", "/live"), "wss://web.app.example:10001/live");
  const game = endpointOf(instance, { internalPort: 2007 });
  assert.deepEqual([game?.protocol, game?.host, game?.port], ["Udp", "app.example", 42007]);
  assert.equal(endpointOf(instance, { protocol: "Udp" })?.port, 42000);
  assert.equal(urlOf(endpointOf(instance, { internalPort: 9000 })!), "http://app.example:9000/");
  for (const wanted of [{ internalPort: 2011 }, { protocol: "Udp", internalPort: 9000 } as const]) {
    assert.equal(endpointOf(instance, wanted), undefined);
  }
  assert.equal(endpointOf({ fqdn: "x", ports: [] }), undefined);
  assert.equal(urlOf({ protocol: "Tcp", host: "2001:db8::1", port: 80, tls: false }), "http://[2001:db8::1]:80/");
});

Deno.test("matching engines are named after the network, or after none", () => {
  const network = { mcc: "262", mnc: "01" };
  assert.equal(matchingEngineUrl("example.net", network), "https://262-01.dme.example.net:38001");
  assert.equal(matchingEngineUrl("example.net"), "https://wifi.dme.example.net:38001");
  assert.deepEqual([carrierOf(network), carrierOf()], ["26201", ""]);
});

Deno.test("statistics leave failed samples out and rank by average, then deviation", () => {
  const { samples, average, minimum, maximum, deviation } = statisticsOf([3.1, 0, 2.3, 4.5, -4.5, 1.2, 13.4]);
  assert.deepEqual([samples, minimum, maximum], [6, 0, 13.4]);
  assert.ok(Math.abs(average - 4.0833333) < 1e-6 && Math.abs(deviation - 4.8188865) < 1e-6);
  assert.equal(statisticsOf([7]).deviation, 0);
  const never = statisticsOf([-1, -1]);
  assert.deepEqual([never.samples, never.average], [0, NaN]);
  const [quick, steady, rough] = [[1, 1], [5, 5], [4, 6]].map(statisticsOf);
  const sorted = [never, rough!, steady!, quick!].sort(compareLatency);
  assert.deepEqual(sorted, [quick, steady, rough, never]);
});

Deno.test("the HTTP probe opens the connection first, and counts any answer but none that fails or is late", async () => {
  const endpoint = { protocol: "Tcp", host: "app.example", port: 81, tls: false } as const;
  const asked: string[] = [];
  let answer = () => Promise.resolve(new Response(null, { status: 404 }));
  const probe = fetchProbe((url, { method, mode }) => {
    asked.push(`${method} ${url} ${mode}`);
    return answer();
  }, webClock);
  const values = await probe(endpoint, { samples: 3, timeoutMs: 1_000 });
  assert.equal(values.length, 3);
  assert.ok(values.every((value) => value >= 0));
  assert.deepEqual(asked, new Array(4).fill("HEAD http://app.example:81/ no-cors"));
  answer = () => Promise.reject(new TypeError("refused"));
  assert.deepEqual(await probe(endpoint, { samples: 2, timeoutMs: 1_000 }), [-1, -1]);
  assert.equal(asked.length, 5);
  const late = connectProbe((_, signal) => new Promise((_, no) => signal.addEventListener("abort", no)), webClock);
  assert.deepEqual(await late(endpoint, { samples: 2, timeoutMs: 5 }), [-1, -1]);
});

Deno.test("places keep all that is known, and a browser's reading becomes one", () => {
  const place = placeOf({
    coords: {
      latitude: 1,
      longitude: 2,
      accuracy: 3,
      altitude: 4,
      altitudeAccuracy: null,
      heading: null,
      speed: 5,
    },
    timestamp: 1_700_000_000_250,
  });
  const json = placeToJson(place);
  assert.deepEqual(json.timestamp, { seconds: "1700000000", nanos: 250_000_000 });
  const back = placeFromJson({ ...json, timestamp: "2023-11-14T22:13:20.250000000Z" });
  assert.deepEqual([back.altitude, back.speed, back.course, back.timeMs], [4, 5, 0, 1_700_000_000_250]);
});

Deno.test("event streams are read in whatever pieces they come", () => {
  const text =
    `\n: sign of life\n\nevent: stream\ndata: {"stream":"x"}\n\ndata: 1\r\ndata:2\r\n\r\ndata\n\n\nevent: y\n\n`;
  for (const size of [1, 2, 3, 7, text.length]) {
    const seen: string[] = [];
    const parse = eventParser((event, data) => seen.push(`${event}|${data}`));
    for (let at = 0; at < text.length; at += size) parse(text.slice(at, at + size));
    assert.deepEqual(seen, ['stream|{"stream":"x"}', "|1\n2", "|"], String(size));
  }
  const endless = eventParser(() => {});
  assert.throws(() => {
    for (let pieces = 0; pieces < 1_100; pieces++) endless("data: x".repeat(200));
  }, /too long/);
});
