import { isJsonObject } from "../../shared/schema/mod.ts";
import { UsageError } from "./failure.ts";
import type { Flags } from "./flags.ts";
import type { Io } from "./io.ts";

/** Where the file of a running platform is when nobody says. */
const DEFAULT_FILE = "data/up.json";
const DEFAULT_ADDRESS = "https://127.0.0.1:9900";

/** Where to call, and whom to trust. */
export interface Target {
  readonly address: string;
  readonly ca?: string;
  /** File of the CA, for the curl command. */
  readonly caFile?: string;
  /** Names of the platform's regions; empty when they are not known. */
  readonly regions: readonly string[];
}

/** Finds the master controller from the flags and the file of a running platform. Throws UsageError. */
export async function findTarget(flags: Flags, io: Io): Promise<Target> {
  const platform = await findPlatform(flags, io);
  const caFile = flags.ca ?? platform?.ca;
  const ca = caFile === undefined ? undefined : await io.readFile(caFile);
  if (ca === undefined && flags.ca !== undefined) throw new UsageError(`there is no file ${flags.ca}`);
  return {
    address: flags.addr ?? platform?.address ?? DEFAULT_ADDRESS,
    ca,
    caFile: ca === undefined ? undefined : caFile,
    regions: platform?.regions ?? [],
  };
}

/** What the platform's file says; a file that nobody named counts only when it is about the address that is called. */
async function findPlatform(flags: Flags, io: Io): Promise<Platform | undefined> {
  const text = await io.readFile(flags.up ?? DEFAULT_FILE);
  if (flags.up !== undefined) {
    if (text !== undefined) return readPlatform(text, flags.up);
    throw new UsageError(`there is no file ${flags.up}`, "It is there while the platform runs: deno task up");
  }
  if (text === undefined) return undefined;
  if (flags.addr === undefined) return readPlatform(text, DEFAULT_FILE);
  try {
    const platform = readPlatform(text, DEFAULT_FILE);
    return platform.address === flags.addr ? platform : undefined;
  } catch {
    return undefined;
  }
}

interface Platform {
  address?: string;
  ca?: string;
  regions: string[];
}

function readPlatform(text: string, file: string): Platform {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is not JSON`);
  }
  const part = (value: unknown, key: string) => isJsonObject(value) ? value[key] : undefined;
  if (part(json, "version") !== 1) throw new UsageError(`${file} is not of version 1`);
  const address = part(part(json, "masterController"), "rest");
  const ca = part(json, "ca");
  const regions = part(json, "regions");
  return {
    address: typeof address === "string" ? address.replace(/\/+$/, "") : undefined,
    ca: typeof ca === "string" ? besideFile(ca, file) : undefined,
    regions: isJsonObject(regions) ? Object.keys(regions) : [],
  };
}

/** Relative names in the file are relative to its folder. */
function besideFile(path: string, file: string): string {
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return path;
  const slash = file.lastIndexOf("/");
  return slash < 0 ? path : `${file.slice(0, slash)}/${path}`;
}
