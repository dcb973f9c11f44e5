import { createHash } from "node:crypto";
import { type GPUDriverBuild, type GPUDriverKey, OSType } from "../../../../shared/schema/mod.ts";
import { failedPrecondition } from "../faults.ts";
import { DebError, readDebControl } from "./deb.ts";
import { type DriverFiles, MAX_DRIVER_BYTES } from "./driver_files.ts";

/** Longest time to fetch one file, in milliseconds. */
const FETCH_LIMIT_MS = 10 * 60_000;

/** Name in paths of drivers that no organization owns; no organization has it, as names begin otherwise. */
const PUBLIC = "_";

/** Path of the files of a driver: other names give another path. */
export function driverPath({ organization, name }: GPUDriverKey): string {
  return `${organization === "" ? PUBLIC : pathPart(organization)}/${pathPart(name)}`;
}

/** Path of a build's file. */
export function buildPath(key: GPUDriverKey, build: string): string {
  return `${driverPath(key)}/${pathPart(build)}`;
}

/**
 * Fetches the file of a build, checks it, and keeps it. Gives the build as it is stored, and what the caller should know.
 * Throws E_INVALID-like faults when the file is not what was said.
 */
export async function takeBuild(
  files: DriverFiles,
  key: GPUDriverKey,
  build: GPUDriverBuild,
): Promise<{ stored: GPUDriverBuild; notes: string[] }> {
  const data = await fetchBuild(files, build);
  const sum = md5(data);
  if (sum !== build.md5sum.toLowerCase()) {
    throw failedPrecondition(`File of build ${build.name} has the MD5 sum ${sum}, not ${build.md5sum}`);
  }
  const notes: string[] = [];
  if (build.operatingSystem === OSType.LINUX) notes.push(...await checkKernel(build, data));
  const storagePath = buildPath(key, build.name);
  await files.put(storagePath, data);
  return { stored: { ...build, driverPathCreds: "", storagePath }, notes };
}

async function fetchBuild(files: DriverFiles, build: GPUDriverBuild): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await files.fetch(build.driverPath, {
      credentials: build.driverPathCreds,
      maxBytes: MAX_DRIVER_BYTES,
      signal: AbortSignal.timeout(FETCH_LIMIT_MS),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw failedPrecondition(`File of build ${build.name} cannot be fetched: ${reason}`);
  }
}

/** A driver for Linux is a module of one kernel, which its package must name. */
async function checkKernel(build: GPUDriverBuild, data: Uint8Array<ArrayBuffer>): Promise<string[]> {
  try {
    const control = await readDebControl(data);
    if (control === undefined) {
      return [`Build ${build.name}: its package is not packed with gzip, so its kernel was not checked`];
    }
    if (control.depends.some((name) => name.includes(build.kernelVersion))) return [];
    throw failedPrecondition(`File of build ${build.name} does not depend on kernel ${build.kernelVersion}`);
  } catch (error) {
    if (!(error instanceof DebError)) throw error;
    throw failedPrecondition(`File of build ${build.name} is no Debian package: ${error.message}`);
  }
}

/** MD5 sum of a text or file in hexadecimal digits. */
export function md5(data: Uint8Array | string): string {
  return createHash("md5").update(data).digest("hex");
}

/** Letters, digits and `-` stay, everything else becomes `_` and its code: paths hold little else. */
export function pathPart(text: string): string {
  return text.replace(/[^A-Za-z0-9-]/g, (character) => `_${character.codePointAt(0)!.toString(16)}_`);
}
