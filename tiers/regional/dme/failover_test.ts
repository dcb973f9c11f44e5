// Two matching engines of one region in processes of their own; one of them is killed.
import assert from "node:assert/strict";
import { createGatherer } from "../../../shared/notify/mod.ts";
import { createChannel, createClient, RpcError, Status } from "../../../shared/rpc/mod.ts";
import {
  App,
  AppInstKind,
  AppInstLatency,
  AppInstLatencyAsked,
  Cloudlet,
  CloudletInfo,
  dme,
  LATENCY_QUESTION,
} from "../../../shared/schema/mod.ts";
import { type TestController, testController, type TestPlatform, testPlatform } from "./testing/controller.ts";
import { type EdgeStream, grpcFaceAt } from "./testing/edge_clients.ts";
import { ALPHA, Client, init, Server } from "./testing/edge_streams.ts";
import { appInst } from "./testing/region.ts";

const SITES = [["north-2", 52.7374, 13.405], ["north-3", 48.1351, 11.582]] as const;
const SITE = { organization: "northtel", name: "north-3" };
const instance = appInst(ALPHA, "northtel", "north-3", "alpha.north-3", [48.1351, 11.582]);

function fill(controller: TestController): void {
  controller.putApp(App.create({ key: { organization: ALPHA[0], name: ALPHA[1], version: ALPHA[2] } }));
  for (const [name, latitude, longitude] of SITES) {
    const key = { organization: "northtel", name };
    controller.putCloudlet(Cloudlet.create({ key, location: { latitude, longitude } }));
    controller.putCloudletInfo(CloudletInfo.create({ key, state: dme.CloudletState.CLOUDLET_STATE_READY }));
    controller.putAppInst(appInst(ALPHA, "northtel", name, `alpha.${name}`, [latitude, longitude]));
  }
  controller.hub.markReady();
}

/** Starts an engine and waits until it serves. */
async function startEngine(platform: TestPlatform, controller: TestController) {
  const program = new URL("./main.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, ...platform.dmeArgs, "--notify-addrs", controller.address],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ready = Promise.withResolvers<{ grpc: string; rest: string }>();
  const reading = (async () => {
    let held = "";
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (held + text).split("\n");
      held = lines.pop()!;
      for (const line of lines) {
        const { message, addresses } = JSON.parse(line);
        if (message === "ready") ready.resolve(addresses);
      }
    }
    ready.reject(new Error("The engine has ended"));
  })();
  const addresses = await ready.promise;
  const tls = { ca: platform.ca.rootPem };
  const channel = createChannel({ address: addresses.grpc.replace("127.0.0.1", "localhost"), tls });
  return {
    edge: grpcFaceAt(addresses.grpc.replace("127.0.0.1", "localhost"), tls),
    api: createClient(dme.MatchEngineApi, channel, { timeoutMs: 30_000 }),
    async end(signal: Deno.Signal) {
      process.kill(signal);
      await process.status;
      await reading;
      channel.close();
    },
  };
}

/** The next event, once those that are not of this type have passed. */
async function nextOf(stream: EdgeStream, type: number) {
  for (;;) {
    const event = await stream.next();
    if (event === undefined || event.eventType === type) return event;
  }
}

Deno.test("a device goes on with its stream at another engine when its own is killed or stopped", async () => {
  const platform = await testPlatform("eu");
  const controller = await testController(platform, "eu");
  fill(controller);
  const questions = createGatherer({
    type: LATENCY_QUESTION,
    node: { service: "controller", region: "eu", cloudlet: "", instance: "test" },
    hub: controller.hub,
    answer: () => new Uint8Array(),
  });
  const engines = await Promise.all([startEngine(platform, controller), startEngine(platform, controller)]);
  const [one, two] = engines as [typeof engines[0], typeof engines[0]];
  try {
    const { sessionCookie } = await one.api.registerClient(
      dme.RegisterClientRequest.create({ orgName: ALPHA[0], appName: ALPHA[1], appVers: ALPHA[2] }),
    );
    const place = { latitude: 48, longitude: 11.5 };
    const { edgeEventsCookie } = await one.api.findCloudlet(
      dme.FindCloudletRequest.create({ sessionCookie, gpsLocation: place }),
    );
    const cookies = { sessionCookie, edgeEventsCookie };
    const before = await one.edge.open(init(cookies));
    assert.equal((await before.next())?.eventType, Server.EVENT_INIT_CONNECTION);
    await one.end("SIGKILL");
    const lost = (error: unknown) => error instanceof RpcError && error.code === Status.UNAVAILABLE;
    await assert.rejects(before.next(), lost);

    const after = await two.edge.open(init(cookies));
    assert.equal((await after.next())?.eventType, Server.EVENT_INIT_CONNECTION);
    // The region asks the devices of an instance, wherever they are by now.
    const question = AppInstLatency.encode(AppInstLatency.create({ key: instance.key }));
    const { replies } = await questions.ask(question, { timeoutMs: 30_000, to: { service: "dme" } });
    assert.deepEqual(replies.map(({ value }) => AppInstLatencyAsked.decode(value).clients), [1]);
    assert.equal((await after.next())?.eventType, Server.EVENT_LATENCY_REQUEST);
    // What happens in the region reaches it, too.
    controller.putCloudletInfo(CloudletInfo.create({ key: SITE, state: dme.CloudletState.CLOUDLET_STATE_OFFLINE }));
    const moved = await nextOf(after, Server.EVENT_CLOUDLET_STATE);
    assert.equal(moved?.newCloudlet?.fqdn, "alpha.north-2");
    controller.hub.publish("AppInst", AppInstKind.keyString(instance.key), undefined);
    const gone = await nextOf(after, Server.EVENT_APPINST_HEALTH);
    assert.equal(gone?.newCloudlet?.fqdn, "alpha.north-2");

    const third = await startEngine(platform, controller);
    engines.push(third);
    const ended = assert.rejects(after.next(), lost);
    await two.end("SIGTERM");
    await ended;
    const cookie = moved!.newCloudlet!.edgeEventsCookie;
    const last = await third.edge.open(init({ sessionCookie, edgeEventsCookie: cookie }));
    assert.equal((await last.next())?.eventType, Server.EVENT_INIT_CONNECTION);
    await last.send({ eventType: Client.EVENT_TERMINATE_CONNECTION });
    assert.equal(await last.next(), undefined);
    await third.end("SIGTERM");
  } finally {
    for (const { edge } of engines) await edge.close();
    await controller.close();
    await platform.close();
  }
});
