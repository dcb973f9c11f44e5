// The documented intervals, limits and delays, on a clock that moves only when told to.
import assert from "node:assert/strict";
import { FakeClock } from "../../../shared/runtime/mod.ts";
import type { JsonObject } from "../json.ts";
import type { EdgeEvent, EdgeOptions, FoundInstance } from "../mod.ts";
import { eventSourceCarrier } from "./event_source.ts";
import type { CarrierCallbacks, OpenCarrier } from "./link.ts";
import { followInstance } from "./session.ts";

const HERE = { latitude: 1, longitude: 2 };
const INIT = { event_type: "InitConnection" };

function instance(fqdn: string, cookie: string): FoundInstance {
  const port = { internalPort: 80, publicPort: 80, endPort: 0, fqdnPrefix: "", tls: false, maxPacketBytes: 0 };
  return {
    fqdn,
    ports: [{ protocol: "Tcp", ...port }],
    location: HERE,
    edgeEventsCookie: cookie,
    qos: { result: "NotAttempted", error: "" },
    tags: {},
  };
}

/** A followed instance whose streams the test plays. */
function scene(options: EdgeOptions = {}) {
  const clock = new FakeClock();
  const opened: { init: JsonObject; sent: JsonObject[]; callbacks: CarrierCallbacks; closed: boolean }[] = [];
  const probed: number[] = [];
  const open: OpenCarrier = (init, callbacks) => {
    const stream = { init, sent: [] as JsonObject[], callbacks, closed: false };
    opened.push(stream);
    return {
      send: (event) => void stream.sent.push(event),
      close() {
        if (stream.closed) return;
        stream.closed = true;
        callbacks.ended(undefined);
      },
    };
  };
  const events = followInstance(
    {
      clock,
      random: () => 1,
      probe: (_, { samples }) => {
        probed.push(samples);
        return Promise.resolve(new Array(samples).fill(49));
      },
      carrier: "26201",
      sessionCookie: () => Promise.resolve("session"),
      find: () => Promise.reject(new Error("nothing is looked for")),
      forms: ["websocket"],
      openers: { "websocket": open, "server-sent-events": open },
    },
    instance("a", "first"),
    HERE,
    options,
  );
  const seen: EdgeEvent[] = [];
  void (async () => {
    for await (const event of events) seen.push(event);
  })();
  const last = () => opened.at(-1)!;
  return { clock, events, opened, probed, seen, last };
}

Deno.test("latency and place are reported every 30 s once the stream is confirmed, and not before", async () => {
  const { clock, events, probed, last } = scene();
  await clock.advance(9_000);
  assert.equal(last().sent.length, 0);
  last().callbacks.message(INIT);
  await clock.advance(29_999);
  assert.deepEqual([probed, last().sent.length], [[], 0]);
  await clock.advance(1);
  assert.deepEqual(probed, [3]);
  assert.deepEqual(last().sent.map(({ event_type }) => event_type).sort(), [
    "EVENT_LATENCY_SAMPLES",
    "EVENT_LOCATION_UPDATE",
  ]);
  const { device_info_dynamic } = last().sent[0]!;
  assert.deepEqual(device_info_dynamic, { data_network_type: "", signal_strength: "0", carrier_name: "26201" });
  await clock.advance(60_000);
  assert.deepEqual([probed.length, last().sent.length], [3, 6]);
  const closing = events.close();
  await clock.advance(0);
  assert.deepEqual(last().sent.at(-1), { event_type: "EVENT_TERMINATE_CONNECTION" });
  last().callbacks.ended(undefined);
  await closing;
  assert.equal(clock.pending, 0);
});

Deno.test("an end that does not come is waited for ten seconds", async () => {
  const { clock, events, last } = scene();
  await clock.advance(0);
  last().callbacks.message(INIT);
  await clock.advance(0);
  let over = false;
  const closing = events.close().then(() => over = true);
  await clock.advance(9_999);
  assert.deepEqual([over, last().closed], [false, false]);
  await clock.advance(1);
  await closing;
  assert.equal(last().closed, true);
  assert.equal(clock.pending, 0);
});

Deno.test("a stream that is not confirmed within ten seconds is given up, and opened again after one", async () => {
  const { clock, events, opened, seen } = scene();
  await clock.advance(10_000);
  assert.equal(opened[0]!.closed, true);
  assert.deepEqual(seen.map(({ type }) => type), ["lost"]);
  await clock.advance(999);
  assert.equal(opened.length, 1);
  await clock.advance(1);
  assert.equal(opened.length, 2);
  await events.close();
  assert.equal(clock.pending, 0);
});

Deno.test("delays double up to half a minute, and begin anew when a stream was open", async () => {
  const { clock, events, seen, last } = scene();
  const waits = () => seen.flatMap((event) => event.type === "lost" ? [event.retryMs] : []);
  await clock.advance(0);
  for (let failures = 1; failures <= 7; failures++) {
    last().callbacks.ended(undefined);
    await clock.advance(0);
    assert.equal(waits().length, failures);
    await clock.advance(waits().at(-1)!);
  }
  assert.deepEqual(waits(), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  last().callbacks.message(INIT);
  await clock.advance(0);
  last().callbacks.ended(undefined);
  await clock.advance(0);
  assert.equal(waits().at(-1), 1_000);
  await events.close();
  assert.equal(clock.pending, 0);
});

Deno.test("a stream is opened again with the newest cookie, and what an old one still says does not count", async () => {
  const { clock, events, opened, seen } = scene();
  await clock.advance(0);
  const first = opened[0]!;
  assert.equal(first.init.edge_events_cookie, "first");
  first.callbacks.message(INIT);
  await clock.advance(0);
  const told = (fqdn: string, edge_events_cookie: string) => ({
    event_type: "CloudletUpdate",
    new_cloudlet: {
      status: "Found",
      fqdn,
      edge_events_cookie,
      ports: [{ proto: "Tcp", internal_port: 80, public_port: 80 }],
    },
  });
  first.callbacks.message(told("a", "second"));
  first.callbacks.ended(undefined);
  await clock.advance(1_000);
  assert.equal(opened[1]!.init.edge_events_cookie, "second");
  opened[1]!.callbacks.message(INIT);
  await clock.advance(0);
  opened[1]!.callbacks.message(told("b", "third"));
  opened[1]!.callbacks.message(told("c", "fourth"));
  opened[1]!.callbacks.ended(undefined);
  await clock.advance(0);
  assert.equal(opened[2]!.init.edge_events_cookie, "third");
  assert.deepEqual(seen.flatMap((event) => event.type === "newInstance" ? [event.instance.fqdn] : []), ["b"]);
  // Not lost: it was left.
  assert.equal(seen.filter(({ type }) => type === "lost").length, 1);
  await events.close();
});

Deno.test("an app that goes elsewhere while its stream is being opened is followed there", async () => {
  const { clock, events, opened, seen } = scene();
  await clock.advance(0);
  events.follow(instance("b", "other"));
  opened[0]!.callbacks.message(INIT);
  await clock.advance(0);
  assert.deepEqual(opened[0]!.sent, [{ event_type: "EVENT_TERMINATE_CONNECTION" }]);
  opened[0]!.callbacks.ended(undefined);
  await clock.advance(0);
  assert.equal(opened[1]!.init.edge_events_cookie, "other");
  assert.deepEqual(seen, []);
  await events.close();
});

Deno.test("server-sent events without a sign of life for 65 s are lost", async () => {
  const clock = new FakeClock();
  let put: (text: string) => void = () => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void (put = (text) => controller.enqueue(new TextEncoder().encode(text))),
  });
  const response = new Response(body, { headers: { "content-type": "text/event-stream" } });
  const messages: JsonObject[] = [];
  const ends: (string | undefined)[] = [];
  eventSourceCarrier(() => Promise.resolve(response), "http://x", clock)({}, {
    message: (json) => void messages.push(json),
    ended: (error) => void ends.push(error?.message),
  });
  put(`event: stream\ndata: {"stream":"n"}\n\ndata: ${JSON.stringify(INIT)}\n\n`);
  await clock.advance(60_000);
  put("\n");
  await clock.advance(60_000);
  assert.deepEqual([messages, ends], [[INIT], []]);
  await clock.advance(5_000);
  assert.deepEqual(ends, ["The stream was silent for 65000 ms"]);
  assert.equal(clock.pending, 0);
  await body.cancel().catch(() => {});
});
