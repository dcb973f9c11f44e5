// FindCloudlet by many devices, as fast as it is answered, or at a pace.
import type { Buffer } from "node:buffer";
import { dme } from "../../../shared/schema/mod.ts";
import { type Device, faultOf, move, type Sample } from "./devices.ts";
import { findByGrpc, openGrpc, openRest, REST_FIND_PATH, type Target } from "./links.ts";
import { APP_ORGANIZATION, APP_VERSION, type World } from "./world.ts";

/** By which of the two APIs. */
export type Face = "rest" | "grpc";

/** How much load. */
export interface FindLoad {
  readonly face: Face;
  readonly port: number;
  readonly calls: number;
  /** Path to post to. @default that of FindCloudlet */
  readonly path?: string;
  /** Whether a sample of the answers is held against a search of our own. */
  readonly check: boolean;
}

/** How it went. */
export interface FindOutcome {
  readonly ms: number;
  /** Calls that were not answered with an instance, and why the first was not. */
  readonly failed: number;
  readonly why?: string;
  /** Answers that were checked, and found wrong. */
  readonly checked: number;
  readonly wrong: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Calls under way at once: as many connections by REST; by gRPC on fewer. */
export const IN_FLIGHT = 32;
const GRPC_CONNECTIONS = 8;
/** Answers that are checked in one run. */
const CHECKED = 100;

const FOUND_TEXT = '"status":"Found"';

/** Asks for a device, and gives the name of its instance only where that is wanted. @throws {Error} When it gets none. */
export type Ask = (device: Device, wanted: boolean) => Promise<string>;

/** The request of a device as JSON. */
export const findJson = ({ sessionCookie, carrierName, latitude, longitude }: Device): string =>
  `{"ver":1,"session_cookie":"${sessionCookie}","carrier_name":"${carrierName}",` +
  `"gps_location":{"latitude":${latitude},"longitude":${longitude}},"tags":{}}`;

/** The same, encoded. */
export const findMessage = ({ sessionCookie, carrierName, latitude, longitude }: Device): Uint8Array =>
  dme.FindCloudletRequest.encode(
    dme.FindCloudletRequest.create({ sessionCookie, carrierName, gpsLocation: { latitude, longitude } }),
  );

/** Name of the instance in a REST reply. @throws {Error} When there is none. */
export function uriOfJson(body: Buffer, wanted: boolean): string {
  if (!body.includes(FOUND_TEXT)) throw new Error(`No instance: ${body}`);
  return wanted ? JSON.parse(body.toString()).fqdn : "";
}

/** Name of the instance in a gRPC reply. @throws {Error} When there is none. */
export function uriOfMessage(body: Uint8Array, wanted: boolean): string {
  // Field 2 is the status and stands first, the version being 0.
  const found = body[0] === 0x10 && body[1] === dme.FindCloudletReply_FindStatus.FIND_FOUND;
  if (!found) throw new Error(`No instance: ${body.length} bytes`);
  return wanted ? dme.FindCloudletReply.decode(body).fqdn : "";
}

/** Opens what carries the calls of one worker after another. */
async function openFace({ face, port, path = REST_FIND_PATH }: FindLoad, ca: string) {
  const target: Target = { port, ca };
  if (face === "rest") {
    const links = await Promise.all(Array.from({ length: IN_FLIGHT }, () => openRest(target)));
    const asks = links.map((link): Ask => async (device, wanted) =>
      uriOfJson(await link.post(path, findJson(device)), wanted)
    );
    return { asks, close: () => links.forEach((link) => link.close()) };
  }
  const clients = await Promise.all(Array.from({ length: GRPC_CONNECTIONS }, () => openGrpc(target)));
  const asks = Array.from({ length: IN_FLIGHT }, (_, at): Ask => {
    const client = clients[at % clients.length]!;
    return async (device, wanted) => uriOfMessage(await findByGrpc(client, findMessage(device)), wanted);
  });
  return { asks, close: () => clients.forEach((client) => client.close()) };
}

/** Calls as fast as they are answered. */
export async function loadFind(
  world: World,
  devices: readonly Device[],
  ca: string,
  load: FindLoad,
): Promise<FindOutcome> {
  const { asks, close } = await openFace(load, ca);
  const latencies = new Float64Array(load.calls);
  const samples: Sample[] = [];
  const every = Math.ceil(load.calls / CHECKED);
  let next = 0;
  let failed = 0;
  let why: string | undefined;
  async function worker(ask: Ask): Promise<void> {
    while (next < load.calls) {
      const at = next++;
      // A step through all devices that visits them in no order of their own.
      const device = devices[(at * 7_919) % devices.length]!;
      move(device);
      const { app, carrier, latitude, longitude } = device;
      const wanted = load.check && at % every === 0;
      const begun = performance.now();
      try {
        const uri = await ask(device, wanted);
        if (wanted) samples.push({ app, carrier, latitude, longitude, uri });
      } catch (error) {
        failed++;
        why ??= String(error);
      }
      latencies[at] = performance.now() - begun;
    }
  }
  const begun = performance.now();
  await Promise.all(asks.map(worker));
  const ms = performance.now() - begun;
  close();
  const faults = samples.map((sample) => faultOf(world, sample)).filter((fault) => fault !== undefined);
  latencies.sort();
  return {
    ms,
    failed,
    why: why ?? faults[0],
    checked: samples.length,
    wrong: faults.length,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
}

/** A value of sorted ones. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Registers devices by REST, so that each has a cookie of its own. */
export async function registerDevices(devices: readonly Device[], target: Target): Promise<void> {
  let next = 0;
  async function worker(): Promise<void> {
    const link = await openRest(target);
    while (next < devices.length) {
      const device = devices[next++]!;
      const body = { ver: 1, org_name: APP_ORGANIZATION, app_name: device.app, app_vers: APP_VERSION };
      const reply = await link.post("/v1/registerclient", JSON.stringify(body));
      device.sessionCookie = JSON.parse(reply.toString()).session_cookie;
    }
    link.close();
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Time between two calls of a paced load, and calls that are made then. */
const TICK_MS = 5;
const CALLS_PER_TICK = 5;

/** Calls at a fixed pace, whether or not those before were answered, until told to stop: how long each took, ms. */
export async function pacedFind(
  devices: readonly Device[],
  target: Target,
  stopped: () => boolean,
): Promise<{ latencies: number[]; failed: number }> {
  const clients = await Promise.all(Array.from({ length: GRPC_CONNECTIONS }, () => openGrpc(target)));
  const latencies: number[] = [];
  let failed = 0;
  let made = 0;
  const open: Promise<void>[] = [];
  async function one(): Promise<void> {
    const device = devices[(made * 7_919) % devices.length]!;
    const client = clients[made++ % clients.length]!;
    move(device);
    const begun = performance.now();
    try {
      uriOfMessage(await findByGrpc(client, findMessage(device)), false);
    } catch {
      failed++;
    }
    latencies.push(performance.now() - begun);
  }
  while (!stopped()) {
    for (let i = 0; i < CALLS_PER_TICK; i++) open.push(one());
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(open);
  for (const client of clients) client.close();
  return { latencies, failed };
}
