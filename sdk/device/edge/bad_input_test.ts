// Streams that carry what no matching engine sends, and apps that fail in their callbacks.
import assert from "node:assert/strict";
import type { SocketMaker } from "../mod.ts";
import { next, NORTH, SOUTH, withRegion } from "../testing/region.ts";
import { Channel } from "./channel.ts";

const QUIET = { latencyIntervalMs: 0, locationIntervalMs: 0, reconnectDelayMs: 60_000 };

/** A WebSocket that receives these messages once it is open. */
const saying = (...messages: unknown[]): SocketMaker => () => {
  const socket: ReturnType<SocketMaker> = {
    readyState: 1,
    send: () => {},
    close: () => {},
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
  };
  queueMicrotask(() => {
    for (const data of messages) socket.onmessage?.(new MessageEvent("message", { data }));
  });
  return socket;
};

const INIT = '{"event_type":"InitConnection"}';

Deno.test("a WebSocket that says what is no JSON is lost, before and after it was confirmed", async () => {
  await withRegion(async (scene) => {
    for (const messages of [["<html>"], [INIT, "{"], [INIT, new ArrayBuffer(3)]]) {
      const device = scene.device({ webSocket: saying(...messages) });
      const found = (await device.findCloudlet(SOUTH))!;
      const events = device.followEdgeEvents(found, { ...QUIET, forms: ["websocket"] });
      const { error } = await next(events, "lost");
      assert.deepEqual([error?.code, error?.answered], ["INTERNAL", false]);
      await events.close();
    }
  });
});

Deno.test("events with unknown types, states and members are passed over, or read as far as they go", async () => {
  await withRegion(async (scene) => {
    const messages = [
      "null",
      "[1]",
      '{"event_type":7}',
      '{"event_type":"FromTheFuture"}',
      '{"event_type":"CloudletState","cloudlet_state":"Molten","new_cloudlet":"north"}',
      '{"event_type":"LatencyProcessed","statistics":null}',
      '{"event_type":"CloudletUpdate","new_cloudlet":{"status":"Found","fqdn":null,"ports":7}}',
    ];
    const device = scene.device({ webSocket: saying(INIT, ...messages) });
    const found = (await device.findCloudlet(SOUTH))!;
    const events = device.followEdgeEvents(found, { ...QUIET, autoMigrate: false, timeoutMs: 200 });
    await next(events, "open");
    assert.equal((await next(events, "cloudletState")).state, "Unknown");
    assert.equal((await next(events, "stay")).trigger, "cloudlet-state");
    assert.equal((await next(events, "latencyProcessed")).statistics.samples, 0);
    const { instance } = await next(events, "newInstance");
    assert.deepEqual([instance.fqdn, instance.ports], ["", []]);
    await events.close();
  });
});

Deno.test("server-sent events that are none, or garbled, are lost", async () => {
  await withRegion(async (scene) => {
    const stream = { "content-type": "text/event-stream" };
    const answers: [Response, string][] = [
      [new Response("<html>", { status: 502 }), "UNAVAILABLE"],
      [Response.json({}), "INTERNAL"],
      [Response.json({ code: 8, message: "full" }, { status: 429 }), "RESOURCE_EXHAUSTED"],
      [new Response(null, { status: 204 }), "UNAVAILABLE"],
      [new Response("data: {\n\n", { headers: stream }), "UNAVAILABLE"],
      [new Response("data: {}\n\n", { headers: stream }), "UNAVAILABLE"],
    ];
    for (const [answer, code] of answers) {
      const device = scene.device({
        webSocket: null,
        fetch: (url, init) => url.includes("streamedge") ? Promise.resolve(answer) : fetch(url, init),
      });
      const events = device.followEdgeEvents((await device.findCloudlet(SOUTH))!, QUIET);
      const { error } = await next(events, "lost");
      assert.equal(error?.code, code);
      await events.close();
    }
  });
});

Deno.test("a callback that throws harms neither the stream nor the other callbacks", async () => {
  await withRegion(async (scene) => {
    const device = scene.device();
    const events = device.followEdgeEvents((await device.findCloudlet(SOUTH))!, QUIET);
    const reported: unknown[] = [];
    const report = (event: ErrorEvent) => {
      event.preventDefault();
      reported.push(event.error.message);
    };
    globalThis.addEventListener("error", report);
    try {
      const seen: string[] = [];
      events.on("newInstance", () => {
        throw new Error("the app's own");
      });
      const stop = events.on("newInstance", ({ trigger }) => seen.push(trigger));
      await next(events, "open");
      events.updateLocation(NORTH);
      await next(events, "newInstance");
      assert.deepEqual(seen, ["closer"]);
      assert.deepEqual(reported, ["the app's own"]);
      stop();
      await next(events, "open");
      events.updateLocation(SOUTH);
      await next(events, "newInstance");
      assert.equal(seen.length, 1);
    } finally {
      globalThis.removeEventListener("error", report);
      await events.close();
    }
  });
});

Deno.test("events that nobody reads cost a bounded memory, the newest stay", async () => {
  const channel = new Channel<number>();
  for (let value = 0; value < 1_000; value++) channel.push(value);
  channel.close();
  const kept: number[] = [];
  for (let read = await channel.next(); !read.done; read = await channel.next()) kept.push(read.value);
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [256, 744, 999]);
});
