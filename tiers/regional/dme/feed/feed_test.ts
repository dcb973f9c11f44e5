import assert from "node:assert/strict";
import { createNotifyClient, createNotifyHub, roundRobin } from "../../../../shared/notify/mod.ts";
import { createServer } from "../../../../shared/rpc/mod.ts";
import {
  App,
  AppInstKind,
  AppKind,
  Cloudlet,
  CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
} from "../../../../shared/schema/mod.ts";
import type { RegionTables } from "../api/mod.ts";
import { appId, Tables } from "../matching/mod.ts";
import { appInst } from "../testing/region.ts";
import { until } from "../testing/until.ts";
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
  const feed = feedTables(tables, (kind) => client.replica(kind), (kind, key) => faults.push(`${kind} ${key}`));
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
    assert.deepEqual(feed.missing().sort(), [...WANTED_KINDS].sort());
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
