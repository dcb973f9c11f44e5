// A device on an event stream of the real platform: it is asked for its latency, learns that its instance died and where
// to go, and that it is back; and who may have the choice explained.
import assert from "node:assert/strict";
import { freePortBase, type Platform, startPlatform } from "./support/platform.ts";
import { killOutright } from "./support/processes.ts";
import { eventually } from "./support/wait.ts";
import { appKey, deploy, instanceKey, makeWorld, runningInstances, undeploy } from "./support/world.ts";

const AUGSBURG = { latitude: 48.37, longitude: 10.9 };

interface DeviceEvent {
  readonly event_type: string;
  readonly new_cloudlet?: { readonly fqdn: string };
  readonly error_msg: string;
  readonly statistics?: { readonly num_samples: string; readonly avg: number };
}

/** A device with a WebSocket, as a page of a browser has it. */
class Device {
  readonly #events: DeviceEvent[] = [];
  readonly #client: Deno.HttpClient;
  readonly #rest: string;
  #socket: WebSocket | undefined;
  #cookie = "";

  constructor(platform: Platform) {
    const info = platform.info();
    this.#client = Deno.createHttpClient({ caCerts: [Deno.readTextFileSync(info.ca)] });
    this.#rest = info.regions["local"]!.dme.rest;
  }

  async #call(name: string, body: object): Promise<Record<string, string>> {
    const response = await fetch(`${this.#rest}/v1/${name}`, {
      method: "POST",
      body: JSON.stringify(body),
      client: this.#client,
    });
    return await response.json();
  }

  async register(): Promise<void> {
    const { organization: org_name, name: app_name, version: app_vers } = appKey;
    this.#cookie = (await this.#call("registerclient", { org_name, app_name, app_vers })).session_cookie!;
  }

  /** @returns the host of the instance */
  async find(): Promise<{ fqdn: string; edge: string }> {
    const found = await this.#call("findcloudlet", { session_cookie: this.#cookie, gps_location: AUGSBURG });
    return { fqdn: found.fqdn!, edge: found.edge_events_cookie! };
  }

  async follow(edge: string): Promise<void> {
    this.#socket?.close();
    this.#events.length = 0;
    const socket = this.#socket = new WebSocket(`${this.#rest.replace("http", "ws")}/v1/streamedgeevent`, {
      client: this.#client,
    });
    socket.onmessage = ({ data }) => void this.#events.push(JSON.parse(data));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = (event) => reject(new Error(`The stream cannot be opened: ${(event as ErrorEvent).message}`));
    });
    socket.onerror = null;
    this.send({ event_type: "EVENT_INIT_CONNECTION", session_cookie: this.#cookie, edge_events_cookie: edge });
    await this.next("InitConnection");
  }

  send(event: object): void {
    this.#socket!.send(JSON.stringify(event));
  }

  /** The next event of this type; those of others before it are passed over. */
  next(type: string): Promise<DeviceEvent> {
    return eventually(`the event ${type}`, () => {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
        if (event.event_type === type) return event;
      }
      return undefined;
    }, 60_000);
  }

  close(): void {
    this.#socket?.close();
    this.#client.close();
  }
}

Deno.test("edge events: a device follows its instance, and the choice is explained", async (t) => {
  const platform = await startPlatform();
  const world = await makeWorld(platform, freePortBase());
  const device = new Device(platform);
  try {
    await Promise.all([deploy(world, "munich"), deploy(world, "hamburg")]);
    await device.register();
    const munich = await eventually("the instance in Munich", async () => {
      const found = await device.find();
      return found.fqdn.includes("munich") ? found : undefined;
    });
    await device.follow(munich.edge);

    await t.step("all devices of an instance are asked for their latency", async () => {
      const [asked] = await world.developer.ctrl("RequestAppInstLatency", {
        appinstlatency: { key: instanceKey("munich") },
      });
      assert.match(JSON.stringify(asked), /Asked 1 device on 1 matching engine/);
      await device.next("LatencyRequest");
      device.send({
        event_type: "EVENT_LATENCY_SAMPLES",
        gps_location: AUGSBURG,
        samples: [{ value: 4 }, { value: -1 }, { value: 6 }],
      });
      const { statistics } = await device.next("LatencyProcessed");
      assert.deepEqual([statistics?.num_samples, statistics?.avg], ["2", 5]);
      const refused = await world.operator.call("auth/ctrl/RequestAppInstLatency", {
        region: "local",
        appinstlatency: { key: instanceKey("munich") },
      });
      assert.equal(refused.status, 403);
    });

    await t.step("the owner of an app and administrators have the choice explained, nobody else", async () => {
      const matchquery = { app_key: appKey, ...AUGSBURG };
      for (const user of [world.developer, world.admin]) {
        const told = await user.ctrl("ExplainMatch", { matchquery });
        assert.deepEqual(told.map(({ verdict, rank, cloudlet }) => [verdict, rank, cloudlet]), [
          ["Wins", 1, "munich"],
          ["Loses", 2, "hamburg"],
        ]);
        assert.equal(told[0]!.reason, "the nearest");
        assert.ok(Number(told[0]!.distance_km) > 40 && Number(told[0]!.distance_km) < 70);
      }
      const other = await world.developer.ctrl("ExplainMatch", { matchquery: { ...matchquery, carrier: "nobody" } });
      assert.deepEqual(other.map(({ verdict, reason }) => [verdict, reason]), [
        ["Excluded", "not for carrier nobody"],
        ["Excluded", "not for carrier nobody"],
      ]);
      for (const app of [appKey, { ...appKey, organization: "" }]) {
        const answer = await world.operator.call("auth/ctrl/ExplainMatch", {
          region: "local",
          matchquery: { ...matchquery, app_key: app },
        });
        assert.equal(answer.status, 403);
      }
    });

    await t.step("it learns of the death of its instance, where to go, and that the instance is back", async () => {
      await eventually("the instance to count as dead", async () => {
        for (const pid of await runningInstances(world, platform, "munich")) await killOutright(pid);
        const found = await device.find();
        return found.fqdn.includes("hamburg") || undefined;
      });
      const dead = await device.next("AppinstHealth");
      assert.match(dead.new_cloudlet!.fqdn, /hamburg/);
      const back = await device.next("CloudletUpdate");
      assert.equal(back.new_cloudlet!.fqdn, munich.fqdn);
    });

    await t.step("it learns that its instance is deleted", async () => {
      await undeploy(world, "munich");
      const gone = await device.next("AppinstHealth");
      assert.match(gone.new_cloudlet!.fqdn, /hamburg/);
    });

    await t.step("a stream goes on when the only engine is killed and started again", async () => {
      const { edge } = await device.find();
      await device.follow(edge);
      await killOutright(platform.pid("dme"));
      await eventually("the stream at the new engine", async () => {
        try {
          await device.follow(edge);
          return true;
        } catch {
          return undefined;
        }
      }, 60_000);
      await world.developer.ctrl("RequestAppInstLatency", { appinstlatency: { key: instanceKey("hamburg") } });
      await device.next("LatencyRequest");
    });
  } finally {
    device.close();
    world.close();
    assert.equal((await platform.stop()).code, 0);
  }
});
