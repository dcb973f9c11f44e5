import assert from "node:assert/strict";
import { appInst } from "../../../tiers/regional/dme/testing/region.ts";
import { until } from "../../../tiers/regional/dme/testing/until.ts";
import type { EdgeOptions, SocketMaker, StreamForm } from "../mod.ts";
import { ALPHA, next, NORTHERN, SOUTH, SOUTHERN, withRegion } from "../testing/region.ts";

const QUIET: EdgeOptions = { latencyIntervalMs: 0, locationIntervalMs: 0, reconnectDelayMs: 20 };
const MINUTES = 60_000;

for (const form of ["websocket", "server-sent-events"] as StreamForm[]) {
  Deno.test(`a stream survives the loss of its engine, by ${form}`, async () => {
    await withRegion(async (scene) => {
      const device = scene.device({ random: () => 1 });
      const events = device.followEdgeEvents((await device.findCloudlet(SOUTH))!, { ...QUIET, forms: [form] });
      await next(events, "open");
      await scene.restart();
      const { error, retryMs } = await next(events, "lost");
      assert.deepEqual([error?.code, retryMs], ["UNAVAILABLE", 20]);
      assert.equal((await next(events, "open")).form, form);
      await events.close();
    });
  });

  Deno.test(`cookies that ran out are renewed, session and instance, by ${form}`, async () => {
    await withRegion(async (scene) => {
      const { region } = scene;
      const device = scene.device();
      const found = (await device.findCloudlet(SOUTH))!;
      region.clock.nowMs += 11 * MINUTES;
      const { organization, name, version } = ALPHA;
      region.tables.removeInstance(appInst([organization, name, version], "northtel", "north-3", SOUTHERN, [0, 0]).key);
      const events = device.followEdgeEvents(found, { ...QUIET, forms: [form] });
      const moved = await next(events, "newInstance");
      assert.deepEqual([moved.trigger, moved.previous.fqdn], ["renewed", SOUTHERN]);
      assert.equal((await next(events, "open")).instance.fqdn, NORTHERN);
      region.clock.nowMs += 25 * 60 * MINUTES;
      await scene.restart();
      await next(events, "lost");
      assert.equal((await next(events, "open")).instance.fqdn, NORTHERN);
      await events.close();
    });
  });
}

Deno.test("cookies that ran out with no place known end the following", async () => {
  await withRegion(async (scene) => {
    const found = (await scene.device().findCloudlet(SOUTH))!;
    scene.region.clock.nowMs += 11 * MINUTES;
    const events = scene.device().followEdgeEvents(found, QUIET);
    const { error } = await next(events, "failed");
    assert.deepEqual([error.code, error.answered], ["UNAUTHENTICATED", true]);
    assert.deepEqual(await Array.fromAsync(events), []);
    await events.close();
  });
});

Deno.test("an engine that refuses fresh cookies, too, is not asked again and again at once", async () => {
  await withRegion(async (scene) => {
    let opened = 0;
    const refusing: SocketMaker = () => {
      opened++;
      const socket = new EventTarget() as unknown as ReturnType<SocketMaker>;
      queueMicrotask(() => {
        socket.onmessage?.(new MessageEvent("message", { data: '{"code":16,"message":"no","details":[]}' }));
        socket.onclose?.(new CloseEvent("close", { code: 4016, reason: "no" }));
      });
      return Object.assign(socket, { readyState: 0, send: () => {}, close: () => {} });
    };
    const device = scene.device({ webSocket: refusing });
    const events = device.followEdgeEvents((await device.findCloudlet(SOUTH))!, { ...QUIET, reconnectDelayMs: 60_000 });
    const { error } = await next(events, "lost");
    assert.deepEqual([error?.code, error?.message, opened], ["UNAUTHENTICATED", "no", 2]);
    await events.close();
    assert.equal(opened, 2);
  });
});

/** WebSockets that never come to anything, each in its way. */
const BROKEN: [string, SocketMaker | null][] = [
  ["there are none", null],
  ["none can be made", () => {
    throw new TypeError("not here");
  }],
  ["they do not get through", () => new WebSocket("ws://127.0.0.1:1/")],
  ["a proxy swallows what they carry", (url) => {
    const socket = new WebSocket(url);
    return Object.defineProperty(socket, "send", { value: () => {} });
  }],
];

for (const [why, webSocket] of BROKEN) {
  Deno.test(`server-sent events take over where WebSockets do not work: ${why}`, async () => {
    await withRegion(async (scene) => {
      const device = scene.device({ webSocket });
      const events = device.followEdgeEvents((await device.findCloudlet(SOUTH))!, { ...QUIET, timeoutMs: 300 });
      assert.equal((await next(events, "open")).form, "server-sent-events");
      // The form that worked is tried first from now on.
      await scene.restart();
      assert.equal((await next(events, "open")).form, "server-sent-events");
      await events.close();
      await until(() => scene.region.edge.open === 0, "no stream is open");
    });
  });
}

Deno.test("an engine that cannot be reached is tried again later and later, until told to stop", async () => {
  await withRegion(async (scene) => {
    const device = scene.device();
    const found = (await device.findCloudlet(SOUTH))!;
    const away = scene.device({
      random: () => 0,
      webSocket: () => new WebSocket("ws://127.0.0.1:1/"),
      fetch: (url, init) => url.includes("streamedge") ? Promise.reject(new TypeError("no way")) : fetch(url, init),
    });
    const events = away.followEdgeEvents(found, { ...QUIET, reconnectDelayMs: 4 });
    const waits: number[] = [];
    while (waits.length < 4) {
      const { error, retryMs } = await next(events, "lost");
      assert.deepEqual([error?.code, error?.answered], ["UNAVAILABLE", false]);
      waits.push(retryMs);
    }
    assert.deepEqual(waits, [2, 4, 8, 16]);
    await events.close();
  });
});
