import type { UpInfo } from "./platform.ts";
import { task } from "./processes.ts";
import { appKey } from "./world.ts";
import { eventually } from "./wait.ts";

/** What a device found and heard. */
export interface Found {
  found: boolean;
  cloudlet?: string;
  fqdn?: string;
  distanceKm?: number;
  answer?: string;
  raw: string;
}

/** Runs `deno task device` once at a place, by REST or by gRPC. */
export async function device(info: UpInfo, at: string, options: { grpc?: boolean } = {}): Promise<Found> {
  const dme = info.regions.local!.dme;
  const finished = await task("device", [
    "--app",
    `${appKey.organization}/${appKey.name}/${appKey.version}`,
    "--at",
    at,
    "--dme",
    options.grpc ? dme.grpc : dme.rest,
    ...(options.grpc ? ["--grpc"] : []),
    "--ca",
    info.ca,
    "--output",
    "json",
  ]);
  const line = finished.stdout.trim().split("\n").at(-1) ?? "";
  if (finished.code !== 0 && line === "") throw new Error(`device: ${finished.stderr}`);
  return { ...JSON.parse(line), raw: finished.stdout + finished.stderr };
}

/** Runs devices at a place until one is answered by the site. */
export function deviceReaches(info: UpInfo, at: string, site: string, limitMs = 60_000): Promise<Found> {
  return eventually(`a device at ${at} to reach ${site}`, async () => {
    const result = await device(info, at);
    return result.answer?.includes(`/${site}"`) ? result : undefined;
  }, limitMs);
}
