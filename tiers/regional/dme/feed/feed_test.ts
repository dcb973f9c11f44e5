import assert from "node:assert/strict";
import { createNotifyClient, createNotifyHub, roundRobin } from "../../../../shared/notify/mod.ts";
import { createRateLimiter } from "../../../../shared/ratelimit/mod.ts";
import { createServer } from "../../../../shared/rpc/mod.ts";
import { systemClock } from "../../../../shared/runtime/mod.ts";
import {
  ApiEndpointType,
  App,
  AppInstKind,
  AppKind,
  Cloudlet,
  CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  FlowRateLimitAlgorithm,
  FlowRateLimitSettings,
  FlowRateLimitSettingsKind,
  MaxReqsRateLimitAlgorithm,
  MaxReqsRateLimitSettings,
  MaxReqsRateLimitSettingsKind,
  type ObjectKind,
  OperatorCode,
  OperatorCodeKind,
  RateLimitTarget,
  Settings,
  SettingsKind,
} from "../../../../shared/schema/mod.ts";
import type { RegionTables } from "../api/mod.ts";
import { appId, Tables } from "../matching/mod.ts";
import { appInst } from "../testing/region.ts";
import { until } from "../testing/until.ts";
import { RegionRules } from "./region_rules.ts";
import { feedTables, WANTED_KINDS } from "./feed.ts";

const KEY = { organization: "acme", name: "alpha", version: "1.1" };
const SITE = { organization: "northtel", name: "north-3" };

Deno.test("tables follow the parent: new, changed and removed objects, and what vanished while disconnected", async () => {
  const makeHub = () => {
    const hub = createNotifyHub({ service: "controller", region: "eu", kinds: WANTED_KINDS });
    return hub;
  };
  let hub = makeHub();
  let server = createServer();
  hub.serve(server, () => ({}));
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const client = createNotifyClient({
    service: "dme",
    region: "eu",
    wants: WANTED_KINDS,
    connect: roundRobin([`127.0.0.1:${port}`], () => ({})),
    backoff: { initialMs: 10, maxMs: 50 },
  });
  const tables: RegionTables = new Tables();
  const faults: string[] = [];
  const limiter = createRateLimiter({ settings: [], maxTracked: 1, clock: systemClock() });
  const rules = new RegionRules(limiter);
  const feed = feedTables(tables, rules, (kind) => client.replica(kind), (kind, key) => faults.push(`${kind} ${key}`));
  const instance = appInst([KEY.organization, KEY.name, KEY.version], "northtel", "north-3", "n3", [48, 11]);
  const put = () => {
    const app = App.create({ key: KEY });
    const cloudlet = Cloudlet.create({ key: SITE, location: { latitude: 48, longitude: 11 } });
    const info = CloudletInfo.create({ key: SITE, state: 2 });
    hub.publish("App", AppKind.keyString(app.key), App.encode(app));
    hub.publish("Cloudlet", CloudletKind.keyString(cloudlet.key), Cloudlet.encode(cloudlet));
    hub.publish("CloudletInfo", CloudletInfoKind.keyString(info.key), CloudletInfo.encode(info));
    hub.publish("AppInst", AppInstKind.keyString(instance.key), AppInstKind.message.encode(instance));
  };
  try {
    assert.deepEqual([...feed.missing()].sort(), [...WANTED_KINDS].sort());
    client.start();
    put();
    hub.publish("App", "no key", new Uint8Array([0x12, 0xff]));
    hub.markReady();
    await client.whenInStep();
    assert.deepEqual(feed.missing(), []);
    assert.deepEqual(faults, ["App no key"]);
    assert.equal(tables.instance(instance.key)?.usable, true);

    const down = CloudletInfo.create({ key: SITE, state: 3 });
    hub.publish("CloudletInfo", CloudletInfoKind.keyString(down.key), CloudletInfo.encode(down));
    await until(() => tables.instance(instance.key)?.usable === false, "the site is known to be offline");
    hub.publish("AppInst", AppInstKind.keyString(instance.key), undefined);
    await until(() => tables.instance(instance.key) === undefined, "the instance is gone");
    put();
    await until(() => tables.instance(instance.key)?.usable === true, "it is back");

    const say = <T, K>(kind: ObjectKind<T, K>, object: T) =>
      hub.publish(kind.kind, kind.keyString(kind.key(object)), kind.message.encode(object));
    assert.deepEqual([rules.tileSideKm, rules.carrierOf("26201")], [2, undefined]);
    say(OperatorCodeKind, OperatorCode.create({ code: "26201", organization: "northtel" }));
    await until(() => rules.carrierOf("26201") === "northtel", "the code is known");
    say(SettingsKind, Settings.create({ locationTileSideLengthKm: 5 }));
    await until(() => rules.tileSideKm === 5, "the settings are known");
    const call = { api: "FindCloudlet", address: "192.0.2.1" };
    const refused = () => {
      try {
        for (let i = 0; i < 3; i++) limiter.admit(call);
        return false;
      } catch {
        return true;
      }
    };
    const rateLimitKey = {
      apiName: "Global",
      apiEndpointType: ApiEndpointType.DME,
      rateLimitTarget: RateLimitTarget.PER_IP,
    };
    const flow = FlowRateLimitSettings.create({
      key: { flowSettingsName: "two", rateLimitKey },
      settings: { flowAlgorithm: FlowRateLimitAlgorithm.TOKEN_BUCKET_ALGORITHM, reqsPerSecond: 0.001, burstSize: 2 },
    });
    say(FlowRateLimitSettingsKind, flow);
    await until(refused, "the rate is limited");
    say(SettingsKind, Settings.create({ disableRateLimit: true }));
    await until(() => !refused(), "limits are off");
    say(SettingsKind, Settings.create());
    await until(refused, "limits are on");
    say(FlowRateLimitSettingsKind, { ...flow, settings: { ...flow.settings, burstSize: 0 } });
    await until(() => faults.length === 2, "a limit that makes no sense is told of");
    assert.equal(refused(), false);
    const window = MaxReqsRateLimitSettings.create({
      key: { maxReqsSettingsName: "one", rateLimitKey },
      settings: {
        maxReqsAlgorithm: MaxReqsRateLimitAlgorithm.FIXED_WINDOW_ALGORITHM,
        maxRequests: 1,
        interval: 3600 * 1e9,
      },
    });
    say(MaxReqsRateLimitSettingsKind, window);
    await until(refused, "the number is limited");
    const key = MaxReqsRateLimitSettingsKind.keyString(window.key);
    hub.publish(MaxReqsRateLimitSettingsKind.kind, key, undefined);
    await until(() => !refused(), "the limit is gone");
    hub.publish(OperatorCodeKind.kind, OperatorCodeKind.keyString({ code: "26201" }), undefined);
    await until(() => rules.carrierOf("26201") === undefined, "the code is gone");

    hub.close();
    await server.close();
    await until(() => client.state() !== "inStep", "the parent is missed");
    assert.equal(tables.instance(instance.key)?.usable, true, "the tables serve on");
    assert.deepEqual(feed.missing(), []);
    hub = makeHub();
    server = createServer();
    hub.serve(server, () => ({}));
    await server.listen({ hostname: "127.0.0.1", port });
    const app = App.create({ key: KEY });
    hub.publish("App", AppKind.keyString(app.key), App.encode(app));
    hub.markReady();
    await client.whenInStep();
    assert.deepEqual(tables.count(), { instances: 0, usable: 0 });
    assert.ok(tables.app(appId(KEY.organization, KEY.name, KEY.version)));
  } finally {
    await client.stop();
    hub.close();
    await server.close();
  }
});
