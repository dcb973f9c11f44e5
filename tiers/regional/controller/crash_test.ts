import assert from "node:assert/strict";
import { createChannel } from "../../../shared/rpc/mod.ts";
import { AppInst, AppInstKind, CloudletInfo, CRMOverride, dme, TrackedState } from "../../../shared/schema/mod.ts";
import { openStore } from "../../../shared/store/mod.ts";
import { FakeSite } from "./testing/fake_site.ts";
import { all, apiClients, app, cloudlet, flavor, instance, lines, until } from "./testing/world.ts";

const S = TrackedState;

/** A controller that can be killed and started again on the same store and ports, with a site that stays. */
class Region implements AsyncDisposable {
  readonly site: FakeSite;
  readonly url: string;
  readonly #ports: readonly [number, number];
  readonly #folder: string;
  #process: Deno.ChildProcess | undefined;
  #channel = createChannel({ address: "127.0.0.1:1" });

  static async start(): Promise<Region> {
    const listeners = [0, 0].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    const ports = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
    for (const listener of listeners) listener.close();
    const region = new Region(await Deno.makeTempDir(), [ports[0]!, ports[1]!]);
    await region.start();
    return region;
  }

  private constructor(folder: string, ports: readonly [number, number]) {
    this.#folder = folder;
    this.#ports = ports;
    this.url = `sqlite:${folder}/store.db`;
    this.site = new FakeSite(`127.0.0.1:${ports[1]}`, "eu", { organization: "Bayline Inc.", name: "Edge" });
  }

  get api() {
    return apiClients(this.#channel);
  }

  async start(): Promise<void> {
    const script = new URL("./testing/controller_process.ts", import.meta.url).pathname;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, this.url, ...this.#ports.map(String)],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = this.#process.stdout.getReader();
    assert.match(new TextDecoder().decode((await reader.read()).value), /ready/);
    await reader.cancel();
    this.#channel = createChannel({ address: `127.0.0.1:${this.#ports[0]}` });
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
    this.#channel.close();
  }

  async furnish(): Promise<void> {
    await this.api.flavors.createFlavor(flavor());
    this.site.start().ready();
    await lines(this.api.cloudlets.createCloudlet(cloudlet()));
    await this.api.apps.createApp(app());
  }

  /** Started again, and the site has come back to it: until then it counts as offline, and nothing is asked of it. */
  async restart(): Promise<void> {
    await this.start();
    await this.site.client.whenInStep();
    await until(async () => {
      const [info] = await all(this.api.cloudletInfos.showCloudletInfo(CloudletInfo.create()));
      return info?.state === dme.CloudletState.CLOUDLET_STATE_READY;
    }, "the site is ready");
  }

  async instances(): Promise<AppInst[]> {
    return await all(this.api.instances.showAppInst(AppInst.create()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site.stop();
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

Deno.test("controller: killed while a site works, it takes up what the site says when it is back", async () => {
  await using region = await Region.start();
  await region.furnish();
  const { site } = region;
  site.behaviour = { create: () => "working", remove: () => "working" };
  const creating = assert.rejects(lines(region.api.instances.createAppInst(instance())));
  const key = await until(() => site.instances[0], "the site has the instance");
  await region.kill();
  await creating;
  site.reportInstance(key, S.READY);
  await region.start();
  await until(async () => (await region.instances())[0]?.state === S.READY, "the instance is ready");

  const deleting = assert.rejects(lines(region.api.instances.deleteAppInst(instance())));
  await until(async () => (await region.instances())[0]?.state === S.DELETING, "the site is deleting");
  await region.kill();
  await deleting;
  site.reportInstance(key, S.DELETE_DONE);
  await region.start();
  await until(async () => (await region.instances()).length === 0, "the instance is gone");
});

Deno.test("controller: killed before the site answers, it goes on waiting when it is back, and gives way to force", async () => {
  await using region = await Region.start();
  await region.furnish();
  region.site.behaviour = { create: () => "silent" };
  const creating = assert.rejects(lines(region.api.instances.createAppInst(instance())));
  await until(() => region.site.instances[0], "the site has the instance");
  await region.kill();
  await creating;
  await region.restart();
  region.site.behaviour = {};
  assert.equal((await region.instances())[0]!.state, S.CREATE_REQUESTED);
  await assert.rejects(lines(region.api.instances.deleteAppInst(instance())), /already in progress/);
  const forced = AppInst.create({ ...instance(), crmOverride: CRMOverride.IGNORE_TRANSIENT_STATE });
  await lines(region.api.instances.deleteAppInst(forced));
  await lines(region.api.instances.createAppInst(instance()));
});

Deno.test("controller: killed at any moment, nothing is stuck, lost or left over", async () => {
  await using region = await Region.start();
  await region.furnish();
  const versions = ["1.0", "2.0", "3.0"];
  for (const version of versions.slice(1)) {
    await region.api.apps.createApp(app({ key: { organization: "AtlasWorks", name: "Echo", version } }));
  }
  const wanted = versions.map((version) => instance({ appKey: { organization: "AtlasWorks", name: "Echo", version } }));
  for (let round = 0; round < 5; round++) {
    let stopped = false;
    const working = wanted.map(async (one) => {
      while (!stopped) {
        await lines(region.api.instances.createAppInst(one)).catch(() => {});
        await lines(region.api.instances.deleteAppInst(one)).catch(() => {});
      }
    });
    // Killed in the middle of whatever it is doing; a little later each time.
    await new Promise((resolve) => setTimeout(resolve, 40 + 37 * round));
    stopped = true;
    await region.kill();
    await Promise.all(working);
    await region.restart();
    await until(
      async () => (await region.instances()).every(({ state }) => state === S.READY),
      "every instance is ready or gone",
    );
    for (const one of await region.instances()) await lines(region.api.instances.deleteAppInst(one));
  }
  for (const one of wanted) await lines(region.api.instances.createAppInst(one));
  await region.kill();

  const store = await openStore(region.url);
  const keys = async (prefix: string) => (await store.scan(prefix)).entries.map(({ key }) => key.slice(prefix.length));
  assert.equal((await keys(AppInstKind.storePrefix)).length, versions.length);
  assert.equal((await keys("/v1/AppInstId/")).length, versions.length);
  assert.equal((await keys("/v1/CloudletObjectDnsLabel/")).length, versions.length);
  assert.deepEqual(await keys("/v1/Operation/"), []);
  const refs = (await store.scan("/v1/CloudletPorts/")).entries[0]!;
  const { ports } = JSON.parse(new TextDecoder().decode(refs.value));
  assert.equal(Object.keys(ports).length, versions.length);
  await store.close();
});
