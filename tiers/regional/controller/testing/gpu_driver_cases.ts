import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { seededRandom, systemClock, systemFiles } from "../../../../shared/runtime/mod.ts";
import {
  CloudletKey,
  CloudletKind,
  type DeepPartial,
  GPUDriver,
  type GPUDriverBuild,
  GPUDriverBuildMember,
  GPUDriverKey,
  GPUDriverKind,
  OSType,
} from "../../../../shared/schema/mod.ts";
import { type Store, transaction } from "../../../../shared/store/mod.ts";
import { md5 } from "../drivers/builds.ts";
import { fetchFrom, folderFiles } from "../drivers/mod.ts";
import { debFile } from "../drivers/testing/deb_file.ts";
import { SourceHosts, SourceReader } from "../sources/mod.ts";
import { encodeObject } from "../state/rows.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, cloudlet, lines, World } from "./world.ts";

const KEY = { organization: "Bayline Inc.", name: "nvidia" };
const KERNEL = "5.4.0-135-generic";

/** A world with a host that has files, and a folder for files of drivers. */
async function start(store: Store) {
  const folder = await Deno.makeTempDir();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const host = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const data = files.get(new URL(request.url).pathname);
    const known = request.headers.get("authorization") === `Basic ${btoa("user:hunter2")}`;
    return !known
      ? new Response(null, { status: 401 })
      : data
      ? new Response(data)
      : new Response(null, { status: 404 });
  });
  const at = `http://127.0.0.1:${host.addr.port}`;
  const { driverFiles, serve } = await folderFiles({
    folder: `${folder}/drivers`,
    files: systemFiles(),
    clock: systemClock(),
    random: seededRandom(1),
    fetch: fetchFrom(new SourceReader(SourceHosts.parse(at)!, fetch)),
    baseUrl: () => "http://region/driver-files",
  });
  const world = await World.start({ store, secrets: `${folder}/secrets`, parts: { driverFiles } });
  return {
    world,
    at,
    files,
    serve,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await host.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function driver(more: DeepPartial<GPUDriver> = {}): GPUDriver {
  return GPUDriver.create({ key: KEY, ...more });
}

/** Rules about GPU drivers. */
export const gpuDriverCases: ApiCase[] = [
  {
    name: "GPU drivers: files are fetched with credentials, checked by sum and kernel, kept and handed out",
    async run(store) {
      await using place = await start(store);
      const { world, at, files, serve } = place;
      const { gpuDrivers } = world.api;
      const good = await debFile(`Package: gpu\nDepends: linux-image-${KERNEL}\n`, ".gz");
      files.set("/good.deb", good);
      files.set("/other.deb", await debFile("Package: gpu\nDepends: linux-image-4.4.0\n", ".gz"));
      files.set("/setup.exe", new TextEncoder().encode("MZ"));
      const build = (more: DeepPartial<GPUDriverBuild> = {}): DeepPartial<GPUDriverBuild> => ({
        name: "linux",
        driverPath: `${at}/good.deb`,
        driverPathCreds: "user:hunter2",
        kernelVersion: KERNEL,
        md5sum: md5(good),
        ...more,
      });
      const create = (...builds: DeepPartial<GPUDriverBuild>[]) =>
        lines(gpuDrivers.createGPUDriver(driver({ builds })));

      const error = await refused(
        create(
          build({ name: "license.conf", md5sum: "12", driverPath: "file:///etc/passwd", driverPathCreds: "user" }),
          build({ kernelVersion: "", driverPath: `${at}/setup.exe` }),
          build(),
        ),
        Status.INVALID_ARGUMENT,
        /builds\[0\]\.name.*reserved/,
      );
      for (
        const part of [
          /builds\[0\]\.driver_path.*http or https/,
          /builds\[0\]\.md5sum/,
          /builds\[0\]\.driver_path_creds/,
          /builds\[1\]\.kernel_version.*required/,
          /builds\[1\]\.driver_path.*\.deb/,
          /builds\[2\]\.name.*twice/,
        ]
      ) assert.match(error.message, part);
      assert.doesNotMatch(error.message, /hunter2/);

      const precondition = Status.FAILED_PRECONDITION;
      await refused(create(build({ driverPathCreds: "" })), precondition, /cannot be fetched.*401/);
      await refused(create(build({ driverPath: "http://127.0.0.1:1/x.deb" })), precondition, /not among the hosts/);
      await refused(create(build({ md5sum: "0".repeat(32) })), precondition, /has the MD5 sum/);
      const other = md5(files.get("/other.deb")!);
      await refused(create(build({ driverPath: `${at}/other.deb`, md5sum: other })), precondition, /depend on kernel/);
      assert.deepEqual(await all(gpuDrivers.showGPUDriver(GPUDriver.create())), [], "what failed leaves nothing");

      assert.deepEqual(await create(build()), ["Created GPU driver"]);
      const windows = build({
        name: "win",
        driverPath: `${at}/setup.exe`,
        operatingSystem: OSType.WINDOWS,
        md5sum: md5(files.get("/setup.exe")!),
      });
      const add = (more: DeepPartial<GPUDriverBuild>) =>
        lines(gpuDrivers.addGPUDriverBuild(GPUDriverBuildMember.create({ key: KEY, build: more })));
      await add(windows);
      await refused(add(windows), Status.INVALID_ARGUMENT, /already exists in the driver/);
      const [stored] = await all(gpuDrivers.showGPUDriver(GPUDriver.create()));
      assert.deepEqual(stored!.builds.map(({ name, driverPathCreds }) => [name, driverPathCreds]), [
        ["linux", ""],
        ["win", ""],
      ]);
      assert.equal(stored!.state, "");

      const urlOf = (name: string) =>
        gpuDrivers.getGPUDriverBuildURL(GPUDriverBuildMember.create({ key: KEY, build: { name } }));
      const { buildUrlPath, validity } = await urlOf("linux");
      assert.equal(validity, 20 * 60e9);
      const fetched = await serve(new Request(buildUrlPath));
      assert.deepEqual(new Uint8Array(await fetched.arrayBuffer()), good);
      await refused(urlOf("mac"), precondition, /has no build mac/);
      const remove = GPUDriverBuildMember.create({ key: KEY, build: { name: "linux" } });
      await lines(gpuDrivers.removeGPUDriverBuild(remove));
      assert.equal((await serve(new Request(buildUrlPath))).status, 404);
      await refused(lines(gpuDrivers.removeGPUDriverBuild(remove)), precondition, /has no build linux/);
      await lines(gpuDrivers.deleteGPUDriver(driver()));
      await refused(lines(gpuDrivers.deleteGPUDriver(driver())), Status.NOT_FOUND, /GPUDriver key/);
      const { entries } = await store.scan("/v1/");
      assert.ok(!entries.some(({ value }) => new TextDecoder().decode(value).includes("hunter2")));
    },
  },
  {
    name: "GPU drivers: a cloudlet's own license is a secret that its operator can read again",
    async run(store) {
      await using place = await start(store);
      const { world } = place;
      await lines(world.api.gpuDrivers.createGPUDriver(driver()));
      world.site().start().ready();
      const wanted = cloudlet({ gpuConfig: { driver: KEY, licenseConfig: "the site's own" } });
      await lines(world.api.cloudlets.createCloudlet(wanted));
      const read = (name: string) =>
        world.api.keys.getCloudletGPUDriverLicenseConfig(CloudletKey.create({ organization: "Bayline Inc.", name }));
      assert.equal((await read("Edge")).message, "the site's own");
      const row = await store.get(CloudletKind.storeKey(wanted.key));
      assert.doesNotMatch(new TextDecoder().decode(row.entry!.value), /site's own/);
      await refused(read("Nowhere"), Status.NOT_FOUND, /Cloudlet key .* not found/);
      world.site("Other").start().ready();
      await lines(
        world.api.cloudlets.createCloudlet(cloudlet({ key: { organization: "Bayline Inc.", name: "Other" } })),
      );
      await refused(read("Other"), Status.FAILED_PRECONDITION, /no license of its own/);
    },
  },
  {
    name: "GPU drivers: the license is a secret, and a change that died is passed over only when asked to",
    async run(store) {
      await using place = await start(store);
      const { gpuDrivers } = place.world.api;
      const license = async () => (await gpuDrivers.getGPUDriverLicenseConfig(GPUDriverKey.create(KEY))).message;
      await lines(gpuDrivers.createGPUDriver(driver({ licenseConfig: "the license", properties: { a: "1" } })));
      assert.equal(await license(), "the license");
      const shown = async () => (await all(gpuDrivers.showGPUDriver(GPUDriver.create())))[0]!;
      assert.deepEqual([(await shown()).licenseConfig, (await shown()).licenseConfigMd5sum], ["", md5("the license")]);
      const row = await store.get(GPUDriverKind.storeKey(GPUDriverKey.create(KEY)));
      assert.doesNotMatch(new TextDecoder().decode(row.entry!.value), /the license/);

      const update = (more: DeepPartial<GPUDriver>) => lines(gpuDrivers.updateGPUDriver(driver(more)));
      await update({ fields: ["6"], properties: { b: "2" } });
      assert.deepEqual([(await shown()).properties, await license()], [{ b: "2" }, "the license"]);
      await refused(update({}), Status.INVALID_ARGUMENT, /fields.*what to update/);
      await refused(update({ fields: ["3", "7"] }), Status.INVALID_ARGUMENT, /builds.*creation only.*state.*platform/);
      assert.equal((await shown()).state, "", "a change that is refused leaves no lock");
      await update({ fields: ["4"], licenseConfig: "" });
      await refused(license(), Status.FAILED_PRECONDITION, /has no license/);

      const stale = encodeObject(GPUDriverKind, driver({ state: "ChangeInProgress" }));
      await transaction(
        store,
        (tx) => Promise.resolve(tx.put(GPUDriverKind.storeKey(GPUDriverKey.create(KEY)), stale)),
      );
      await refused(update({ fields: ["6"], properties: {} }), Status.FAILED_PRECONDITION, /busy.*ignore_state/);
      await refused(lines(gpuDrivers.deleteGPUDriver(driver())), Status.FAILED_PRECONDITION, /busy/);
      await update({ fields: ["6"], properties: { c: "3" }, ignoreState: true });
      assert.deepEqual([(await shown()).state, (await shown()).properties], ["", { c: "3" }]);
      await lines(gpuDrivers.deleteGPUDriver(driver()));
    },
  },
];
