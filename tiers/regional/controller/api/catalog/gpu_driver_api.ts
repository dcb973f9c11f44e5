import type { CallContext, Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  applyMask,
  GPUDriver,
  type GPUDriverApi,
  type GPUDriverBuild,
  GPUDriverBuildURL,
  type GPUDriverKey,
  GPUDriverKind,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { buildPath, driverPath, md5, pathPart, takeBuild } from "../../drivers/builds.ts";
import type { DriverFiles } from "../../drivers/driver_files.ts";
import { alreadyExists, type AnyKind, failedPrecondition, notFound, refuse } from "../../faults.ts";
import type { Operation } from "../../operations/operations.ts";
import { checkBuilds, checkGpuDriver } from "../../rules/gpu_driver.ts";
import { Issues } from "../../rules/issues.ts";
import { requireSecrets } from "../cloudlet/secrets.ts";
import { deleteStored } from "../deletion.ts";
import { done, readKey, readNew } from "../requests.ts";
import { catalog } from "./catalog.ts";

/** State of a driver whose files are being moved (specification 5.9). */
const CHANGE_IN_PROGRESS = "ChangeInProgress";

/** How long the URL of a build's file is good for, in milliseconds (specification 2.2). */
const URL_VALIDITY_MS = 20 * 60_000;
const NS_PER_MS = 1e6;

const KIND = GPUDriverKind as AnyKind;

/** Handlers of GPUDriverApi. */
export function gpuDriverApi(context: ApiContext): Handlers<typeof GPUDriverApi> {
  const { region, operations } = context;
  const drivers = catalog(context, GPUDriverKind);

  function run(key: string, action: string, call: CallContext, body: (operation: Operation) => Promise<void>) {
    return operations.run(KIND, key, action, body).read(call.signal);
  }

  /** The driver as the cache has it, with one of its builds. */
  function buildOf(key: GPUDriverKey, name: string): GPUDriverBuild {
    const keyString = GPUDriverKind.keyString(key);
    const driver = region.cache.get(GPUDriverKind, keyString);
    if (driver === undefined) throw notFound(KIND, keyString);
    const build = driver.builds.find((each) => each.name === name);
    if (build === undefined) throw failedPrecondition(`GPUDriver ${keyString} has no build ${name}`);
    return build;
  }

  return {
    createGPUDriver(request, call) {
      const driver = readNew(GPUDriverKind, request, {
        check(wanted, issues) {
          checkGpuDriver(wanted, issues);
          checkBuilds(wanted.builds, issues, (i) => `builds[${i}]`);
        },
      });
      const key = GPUDriverKind.keyString(driver.key);
      return run(key, "create", call, (operation) => create(context, operation, key, driver));
    },
    updateGPUDriver(request, call) {
      const key = readKey(GPUDriverKind, request);
      return run(key, "update", call, async (operation) => {
        await change(context, operation, key, request.ignoreState, async (driver) => {
          const issues = new Issues();
          if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
          const { changed, refused } = applyMask(GPUDriver, driver, request, request.fields);
          for (const { field, rule } of refused) issues.add(field, undefined, rule);
          checkGpuDriver(driver, issues);
          refuse(issues.list);
          // A license that is given but empty takes the one that was there away.
          const named = request.fields.some((path) => path === "4");
          if (named || changed.includes("license_config")) await keepLicense(context, driver);
          return driver;
        });
        operation.progress.line("Updated GPU driver");
      });
    },
    deleteGPUDriver(request, call) {
      const key = readKey(GPUDriverKind, request);
      return run(key, "delete", call, async (operation) => {
        await deleteStored(context, operation, GPUDriverKind, key, {
          // deno-lint-ignore require-await -- async as the deletion wants it
          check: async (_, driver) => requireIdle(driver, request.ignoreState, key),
        });
        await forget(context, request.key);
        operation.progress.line("Deleted GPU driver");
      });
    },
    showGPUDriver: drivers.show,
    addGPUDriverBuild(request, call) {
      const key = readKey(GPUDriverKind, GPUDriver.create({ key: request.key }));
      const issues = new Issues();
      checkBuilds([request.build], issues, () => "build");
      refuse(issues.list);
      return run(key, "update", call, async (operation) => {
        await change(context, operation, key, request.ignoreState, async (driver) => {
          const absent = !driver.builds.some(({ name }) => name === request.build.name);
          issues.check(absent, "build.name", request.build.name, "already exists in the driver");
          refuse(issues.list);
          const { stored, notes } = await takeBuild(requireFiles(context), driver.key, request.build);
          notes.forEach((note) => operation.progress.line(note));
          return { ...driver, builds: [...driver.builds, stored] };
        });
        operation.progress.line("Added build to the GPU driver");
      });
    },
    removeGPUDriverBuild(request, call) {
      const key = readKey(GPUDriverKind, GPUDriver.create({ key: request.key }));
      return run(key, "update", call, async (operation) => {
        await change(context, operation, key, request.ignoreState, async (driver) => {
          const builds = driver.builds.filter(({ name }) => name !== request.build.name);
          if (builds.length === driver.builds.length) {
            throw failedPrecondition(`GPUDriver ${key} has no build ${request.build.name}`);
          }
          await context.driverFiles?.remove(buildPath(driver.key, request.build.name));
          return { ...driver, builds };
        });
        operation.progress.line("Removed build from the GPU driver");
      });
    },
    async getGPUDriverBuildURL(request) {
      const { storagePath } = buildOf(request.key, request.build.name);
      const url = await requireFiles(context).url(storagePath, URL_VALIDITY_MS);
      return GPUDriverBuildURL.create({ buildUrlPath: url, validity: URL_VALIDITY_MS * NS_PER_MS });
    },
    async getGPUDriverLicenseConfig(key) {
      const keyString = GPUDriverKind.keyString(key);
      const driver = region.cache.get(GPUDriverKind, keyString);
      if (driver === undefined) throw notFound(KIND, keyString);
      if (driver.licenseConfigStoragePath === "") throw failedPrecondition(`GPUDriver ${keyString} has no license`);
      const secret = await requireSecrets(context.secrets).get(driver.licenseConfigStoragePath);
      if (secret === undefined) throw failedPrecondition(`The license of GPUDriver ${keyString} is not kept any more`);
      return done(String(secret.data.license ?? ""));
    },
  };
}

async function create(context: ApiContext, operation: Operation, key: string, wanted: GPUDriver): Promise<void> {
  const { region } = context;
  await region.change(async (tx) => {
    await operation.claim(tx);
    if (await tx.get(GPUDriverKind, key)) throw alreadyExists(KIND, key);
    tx.put(GPUDriverKind, GPUDriver.create({ key: wanted.key, state: CHANGE_IN_PROGRESS }));
  });
  try {
    const driver = GPUDriver.create({ ...wanted, builds: [] });
    if (wanted.licenseConfig !== "") await keepLicense(context, driver);
    for (const build of wanted.builds) {
      const { stored, notes } = await takeBuild(requireFiles(context), driver.key, build);
      notes.forEach((note) => operation.progress.line(note));
      driver.builds.push(stored);
    }
    // deno-lint-ignore require-await -- async as transactions are
    await region.change(async (tx) => {
      operation.release(tx);
      tx.put(GPUDriverKind, driver);
    });
  } catch (error) {
    await forget(context, wanted.key);
    // deno-lint-ignore require-await -- async as transactions are
    await region.change(async (tx) => {
      operation.release(tx);
      tx.remove(KIND, key);
    });
    throw error;
  }
  operation.progress.line("Created GPU driver");
}

/**
 * Changes a driver while it says that a change is in progress. `work` gives the driver as it is to be; when it fails the
 * driver is as it was.
 */
async function change(
  { region }: ApiContext,
  operation: Operation,
  key: string,
  ignoreState: boolean,
  work: (driver: GPUDriver) => Promise<GPUDriver>,
): Promise<void> {
  const before = await region.change(async (tx) => {
    await operation.claim(tx);
    const driver = await tx.requireUsable(GPUDriverKind, key);
    requireIdle(driver, ignoreState, key);
    tx.put(GPUDriverKind, { ...driver, state: CHANGE_IN_PROGRESS });
    return { ...driver, state: "" };
  });
  let after = before;
  try {
    after = await work(GPUDriver.create(before));
  } finally {
    // deno-lint-ignore require-await -- async as transactions are
    await region.change(async (tx) => {
      operation.release(tx);
      tx.put(GPUDriverKind, after);
    });
  }
}

function requireIdle(driver: GPUDriver, ignoreState: boolean, key: string): void {
  if (driver.state !== CHANGE_IN_PROGRESS || ignoreState) return;
  throw failedPrecondition(
    `GPUDriver ${key} is busy: a change is in progress; one that died with its controller is passed over with ignore_state`,
  );
}

/** Moves the license of a driver to the secrets; an empty one is forgotten. */
async function keepLicense({ secrets, region }: ApiContext, driver: GPUDriver): Promise<void> {
  const license = driver.licenseConfig;
  const path = licensePath(region.name, driver.key);
  driver.licenseConfig = "";
  driver.licenseConfigMd5sum = license === "" ? "" : md5(license);
  driver.licenseConfigStoragePath = license === "" ? "" : path;
  if (license === "") await secrets?.delete(path);
  else await requireSecrets(secrets).put(path, { license });
}

/** Forgets what is kept of a driver outside of the store. */
async function forget({ secrets, driverFiles, region }: ApiContext, key: GPUDriverKey): Promise<void> {
  await secrets?.delete(licensePath(region.name, key));
  await driverFiles?.remove(driverPath(key));
}

function licensePath(region: string, { organization, name }: GPUDriverKey): string {
  const parts = organization === "" ? ["public"] : ["of", pathPart(organization)];
  return [region, "gpu-drivers", ...parts, pathPart(name)].join("/");
}

function requireFiles({ driverFiles }: ApiContext): DriverFiles {
  if (driverFiles) return driverFiles;
  throw failedPrecondition("This controller keeps no files of drivers: start it with --driver-dir");
}
