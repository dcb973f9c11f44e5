// A matching engine on a cloudlet: it starts with the cloudlet's access key alone, answers devices like the region's, is
// told nothing but what devices are told by, has cookies of its own, and ends with the key.
import assert from "node:assert/strict";
import { parseCertificate } from "../../shared/identity/mod.ts";
import { createNotifyClient, roundRobin } from "../../shared/notify/mod.ts";
import { type Channel, createChannel, createClient, RpcError, Status } from "../../shared/rpc/mod.ts";
import {
  App,
  AppApi,
  AppInst,
  AppInstApi,
  AppKind,
  Cloudlet,
  CloudletApi,
  CloudletKeyApi,
  CloudletKind,
  ClusterInst,
  ClusterInstApi,
  dme,
  FlavorApi,
  IpAccess,
  PlatformType,
} from "../../shared/schema/mod.ts";
import { agentOf } from "../../tools/bundle/agents.ts";
import { crmService } from "../../tiers/cloudlet/crm/service.ts";
import { controllerService } from "../../tiers/regional/controller/service.ts";
import { dmeService } from "../../tiers/regional/dme/service.ts";
import { flavors } from "../../tiers/regional/controller/testing/fixture/mod.ts";
import { type Ground, onGround, REGION, startWatched, until, type Watched } from "./support.ts";

const BERLIN = { organization: "Acme Corp", name: "berlin", federatedOrganization: "" };
const SCOPE = CloudletKind.keyString(BERLIN);
const DOMAIN = `berlin-acmecorp.${REGION}.archipelago.localhost`;
const APP = { organization: "AtlasWorks", name: "Web", version: "1" };
const CLUSTER = { clusterKey: { name: "alpha" }, cloudletKey: BERLIN, organization: APP.organization };
const HERE = { latitude: 52.5, longitude: 13.4 };

/** Reads a stream to its end. */
async function through(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) { /* read on */ }
}

async function refusal(call: Promise<unknown>): Promise<RpcError> {
  const error = await call.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof RpcError, String(error));
  return error;
}

async function startController(ground: Ground, extra: readonly string[]): Promise<Watched> {
  const identity = { tier: "regional", region: REGION, service: "controller" } as const;
  return await startWatched(controllerService, [
    `--region=${REGION}`,
    `--store=sqlite:${ground.folder}/store.db`,
    `--tls-dir=${await ground.certificateFolder("controller", identity)}`,
    `--public-tls-dir=${await ground.publicFolder("public")}`,
    `--secrets=${ground.secrets}`,
    "--image-check=off",
    "--api-addr=127.0.0.1:0",
    "--notify-addr=127.0.0.1:0",
    "--access-api-addr=127.0.0.1:0",
    ...extra,
  ]);
}

async function apiChannel(ground: Ground, controller: Watched): Promise<Channel> {
  const own = await ground.ca.issue({ identity: { tier: "global", service: "master-controller" } });
  return createChannel({
    address: controller.addresses["grpc"]!,
    tls: { ca: own.caPem, cert: own.certPem, key: own.keyPem },
  });
}

/** Begins to make the cloudlet; it is done when its site has come. */
async function beginCloudlet(api: Channel): Promise<{ made: Promise<void> }> {
  const cloudlets = createClient(CloudletApi, api);
  const made = through(cloudlets.createCloudlet(Cloudlet.create({
    key: BERLIN,
    location: HERE,
    numDynamicIps: 5,
    platformType: PlatformType.PLATFORM_TYPE_FAKE,
  })));
  made.catch(() => {});
  await until("the cloudlet", async () => {
    for await (const _ of cloudlets.showCloudlet(Cloudlet.create({ key: BERLIN }))) return true;
    return false;
  });
  return { made };
}

/** What both services of the site are told. */
async function siteArgs(ground: Ground, controller: Watched, api: Channel): Promise<string[]> {
  const { message } = await createClient(CloudletKeyApi, api).generateAccessKey(BERLIN);
  await Deno.writeTextFile(`${ground.folder}/berlin.pem`, message);
  await Deno.writeTextFile(`${ground.folder}/root.pem`, ground.ca.rootPem);
  return [
    `--region=${REGION}`,
    `--notify-addrs=${controller.addresses["notify"]}`,
    `--access-api-addr=${controller.addresses["access"]}`,
    `--access-key-file=${ground.folder}/berlin.pem`,
    `--access-ca=${ground.folder}/root.pem`,
  ];
}

const startCrm = (ground: Ground, site: readonly string[]) =>
  startWatched(crmService, [
    ...site,
    `--cloudlet=${BERLIN.organization}/${BERLIN.name}`,
    `--tls-dir=${ground.folder}/crm/tls`,
    `--data-dir=${ground.folder}/crm`,
  ]);

/** @param folder that gets its certificates */
const engineArgs = (site: readonly string[], folder: string) => [
  ...site,
  `--cloudlet=${BERLIN.name}`,
  `--cloudlet-org=${BERLIN.organization}`,
  "--access-check=200ms",
  `--public-name=dme.${DOMAIN}`,
  `--public-tls-dir=${folder}/public-tls`,
  `--tls-dir=${folder}/tls`,
  "--api-addr=127.0.0.1:0",
  "--http-addr=127.0.0.1:0",
];

const startEngine = (ground: Ground, site: readonly string[]) =>
  startWatched(dmeService, engineArgs(site, `${ground.folder}/engine`));

/** A second engine of the cloudlet, as a process with the permissions of what is shipped. */
function startShipped(ground: Ground, site: readonly string[]) {
  const folder = `${ground.folder}/shipped`;
  const { main, permissions } = agentOf("dme");
  const flags = permissions.map((flag) =>
    flag.replace("$TLS", `${folder}/tls`).replace("$PUBLIC", `${folder}/public-tls`)
  );
  const root = new URL("../../", import.meta.url).pathname;
  const admin = "--admin-addr=127.0.0.1:0";
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...flags, `${root}${main}`, ...engineArgs(site, folder), admin],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) text += part;
  });
  return {
    said: () => text,
    async ended() {
      const { code } = await child.status;
      await Promise.all(reading);
      return code;
    },
    kill() {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
    },
  };
}

async function startRegionalEngine(ground: Ground, controller: Watched): Promise<Watched> {
  return await startWatched(dmeService, [
    `--region=${REGION}`,
    `--notify-addrs=${controller.addresses["notify"]}`,
    `--tls-dir=${await ground.certificateFolder("dme", { tier: "regional", region: REGION, service: "dme" })}`,
    `--public-tls-dir=${await ground.publicFolder("dme-public")}`,
    `--secrets=${ground.secrets}`,
    "--api-addr=127.0.0.1:0",
    "--http-addr=127.0.0.1:0",
  ]);
}

async function deploy(api: Channel): Promise<void> {
  await createClient(FlavorApi, api).createFlavor(flavors.F0);
  const cluster = { key: CLUSTER, flavor: flavors.F0.key, numMasters: 1, numNodes: 1 };
  await through(
    createClient(ClusterInstApi, api).createClusterInst(
      ClusterInst.create({ ...cluster, ipAccess: IpAccess.IP_ACCESS_DEDICATED }),
    ),
  );
  await createClient(AppApi, api).createApp(App.create({
    key: APP,
    defaultFlavor: flavors.F0.key,
    accessPorts: "tcp:8080",
    deployment: "kubernetes",
    imagePath: "docker.io/web:1",
    command: "serve --token s3cret",
  }));
  await through(
    createClient(AppInstApi, api).createAppInst(AppInst.create({
      key: { appKey: APP, clusterInstKey: CLUSTER },
    })),
  );
}

/** A device: registers and finds, by the certificate's name. */
function device(ground: Ground, engine: Watched, serverName: string) {
  const channel = createChannel({
    address: engine.addresses["grpc"]!,
    tls: { ca: ground.ca.rootPem, serverName },
  });
  const calls = createClient(dme.MatchEngineApi, channel, { timeoutMs: 30_000 });
  return {
    calls,
    close: () => channel.close(),
    register: async () =>
      (await calls.registerClient(dme.RegisterClientRequest.create({
        orgName: APP.organization,
        appName: APP.name,
        appVers: APP.version,
      }))).sessionCookie,
    find: (sessionCookie: string) =>
      calls.findCloudlet(dme.FindCloudletRequest.create({ sessionCookie, gpsLocation: HERE })),
  };
}

/** What somebody sees who has taken the engine's certificate. */
async function looksByEngineCertificate(ground: Ground, controller: Watched): Promise<void> {
  const read = (name: string) => Deno.readTextFile(`${ground.folder}/engine/tls/${name}.pem`);
  const [cert, key, ca] = [await read("cert"), await read("key"), await read("ca")];
  const child = (kind: string) =>
    createNotifyClient({
      service: "dme",
      region: REGION,
      cloudlet: SCOPE,
      instance: `thief of ${kind}`,
      wants: [kind],
      connect: roundRobin([controller.addresses["notify"]!], () => ({ tls: { ca, cert, key, verifyPeer: () => {} } })),
      backoff: { initialMs: 50 },
    });
  const [views, wholes] = [child("App@site-dme"), child("App")];
  views.start();
  wholes.start();
  try {
    await until("the apps", () => views.state() === "inStep");
    const bytes = views.replica("App@site-dme").get(AppKind.keyString(APP))!;
    const seen = AppKind.message.decode(bytes);
    assert.deepEqual([seen.key, seen.accessPorts, seen.command], [APP, "tcp:8080", ""]);
    assert.ok(!new TextDecoder().decode(bytes).includes("s3cret"));
    await until("the refusal", () => wholes.info().lastError !== undefined);
    assert.match(String(wholes.info().lastError), /App/);
    assert.notEqual(wholes.state(), "inStep");
  } finally {
    await views.stop();
    await wholes.stop();
  }
}

Deno.test({
  name:
    "a matching engine of a cloudlet serves devices by its access key, with cookies of its own, until that is revoked",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    onGround(async (ground) => {
      const controller = await startController(ground, ["--cloudlet-dmes"]);
      const api = await apiChannel(ground, controller);
      const running: Watched[] = [controller];
      let shipped: ReturnType<typeof startShipped> | undefined;
      try {
        const { made } = await beginCloudlet(api);
        const site = await siteArgs(ground, controller, api);
        // The engine waits for the resource manager to exchange the key that both have.
        const starting = startEngine(ground, site);
        const crm = await startCrm(ground, site);
        running.unshift(crm);
        const engine = await starting;
        running.unshift(engine);
        const exchanged = await Deno.readTextFile(`${ground.folder}/berlin.pem`);
        await made;
        await deploy(api);
        const regional = await startRegionalEngine(ground, controller);
        running.unshift(regional);
        await Promise.all([engine.ready, regional.ready]);

        const { identity } = parseCertificate(await Deno.readTextFile(`${ground.folder}/engine/tls/cert.pem`));
        assert.deepEqual(identity, {
          tier: "cloudlet",
          region: REGION,
          cloudlet: { organization: BERLIN.organization, name: BERLIN.name },
          service: "dme",
        });

        await looksByEngineCertificate(ground, controller);
        shipped = startShipped(ground, site);
        await until("the shipped engine", () => /"message":"ready"/.test(shipped!.said()));

        const there = device(ground, engine, `dme.${DOMAIN}`);
        const above = device(ground, regional, "localhost");
        const [siteCookie, regionCookie] = [await there.register(), await above.register()];
        const found = await there.find(siteCookie);
        assert.equal(found.status, dme.FindCloudletReply_FindStatus.FIND_FOUND);
        assert.deepEqual([found.fqdn, found.ports.length], [(await above.find(regionCookie)).fqdn, 1]);
        // Whoever has the keys of a site can forge nothing for the region, nor are its devices known there.
        assert.equal((await refusal(above.find(siteCookie))).code, Status.UNAUTHENTICATED);
        assert.equal((await refusal(there.find(regionCookie))).code, Status.UNAUTHENTICATED);

        const told: dme.ServerEdgeEvent[] = [];
        const end = Promise.withResolvers<void>();
        const events = async function* () {
          yield dme.ClientEdgeEvent.create({
            eventType: dme.ClientEdgeEvent_ClientEventType.EVENT_INIT_CONNECTION,
            sessionCookie: siteCookie,
            edgeEventsCookie: found.edgeEventsCookie,
          });
          await end.promise;
        };
        const following = (async () => {
          for await (const event of there.calls.streamEdgeEvent(events(), { timeoutMs: 120_000 })) told.push(event);
        })().catch((error) => error);
        const { EVENT_INIT_CONNECTION } = dme.ServerEdgeEvent_ServerEventType;
        await until("the stream", () => told[0]?.eventType === EVENT_INIT_CONNECTION);
        await through(
          createClient(AppInstApi, api).deleteAppInst(
            AppInst.create({ key: { appKey: APP, clusterInstKey: CLUSTER } }),
          ),
        );
        await until("the word that the instance is gone", () => told.length > 1);

        await createClient(CloudletKeyApi, api).revokeAccessKey(BERLIN);
        assert.match((await engine.failed).message, /access key is refused/);
        await engine.stop();
        assert.notEqual(await shipped.ended(), 0, shipped.said());
        assert.match(shipped.said(), /access key is refused/);
        end.resolve();
        await following;
        assert.equal((await refusal(there.register())).code, Status.UNAVAILABLE);
        there.close();
        above.close();
        assert.equal(await Deno.readTextFile(`${ground.folder}/berlin.pem`), exchanged);
        const logged = JSON.stringify([...controller.records, ...engine.records]);
        assert.ok(!/PRIVATE KEY|eyJhbGci/.test(logged));
      } finally {
        shipped?.kill();
        for (const service of running) await service.stop();
        api.close();
      }
    }),
});

Deno.test("a region that wants no matching engines of cloudlets gives them neither certificate nor stream", () =>
  onGround(async (ground) => {
    const controller = await startController(ground, []);
    const api = await apiChannel(ground, controller);
    try {
      const { made } = await beginCloudlet(api);
      const site = await siteArgs(ground, controller, api);
      const crm = await startCrm(ground, site);
      await made;
      await assert.rejects(startEngine(ground, site), /serves no matching engines of cloudlets.*--cloudlet-dmes/);
      await crm.stop();
    } finally {
      api.close();
      await controller.stop();
    }
  }));
