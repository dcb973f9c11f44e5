import { isJsonObject } from "../../shared/schema/mod.ts";

/** Where a region's matching engine is, and how to trust it. */
export interface DmeAddress {
  readonly rest: string;
  readonly grpc: string;
  /** PEM file of the roots. */
  readonly caFile: string;
  readonly region: string;
}

/** What keeps the simulator from starting; the message ends with what to do. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
}

/**
 * Reads the file that a running platform writes about itself.
 *
 * @param region undefined: the first one
 * @throws {DeviceError} When it is not there, not of this version, or the region is not in it.
 */
export async function readPlatformFile(
  path: string,
  region: string | undefined,
  readText: (path: string) => Promise<string>,
): Promise<DmeAddress> {
  let text: string;
  try {
    text = await readText(path);
  } catch {
    throw new DeviceError(
      `No platform is running here: ${path} cannot be read. Start one with "deno task up --demo", name its data folder ` +
        `with --data, or name a matching engine with --dme https://HOST:PORT.`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new DeviceError(`${path} is not JSON. Stop the platform and start it again.`);
  }
  const version = member(json, "version");
  if (version !== 1) throw new DeviceError(`${path} is of version ${version}, expected 1.`);
  const regions = member(json, "regions");
  const names = Object.keys(isJsonObject(regions) ? regions : {});
  const name = region ?? names[0] ?? "";
  const dme = member(member(regions, name), "dme");
  const [rest, grpc, caFile] = [member(dme, "rest"), member(dme, "grpc"), member(json, "ca")];
  if (typeof rest !== "string" || typeof grpc !== "string" || typeof caFile !== "string") {
    throw new DeviceError(
      `${path} names no matching engine for region "${name}". Regions: ${names.join(", ") || "none"}.`,
    );
  }
  return { rest, grpc, caFile, region: name };
}

function member(json: unknown, name: string): unknown {
  return isJsonObject(json) ? json[name] : undefined;
}
