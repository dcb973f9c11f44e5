import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type CertificateAuthority, createCa, type Identity, writeCertificate } from "../../../shared/identity/mod.ts";
import { createNotifyClient, type HubView, roundRobin } from "../../../shared/notify/mod.ts";
import { createChannel, createClient, HealthService, RpcError, Status } from "../../../shared/rpc/mod.ts";
import { environmentOf, systemClock, systemFiles, systemRandom } from "../../../shared/runtime/mod.ts";
import { CloudletKind, Flavor, FlavorApi } from "../../../shared/schema/mod.ts";
import { openSecrets } from "../../../shared/secrets/mod.ts";
import { all, flavor, PATIENCE_MS, until } from "./testing/world.ts";

const files = systemFiles();
const clock = systemClock();
const random = systemRandom();
const SITE = { organization: "Bayline Inc.", name: "Edge" };
const decoder = new TextDecoder();

/** A region's folder with certificates, and controllers that run in it as they will: in their own permission set. */
class Site implements AsyncDisposable {
  readonly folder: string;
  readonly ca: CertificateAuthority;
  readonly #processes: Deno.ChildProcess[] = [];

  static async make(): Promise<Site> {
    const folder = await Deno.makeTempDir();
    const environment = environmentOf({});
    const secrets = await openSecrets(`file:${folder}/secrets`, { files, clock, random, environment });
    const site = new Site(folder, await createCa({ secrets, clock, random }));
    const issued = await site.ca.issue({ identity: { tier: "regional", region: "eu", service: "controller" } });
    await writeCertificate(`${folder}/tls`, issued, { files });
    return site;
  }

  private constructor(folder: string, ca: CertificateAuthority) {
    this.folder = folder;
    this.ca = ca;
  }

  /** Starts a controller; the process, and what it says. */
  spawn(
    args: readonly string[],
  ): { process: Deno.ChildProcess; said: { text: string }; ended: Promise<Deno.CommandStatus> } {
    const main = new URL("./main.ts", import.meta.url).pathname;
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-check", `--config=${config}`, "-P=controller"],
        ...[`--allow-read=${this.folder}`, `--allow-write=${this.folder}`, main],
        ...["--log-format", "json", ...args],
      ],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#processes.push(process);
    const said = { text: "" };
    const reading = (async () => {
      for await (const chunk of process.stderr) said.text += decoder.decode(chunk, { stream: true });
    })();
    return { process, said, ended: reading.then(() => process.status) };
  }

  /** Starts a controller and waits until it is ready. */
  async start() {
    const running = this.spawn([
      ...["--store", `sqlite:${this.folder}/store.db`, "--tls-dir", `${this.folder}/tls`],
      ...["--api-addr", "127.0.0.1:0", "--notify-addr", "127.0.0.1:0", "--controller-id", "one", "--region", "eu"],
    ]);
    const ready = await until(() => {
      const line = running.said.text.split("\n").find((text) => text.includes('"message":"ready"'));
      if (line === undefined) return undefined;
      return JSON.parse(line) as { admin: string; addresses: { grpc: string; notify: string } };
    }, `the controller is ready: ${running.said.text}`);
    return { ...running, ...ready };
  }

  /** What a service of this identity connects with. */
  async tls(identity: Identity) {
    const { certPem, keyPem, caPem } = await this.ca.issue({ identity });
    return { cert: certPem, key: keyPem, ca: caPem };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await process.status;
    }
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("controller process: admits by certificate, serves, and drains on SIGTERM", async () => {
  await using site = await Site.make();
  const { process, addresses, admin, ended } = await site.start();
  const listFlavors = async (address: string, tls?: { ca: string; cert?: string; key?: string }) => {
    const channel = createChannel({ address, tls });
    try {
      return await all(createClient(FlavorApi, channel).showFlavor(Flavor.create(), { timeoutMs: PATIENCE_MS }));
    } finally {
      channel.close();
    }
  };
  const master = await site.tls({ tier: "global", service: "master-controller" });
  const channel = createChannel({ address: addresses.grpc, tls: master });
  await createClient(FlavorApi, channel).createFlavor(flavor());
  const health = await createClient(HealthService, channel).check({ service: "" });
  assert.equal(health.status, 1);
  channel.close();
  assert.equal((await listFlavors(addresses.grpc, master)).length, 1);
  const dme = await site.tls({ tier: "regional", region: "eu", service: "dme" });
  assert.equal((await listFlavors(addresses.grpc, dme)).length, 1);

  const strangers: Identity[] = [
    { tier: "global", service: "other" },
    { tier: "regional", region: "us", service: "dme" },
    { tier: "cloudlet", region: "eu", cloudlet: SITE, service: "crm" },
  ];
  for (const identity of strangers) {
    await assert.rejects(
      listFlavors(addresses.grpc, await site.tls(identity)),
      (error) => error instanceof RpcError && error.code === Status.PERMISSION_DENIED,
    );
  }
  await assert.rejects(listFlavors(addresses.grpc, { ca: master.ca }), RpcError);
  await assert.rejects(listFlavors(addresses.grpc), RpcError);

  const metrics = await (await fetch(`${admin}/metrics`)).text();
  assert.match(metrics, /controller_objects\{kind="Flavor"\} 1/);
  process.kill("SIGTERM");
  assert.equal((await ended).code, 0);
});

Deno.test("controller process: a site sees its cloudlet, and nobody passes for one", async () => {
  await using site = await Site.make();
  const { addresses, admin } = await site.start();
  const child = async (identity: Identity, service: string, cloudlet: string) => {
    const tls = await site.tls(identity);
    return createNotifyClient({
      service,
      region: "eu",
      cloudlet,
      wants: ["Cloudlet"],
      connect: roundRobin([addresses.notify], () => ({ tls })),
      backoff: { initialMs: 10, maxMs: 50 },
    });
  };
  const crm: Identity = { tier: "cloudlet", region: "eu", cloudlet: SITE, service: "crm" };
  const key = CloudletKind.keyString({ ...SITE, federatedOrganization: "" });
  const good = await child(crm, "crm", key);
  good.start();
  await good.whenInStep();
  const view = await (await fetch(`${admin}/notify`)).json() as HubView;
  assert.deepEqual(view.streams.map(({ service, cloudlet, inStep, lag }) => [service, cloudlet, inStep, lag]), [
    ["crm", key, true, 0],
  ]);
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  const shown = (name: string) =>
    Number(new RegExp(`^controller_notify_${name}\\{service="crm"\\} (\\d+)$`, "m").exec(metrics)?.[1]);
  assert.deepEqual(["streams", "lag", "queued", "connects_total", "dropped_messages_total"].map(shown), [
    1,
    0,
    0,
    1,
    0,
  ]);
  // It owns nothing, so it has sent nothing but its hello.
  assert.ok(shown("sent_bytes_total") > 0 && shown("received_bytes_total") === 0);
  await good.stop();
  const other = CloudletKind.keyString({ ...SITE, name: "Other", federatedOrganization: "" });
  const cases: [Identity, string, string, RegExp][] = [
    [crm, "crm", other, /certificate is of cloudlet/],
    [{ tier: "regional", region: "us", service: "dme" }, "dme", "", /./],
    [{ tier: "regional", region: "eu", service: "dme" }, "crm", key, /certificate is of service dme/],
  ];
  for (const [identity, service, cloudlet, reason] of cases) {
    const bad = await child(identity, service, cloudlet);
    bad.start();
    const lastError = await until(() => bad.info().lastError, "the stream is refused");
    assert.match(lastError, reason);
    assert.notEqual(bad.state(), "inStep");
    await bad.stop();
  }
});

Deno.test("controller process: what it cannot start with is one clear line, and nothing is changed", async () => {
  await using site = await Site.make();
  const { folder } = site;
  const good = { store: `sqlite:${folder}/store.db`, tls: `${folder}/tls`, api: "127.0.0.1:0", region: "eu" };
  const start = async (options: { store?: string; tls?: string; api?: string; region?: string; more?: string[] }) => {
    const { store, tls, api, region } = { ...good, ...options };
    const { said, ended } = site.spawn([
      ...["--store", store, "--tls-dir", tls, "--api-addr", api, "--notify-addr", "127.0.0.1:0", "--region", region],
      ...options.more ?? [],
    ]);
    const { code } = await ended;
    const complaints = said.text.split("\n").filter((line) => line.startsWith("controller:"));
    return { code, complaint: complaints.join("\n"), said: said.text };
  };
  const running = await site.start();
  const cases: [Parameters<typeof start>[0], number, RegExp][] = [
    [{ more: ["--stor", "x"] }, 2, /--stor.*--store/],
    [{ store: "mongo:x" }, 2, /--store/],
    [{ tls: `${folder}/none` }, 1, /none/],
    [{}, 1, /store\.db is in use by another process/],
    [{ store: `sqlite:${folder}/none/store.db` }, 1, /none\/store\.db/],
    [{ store: `sqlite:${folder}/a.db`, more: ["--app-dns-root", "example.org"] }, 1, /example\.org.*localhost/],
    [{ store: `sqlite:${folder}/b.db`, more: ["--dns", "route53:"] }, 1, /route53/],
    [{ store: `sqlite:${folder}/c.db`, api: running.addresses.grpc }, 1, /in use/i],
  ];
  for (const [options, code, complaint] of cases) {
    const outcome = await start(options);
    assert.equal(outcome.code, code, outcome.said);
    assert.match(outcome.complaint, complaint, outcome.said);
    assert.equal(outcome.complaint.split("\n").length, 1, outcome.said);
  }
  running.process.kill("SIGTERM");
  assert.equal((await running.ended).code, 0);
  assert.match((await start({ region: "us" })).complaint, /belongs to region eu/);
  const later = new DatabaseSync(`${folder}/store.db`);
  later.exec("PRAGMA user_version = 9");
  later.close();
  assert.match((await start({})).complaint, /version 9.*newer release/);
});
