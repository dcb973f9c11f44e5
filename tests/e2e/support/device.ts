import type { Platform } from "./platform.ts";
import { task } from "./processes.ts";
import { eventually } from "./wait.ts";
import { appKey } from "./world.ts";

/** One line of `deno task device --output json`. */
export interface Step {
  status: "found" | "not found" | "unreachable";
  cloudlet?: { organization: string; name: string };
  distanceKm?: number;
  fqdn?: string;
  answer?: { status?: number; text: string };
  failure?: string;
}

/** How a device is run. */
export interface DeviceRun {
  grpc?: boolean;
  /** @default the world's app */
  app?: { organization: string; name: string; version: string };
}

/** Runs `deno task device` once at a place, by REST or by gRPC. */
export async function device(platform: Platform, at: string, options: DeviceRun = {}): Promise<Step> {
  const app = options.app ?? appKey;
  const finished = await task("device", [
    "--app",
    `${app.organization}/${app.name}/${app.version}`,
    "--at",
    at,
    "--data",
    platform.data,
    ...(options.grpc ? ["--grpc"] : []),
    "--output",
    "json",
  ]);
  const line = finished.stdout.trim().split("\n").at(-1);
  if (!line) throw new Error(`device ended with ${finished.code}: ${finished.stderr}`);
  return JSON.parse(line) as Step;
}

/** The site that answered the device, as the back-end itself said. */
export function answeredBy(step: Step): string | undefined {
  if (step.answer === undefined) return undefined;
  return (JSON.parse(step.answer.text) as { cloudlet: string }).cloudlet.split("/")[1];
}

/** Runs devices at a place until one is answered by the site. */
export function deviceReaches(platform: Platform, at: string, site: string, limitMs = 60_000): Promise<Step> {
  return eventually(`a device at ${at} to reach ${site}`, async () => {
    const step = await device(platform, at);
    if (answeredBy(step) !== site) throw new Error(JSON.stringify(step));
    return step;
  }, limitMs);
}
