import assert from "node:assert/strict";
import { connect } from "node:tls";
import {
  type Channel,
  createChannel,
  createClient,
  HealthService,
  ReflectionV1Alpha,
  ServingStatus,
} from "../../../shared/rpc/mod.ts";
import { App, Cloudlet, CloudletInfo, dme } from "../../../shared/schema/mod.ts";
import { startService } from "../../../shared/service/mod.ts";
import { rotateSigningKey } from "../../../shared/secrets/mod.ts";
import { systemRandom } from "../../../shared/runtime/mod.ts";
import { dmeService } from "./service.ts";
import { type TestController, testController, type TestPlatform, testPlatform } from "./testing/controller.ts";
import { Pipe } from "./testing/edge_clients.ts";
import { appInst } from "./testing/region.ts";
import { until } from "./testing/until.ts";

const APP = ["acme", "alpha", "1.1"];
const REGISTER = { org_name: "acme", app_name: "alpha", app_vers: "1.1" };
const SITES = [["north-2", 52.7374, 13.405], ["north-3", 48.1351, 11.582]] as const;

function fill(controller: TestController): void {
  controller.putApp(App.create({ key: { organization: APP[0], name: APP[1], version: APP[2] } }));
  for (const [name, latitude, longitude] of SITES) {
    const key = { organization: "northtel", name };
    controller.putCloudlet(Cloudlet.create({ key, location: { latitude, longitude } }));
    controller.putCloudletInfo(CloudletInfo.create({ key, state: dme.CloudletState.CLOUDLET_STATE_READY }));
    controller.putAppInst(appInst(APP, "northtel", name, `alpha.${name}`, [latitude, longitude]));
  }
  controller.hub.markReady();
}

async function start(platform: TestPlatform, addresses: string[]) {
  const lines: string[] = [];
  const args = [...platform.dmeArgs, "--notify-addrs", addresses.join(",")];
  const running = await startService(dmeService, { args, sink: (line) => void lines.push(line) });
  const client = Deno.createHttpClient({ caCerts: [platform.ca.rootPem] });
  const url = running.addresses.rest!.replace("127.0.0.1", "localhost");
  const post = async (name: string, body: unknown) => {
    const response = await fetch(`${url}/v1/${name}`, { method: "POST", body: JSON.stringify(body), client });
    return { status: response.status, json: await response.json() };
  };
  return {
    running,
    lines,
    post,
    /** Name of the chosen instance from a place in the south. */
    async chosen(session_cookie: string): Promise<string> {
      const { json } = await post("findcloudlet", { session_cookie, gps_location: { latitude: 48, longitude: 11 } });
      return json.fqdn;
    },
    async stop() {
      client.close();
      await running.stop();
    },
  };
}

/** ServerReflectionRequest with list_services. */
const LIST_SERVICES = new Uint8Array([0x3a, 0]);

/** ServerReflectionRequest with file_by_filename. */
function fileByName(name: string): Uint8Array {
  return new Uint8Array([0x1a, name.length, ...new TextEncoder().encode(name)]);
}

/** The answers to requests for reflection, whose texts stand in them as they are. */
async function reflected(channel: Channel, requests: Uint8Array[]): Promise<string[]> {
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* requests;
  }
  const answers: string[] = [];
  const client = createClient(ReflectionV1Alpha, channel, { timeoutMs: 30_000 });
  for await (const answer of client.serverReflectionInfo(all())) answers.push(new TextDecoder().decode(answer));
  return answers;
}

Deno.test("a matching engine waits for its region, serves by REST and gRPC over TLS, and serves on alone", async () => {
  const platform = await testPlatform("eu");
  let controller = await testController(platform, "eu");
  const engine = await start(platform, [controller.address]);
  try {
    const early = await engine.post("registerclient", REGISTER);
    assert.deepEqual([early.status, early.json.code], [503, 14]);
    assert.equal((await fetch(`${engine.running.adminUrl}/readyz`).then((r) => r.json())).ready, false);
    fill(controller);
    await engine.running.ready;

    const { status, json: { session_cookie } } = await engine.post("registerclient", REGISTER);
    assert.equal(status, 200);
    assert.equal(await engine.chosen(session_cookie), "alpha.north-3");
    const address = engine.running.addresses.grpc!.replace("127.0.0.1", "localhost");
    const channel = createChannel({ address, tls: { ca: platform.ca.rootPem } });
    const client = createClient(dme.MatchEngineApi, channel, { timeoutMs: 30_000 });
    const find = { sessionCookie: session_cookie, gpsLocation: { latitude: 52, longitude: 13 } };
    assert.equal((await client.findCloudlet(dme.FindCloudletRequest.create(find))).fqdn, "alpha.north-2");
    assert.deepEqual(await createClient(HealthService, channel).check({ service: "" }), {
      status: ServingStatus.SERVING,
    });
    // Who may ask a public port what it serves must not learn of the platform's own API.
    const said = await reflected(channel, [
      LIST_SERVICES,
      fileByName("app-client.proto"),
      fileByName("archipelago/app.proto"),
    ]);
    assert.match(said[0]!, /distributed_match_engine\.MatchEngineApi/);
    assert.match(said[1]!, /FindCloudletRequest/);
    assert.match(said[2]!, /The file is unknown/);
    assert.doesNotMatch(said.join(), /archipelago\.AppApi/);
    channel.close();

    const sick = appInst(APP, "northtel", "north-3", "alpha.north-3", [48.1351, 11.582]);
    controller.putAppInst({ ...sick, healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL });
    await until(async () => (await engine.chosen(session_cookie)) === "alpha.north-2", "the sick instance is avoided");
    controller.putAppInst(sick);
    await until(async () => (await engine.chosen(session_cookie)) === "alpha.north-3", "it is chosen again");

    const port = Number(controller.address.split(":")[1]);
    await controller.close();
    assert.equal(await engine.chosen(session_cookie), "alpha.north-3");
    controller = await testController(platform, "eu", port);
    fill(controller);
    const offline = {
      key: { organization: "northtel", name: "north-3" },
      state: dme.CloudletState.CLOUDLET_STATE_OFFLINE,
    };
    controller.putCloudletInfo(CloudletInfo.create(offline));
    await until(
      async () => (await engine.chosen(session_cookie)) === "alpha.north-2",
      "the new controller is followed",
    );
    const metrics = await fetch(`${engine.running.adminUrl}/metrics`).then((response) => response.text());
    assert.match(metrics, /dme_calls_total\{method="FindCloudlet",code="OK"\} \d+/);
    assert.match(metrics, /dme_instances\{usable="true"\} 1/);
  } finally {
    await engine.stop();
    await controller.close();
    await platform.close();
  }
});

Deno.test("two engines of a region accept each other's cookies, also after a rotation of the key", async () => {
  const platform = await testPlatform("eu");
  const controller = await testController(platform, "eu");
  fill(controller);
  const one = await start(platform, [controller.address]);
  const two = await start(platform, [controller.address]);
  try {
    await Promise.all([one.running.ready, two.running.ready]);
    const { json: { session_cookie } } = await one.post("registerclient", REGISTER);
    assert.equal(await two.chosen(session_cookie), "alpha.north-3");
    await rotateSigningKey(platform.secrets, "eu/jwtkeys/dme", systemRandom());
    const three = await start(platform, [controller.address]);
    try {
      await three.running.ready;
      const renewed = (await three.post("registerclient", REGISTER)).json.session_cookie;
      assert.notEqual(renewed, session_cookie);
      assert.equal(await three.chosen(session_cookie), "alpha.north-3");
      await until(
        async () => (await one.chosen(renewed)) === "alpha.north-3",
        "the other engine has fetched the new key",
      );
    } finally {
      await three.stop();
    }
  } finally {
    await one.stop();
    await two.stop();
    await controller.close();
    await platform.close();
  }
});

Deno.test("a controller of another region is not followed", async () => {
  const platform = await testPlatform("eu");
  const stranger = await testController(platform, "us");
  fill(stranger);
  const engine = await start(platform, [stranger.address]);
  try {
    await until(() => engine.lines.some((line) => /certificate|refused|region/i.test(line)), "the refusal is logged");
    const ready = await fetch(`${engine.running.adminUrl}/readyz`).then((response) => response.json());
    assert.equal(ready.ready, false);
    assert.match(ready.checks.notify, /has not arrived/);
    assert.equal((await engine.post("registerclient", REGISTER)).status, 503);
  } finally {
    await engine.stop();
    await stranger.close();
    await platform.close();
  }
});

Deno.test("event streams in every HTTP form pass through TLS and HTTP/2, and end when the service stops", async () => {
  const platform = await testPlatform("eu");
  const controller = await testController(platform, "eu");
  fill(controller);
  const engine = await start(platform, [controller.address]);
  const client = Deno.createHttpClient({ caCerts: [platform.ca.rootPem], http1: false, http2: true });
  const url = `${engine.running.addresses.rest!.replace("127.0.0.1", "localhost")}/v1/streamedgeevent`;
  try {
    await engine.running.ready;
    const { json: { session_cookie } } = await engine.post("registerclient", REGISTER);
    const { json: { edge_events_cookie } } = await engine.post("findcloudlet", {
      session_cookie,
      gps_location: { latitude: 48, longitude: 11 },
    });
    const requests = new Pipe<Uint8Array>();
    const send = (event: object) => requests.put(new TextEncoder().encode(JSON.stringify(event)));
    send({ event_type: 1, session_cookie, edge_events_cookie });
    const lines = await fetch(url, { method: "POST", body: ReadableStream.from(requests), client });
    const query = new URLSearchParams({ session_cookie, edge_events_cookie });
    const source = await fetch(`${url}?${query}`, { headers: { accept: "text/event-stream" }, client });
    assert.deepEqual([lines.status, source.status], [200, 200]);
    assert.equal(source.headers.get("content-type"), "text/event-stream");
    const texts = [lines, source].map(() => "");
    const read = [lines, source].map(async (response, index) => {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) texts[index] += text;
    });
    await until(() => texts.every((text) => text.includes("InitConnection")), "both streams are live");
    send({ event_type: "EVENT_LATENCY_SAMPLES", gps_location: { latitude: 48 }, samples: [{ value: 3 }] });
    const [, name] = /"stream":"([^"]+)"/.exec(texts[1]!)!;
    const told = await fetch(`${url}?stream=${name}`, {
      method: "POST",
      body: JSON.stringify({ event_type: "LocationUpdate", gps_location: { latitude: 52.7, longitude: 13.4 } }),
      client,
    });
    assert.deepEqual([told.status, await told.json()], [200, {}]);
    await until(() => texts[0]!.includes("LatencyProcessed"), "the samples are processed");
    await until(() => /CloudletUpdate.*alpha\.north-2/.test(texts[1]!), "another instance is told of");
    const stopped = engine.stop();
    await Promise.all(read);
    // Over HTTP/2 the runtime waits for the end of the body as long as the service may take to stop.
    requests.end();
    await stopped;
    assert.match(texts[0]!, /"grpc_code":14.*Service Unavailable/);
    assert.match(texts[1]!, /event: failure\ndata: \{"code":14/);
  } finally {
    client.close();
    await controller.close();
    await platform.close();
  }
});

Deno.test("a renewed certificate is used on both ports", async () => {
  const platform = await testPlatform("eu");
  const controller = await testController(platform, "eu");
  fill(controller);
  const engine = await start(platform, [controller.address]);
  try {
    await engine.running.ready;
    const restPort = Number(new URL(engine.running.addresses.rest!).port);
    const grpcPort = Number(engine.running.addresses.grpc!.split(":")[1]);
    const serials = () => Promise.all([restPort, grpcPort].map((port) => serialAt(port, platform.ca.rootPem)));
    const before = await serials();
    assert.equal(before[0], before[1]);
    await platform.issuePublic();
    // The runtime cannot swap the certificate of a port: while it is opened anew a connection may have to be repeated.
    const settled = () => serials().then((all) => all.every((serial) => serial !== before[0]), () => false);
    await until(settled, "both ports show the new certificate");
    assert.equal((await engine.post("registerclient", REGISTER)).status, 200);
  } finally {
    await engine.stop();
    await controller.close();
    await platform.close();
  }
});

Deno.test("what cannot work is refused at the start", async () => {
  const platform = await testPlatform("eu");
  const begin = (...args: string[]) => startService(dmeService, { args, sink: () => {} });
  try {
    await assert.rejects(begin(), /--tls-dir/);
    await assert.rejects(begin(...platform.dmeArgs, "--notify-adrs", "x"), /--notify-addrs\?/);
    const index = platform.dmeArgs.indexOf("--public-tls-dir");
    await assert.rejects(begin(...platform.dmeArgs.slice(0, index)), /--public-tls-dir is required/);
    const wrong = platform.dmeArgs.with(index + 1, `${platform.folder}/nothing`);
    await assert.rejects(begin(...wrong), /nothing\/cert\.pem/);
    const secrets = platform.dmeArgs.indexOf("--secrets");
    const keyless = platform.dmeArgs.toSpliced(secrets, 2);
    await assert.rejects(begin(...keyless), /--secrets is required, for the keys of cookies, unless --access-api-addr/);
    await assert.rejects(begin(...keyless, "--access-api-addr", "127.0.0.1:1"), /needs --access-key-file/);
  } finally {
    await platform.close();
  }
});

function serialAt(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { port, host: "127.0.0.1", servername: "localhost", ca, ALPNProtocols: ["h2", "http/1.1"] },
      () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}
