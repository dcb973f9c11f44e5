import type { Device } from "./devices.ts";
import { move } from "./devices.ts";
import { findByGrpc, openGrpc, openRest, REST_FIND_PATH, type Target } from "./links.ts";
import { type Face, findJson, findMessage, uriOfJson, uriOfMessage } from "./load.ts";

/** Devices that come, make a call and go. */
export interface ChurnLoad {
  readonly face: Face;
  readonly connections: number;
  /** At once. */
  readonly parallel: number;
  /** None begin after so long, ms. */
  readonly limitMs?: number;
}

/** How many connections were made, how many calls failed, and why the first of them did. */
export interface ChurnOutcome {
  readonly made: number;
  readonly failed: number;
  readonly why?: string;
}

/** Connections of one call each. */
export async function churn(
  devices: readonly Device[],
  targets: Record<Face, Target>,
  { face, connections, parallel, limitMs = Infinity }: ChurnLoad,
): Promise<ChurnOutcome> {
  const end = performance.now() + limitMs;
  let made = 0;
  let failed = 0;
  let why: string | undefined;
  async function worker(): Promise<void> {
    while (made < connections && performance.now() < end) {
      const device = devices[made++ % devices.length]!;
      move(device);
      try {
        if (face === "rest") await liveByRest(device, targets.rest);
        else await liveByGrpc(device, targets.grpc);
      } catch (error) {
        failed++;
        why ??= String(error);
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker));
  return { made, failed, why };
}

async function liveByRest(device: Device, target: Target): Promise<void> {
  const link = await openRest(target, false);
  try {
    uriOfJson(await link.post(REST_FIND_PATH, findJson(device)), false);
  } finally {
    link.close();
  }
}

async function liveByGrpc(device: Device, target: Target): Promise<void> {
  const client = await openGrpc(target);
  try {
    uriOfMessage(await findByGrpc(client, findMessage(device)), false);
  } finally {
    await client.shutdown();
  }
}
