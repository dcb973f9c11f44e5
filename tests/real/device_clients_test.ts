// Whoever may be on a device, against `up --demo`: the SDK in a browser, in Node and in Deno, a gRPC client of stock parts,
// and curl, all of them by TLS with the platform's own authority.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { buildDeviceSdk } from "../../tools/sdk/build.ts";
import { exampleHandler } from "../../tools/sdk/serve.ts";
import { type Platform, startPlatform } from "../e2e/support/platform.ts";
import { killOutright, processesWith, repository } from "../e2e/support/processes.ts";
import { loginAsAdmin, type RestUser } from "../e2e/support/rest.ts";
import { eventually } from "../e2e/support/wait.ts";
import { type Page, startBrowser } from "./device/browser.ts";

const ignore = Deno.env.get("ARCHIPELAGO_REAL") !== "1";

const BERLIN = { latitude: 52.52, longitude: 13.405 };
const PARIS = { latitude: 48.857, longitude: 2.352 };
/** The demo's app, which runs at the two largest cities of each country. */
const SCOREBOARD = { org_name: "hyperion", app_name: "scoreboard", app_vers: "1.0" };

/** Runs a program to its end and returns what it printed. */
async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    env,
    signal: AbortSignal.timeout(90_000),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 0, `${command} ended with ${code}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Hash of the key of the certificate that a port shows, once it was verified by these roots. */
function keyHash(url: string, ca: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", servername: hostname, port: Number(port), ca }, () => {
      const { raw } = socket.getPeerCertificate();
      const key = new X509Certificate(raw).publicKey.export({ type: "spki", format: "der" });
      socket.destroy();
      resolve(createHash("sha256").update(key).digest("base64"));
    });
    socket.on("error", reject);
  });
}

const SDK_PROGRAM = `
import { createDevice } from "./archipelago-device.js";
const [url] = (globalThis.Deno?.args ?? process.argv.slice(2));
const device = createDevice({ url, app: { organization: "hyperion", name: "scoreboard", version: "1.0" } });
const found = await device.findCloudlet(${JSON.stringify(BERLIN)});
const events = device.followEdgeEvents(found, { latencyIntervalMs: 0 });
const seen = [];
for await (const event of events) {
  seen.push([event.type, event.form ?? event.trigger, event.instance?.fqdn]);
  if (seen.length === 1) events.updateLocation(${JSON.stringify(PARIS)});
  if (seen.length === 3) break;
}
await events.close();
const sites = await device.getAppInstList(${JSON.stringify(BERLIN)}, { limit: 2 });
console.log(JSON.stringify({ seen, sites: sites.map(({ name }) => name) }));
`;

async function curl(t: Deno.TestContext, platform: Platform): Promise<void> {
  const { ca, regions } = platform.info();
  const { rest } = regions.local!.dme;
  const call = async (name: string, body: object) =>
    JSON.parse(
      await run("curl", ["-sS", "--cacert", ca, `${rest}/v1/${name}`, "-d", JSON.stringify(body)]),
    );
  await t.step(
    "curl goes from registration to the back-end, with the authority's root and nothing waived",
    async () => {
      const { session_cookie, status } = await call("registerclient", SCOREBOARD);
      assert.equal(status, "Success");
      const found = await call("findcloudlet", { session_cookie, gps_location: BERLIN });
      assert.deepEqual([found.status, found.ports[0].internal_port], ["Found", 8080]);
      const backend = `http://${found.fqdn}:${found.ports[0].public_port}/`;
      const { cloudlet } = JSON.parse(await run("curl", ["-sS", backend]));
      assert.match(cloudlet, /Berlin/);
      const list = await call("getappinstlist", { session_cookie, gps_location: PARIS, limit: 1 });
      assert.deepEqual(list.cloudlets.map((each: { cloudlet_name: string }) => each.cloudlet_name), ["Paris"]);
      assert.equal((await call("findcloudlet", { gps_location: BERLIN })).code, 16);
      const query = new URLSearchParams({ session_cookie, edge_events_cookie: found.edge_events_cookie });
      const url = `${rest}/v1/streamedgeevent?${query}`;
      const stream = new Deno.Command("curl", {
        args: ["-sSN", "--max-time", "30", "-H", "accept: text/event-stream", "--cacert", ca, url],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      let text = "";
      for await (const piece of stream.stdout.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if (text.includes("InitConnection")) break;
      }
      assert.match(text, /^event: stream\n.*\n\ndata: .*"InitConnection"/);
      stream.kill("SIGTERM");
      await stream.status;
      // Without the root the very same call must fail.
      const { code } = await new Deno.Command("curl", { args: ["-sS", `${rest}/v1/registerclient`], stderr: "null" })
        .output();
      assert.equal(code, 60);
    },
  );
}

async function stockGrpc(t: Deno.TestContext, platform: Platform, folder: string): Promise<void> {
  await t.step("grpc-js in Node, with the proto files as they are, goes through the whole flow", async () => {
    const { ca, regions } = platform.info();
    const program = `${folder}/stock.mjs`;
    const source = `${repository()}/tests/real/device/stock_client.ts`;
    await run(Deno.execPath(), ["bundle", "--quiet", "--platform=deno", `--output=${program}`, source]);
    const protos = `${repository()}/shared/schema/proto/dme`;
    const args = [program, regions.local!.dme.grpc, ca, protos, JSON.stringify(BERLIN), JSON.stringify(PARIS)];
    const told = JSON.parse(await run("node", args));
    assert.equal(told.found.status, "FIND_FOUND");
    assert.match(told.found.fqdn, /berlin/);
    assert.deepEqual(
      told.list.cloudlets.map((each: { cloudlet_name: string }) => each.cloudlet_name),
      ["Berlin", "Hamburg"],
    );
    assert.equal(told.verified.gps_location_status, "LOC_MISMATCH_SAME_COUNTRY");
    assert.equal(told.refused.code, 16);
    const [init, moved, processed] = told.events;
    assert.equal(init.event_type, "EVENT_INIT_CONNECTION");
    assert.match(moved.new_cloudlet.fqdn, /paris/);
    assert.deepEqual([processed.statistics.num_samples, processed.statistics.avg], [1, 4]);
    assert.equal(told.events.length, 3);
  });
}

async function sdkPrograms(t: Deno.TestContext, platform: Platform, folder: string): Promise<void> {
  const { ca, regions } = platform.info();
  const { rest } = regions.local!.dme;
  const program = `${folder}/program.mjs`;
  await Deno.writeTextFile(program, SDK_PROGRAM);
  const check = (printed: string, form: RegExp) => {
    const { seen, sites } = JSON.parse(printed);
    assert.deepEqual(sites, ["Berlin", "Hamburg"]);
    const [opened, moved, again] = seen;
    assert.match(opened[1], form);
    assert.deepEqual([opened[0], moved[0], moved[1], again[0]], ["open", "newInstance", "closer", "open"]);
    assert.match(opened[2], /berlin/);
    assert.match(again[2], /paris/);
  };
  await t.step("the SDK in Node, trusting the root by NODE_EXTRA_CA_CERTS", async () => {
    check(await run("node", [program, rest], { NODE_EXTRA_CA_CERTS: ca }), /websocket|server-sent-events/);
  });
  await t.step("the SDK in Deno, trusting the root by DENO_CERT", async () => {
    const args = ["run", "--quiet", "--no-config", "--allow-net", program, rest];
    check(await run(Deno.execPath(), args, { DENO_CERT: ca }), /^websocket$/);
  });
}

/** Ends the app's processes at a site. */
async function killInstance(admin: RestUser, platform: Platform, site: string): Promise<void> {
  for (const instance of await admin.ctrl("ShowAppInst", { appinst: {} })) {
    const key = JSON.stringify(instance.key);
    if (!key.includes(`"${site}"`) || !key.includes('"scoreboard"')) continue;
    const { container_ids = [] } = (instance.runtime_info ?? {}) as { container_ids?: string[] };
    for (const id of container_ids) {
      const pid = Number(/\d+/.exec(id)?.[0]);
      if (processesWith(platform.data).has(pid)) await killOutright(pid);
    }
  }
}

async function inBrowser(t: Deno.TestContext, platform: Platform, module: string): Promise<void> {
  const info = platform.info();
  const { rest } = info.regions.local!.dme;
  const handler = exampleHandler({ page: `${repository()}/sdk/device/example`, module });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, handler, onListen: () => {} });
  await using page = await startBrowser([await keyHash(rest, await Deno.readTextFile(info.ca))]);
  const url = `http://localhost:${server.addr.port}/`;
  const admin = await loginAsAdmin(info);
  const shown = (id: string) => page.evaluate<string>(`document.getElementById("${id}").textContent`);
  const until = (what: string, id: string, pattern: RegExp) =>
    eventually(what, async () => {
      const text = await shown(id);
      if (!pattern.test(text)) throw new Error(`${text}; ${await shown("status")}; ${await shown("events")}`);
      return text;
    }, 60_000);
  const begin = async (before?: string) => {
    await page.open(url, before);
    await page.evaluate(`document.getElementById("dme").value = ${JSON.stringify(rest)}`);
    await page.evaluate(`document.getElementById("find").click()`);
    await until("the instance in Berlin", "fqdn", /berlin/);
  };
  const go = (city: string) => page.evaluate(`goTo(${JSON.stringify(city)})`);
  const GO_TO = `globalThis.goTo = (city) => {
    const place = document.getElementById("place");
    place.value = [...place.options].find(({ text }) => text === city).value;
    place.dispatchEvent(new Event("change"));
  }`;
  try {
    await t.step("a page finds its back-end, talks to it, measures it, and moves to a closer one", async () => {
      await begin(GO_TO);
      await until("the back-end's answer", "answer", /"cloudlet":"[^"]*Berlin"/);
      await until("the stream", "stream", /open, by websocket/);
      await page.evaluate(`document.getElementById("measure").click()`);
      await until("the latency", "latency", /^[\d.]+ ms$/);
      await until("the region's statistics", "events", /The region counts 3 samples/);
      await go("Paris");
      await until("the instance in Paris", "fqdn", /paris/);
      await until("the reason", "events", /\(closer\)/);
      await until("the answer of the other one", "answer", /"cloudlet":"[^"]*Paris"/);
    });
    await t.step("it is told that its instance died, and where to go", async () => {
      await until("the stream to it", "stream", /^open/);
      // Killed again only now and then: one that never lives has no health that could change.
      await eventually("the word of the instance's death", async () => {
        await killInstance(admin, platform, "Paris");
        const told = async () => /Health of the instance: ServerFail/.test(await shown("events")) || undefined;
        return await eventually("the page to be told", told, 8_000).catch(() => undefined);
      });
      await until("the reason", "events", /\(health\)/);
      // The instance is restarted by its site, and the page is called back.
      await until("the way back", "fqdn", /paris/);
    });
    await t.step("it goes on when the matching engine is killed and started again", async () => {
      await killOutright(platform.pid("dme"));
      await until("the loss", "events", /The stream is lost/);
      await until("the new stream", "stream", /^open/);
      await screenshot(page);
    });
    await t.step("a page without WebSockets does the same by server-sent events", async () => {
      await begin(`${GO_TO}; delete globalThis.WebSocket;`);
      await until("the stream", "stream", /open, by server-sent-events/);
      await go("Paris");
      await until("the instance in Paris", "fqdn", /paris/);
      await page.evaluate(`document.getElementById("leave").click()`);
      await until("the goodbye", "stream", /^closed$/);
    });
  } finally {
    admin.close();
  }
}

/** Keeps what the page looks like where a folder for it is named. */
async function screenshot(page: Page): Promise<void> {
  const folder = Deno.env.get("ARCHIPELAGO_SCREENSHOTS");
  if (folder !== undefined) await Deno.writeFile(`${folder}/device.png`, await page.screenshot());
}

Deno.test("devices of all kinds are served by up --demo", { ignore }, async (t) => {
  const platform = await startPlatform(["--demo"]);
  const folder = await Deno.makeTempDir({ prefix: "device-clients-" });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, `{"type":"module"}`);
    const module = await buildDeviceSdk({ source: repository(), out: folder });
    await curl(t, platform);
    await stockGrpc(t, platform, folder);
    await sdkPrograms(t, platform, folder);
    await inBrowser(t, platform, module);
  } finally {
    await Deno.remove(folder, { recursive: true });
    assert.equal((await platform.stop()).code, 0);
  }
});
