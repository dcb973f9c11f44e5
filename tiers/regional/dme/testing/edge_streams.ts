// Event streams of devices of app alpha, for tests.
import assert from "node:assert/strict";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { dme } from "../../../../shared/schema/mod.ts";
import type { RateLimiter } from "../../../../shared/ratelimit/mod.ts";
import type { EdgeDeskOptions } from "../edge/mod.ts";
import { type EdgeFace, type EdgeStream, FACES } from "./edge_clients.ts";
import { goldenRegion, type TestRegion, testRegion } from "./region.ts";
import { until } from "./until.ts";

export const Client = dme.ClientEdgeEvent_ClientEventType;
export const Server = dme.ServerEdgeEvent_ServerEventType;
export const ALPHA = ["acme", "alpha", "1.1"];
/** Next to north-3; the second is next to north-2. */
export const SOUTH = { latitude: 48, longitude: 11.5 };
export const NORTH = { latitude: 52.6, longitude: 13.4 };

export const peer = { address: "127.0.0.1" };

export async function cookies(region: TestRegion, place = SOUTH, carrierName = "") {
  const { sessionCookie } = await region.calls.registerClient.run(
    dme.RegisterClientRequest.create({ orgName: "acme", appName: "alpha", appVers: "1.1" }),
    peer,
  );
  const { edgeEventsCookie, fqdn } = await region.calls.findCloudlet.run(
    dme.FindCloudletRequest.create({ sessionCookie, carrierName, gpsLocation: place }),
    peer,
  );
  return { sessionCookie, edgeEventsCookie, fqdn };
}

export function init(given: { sessionCookie: string; edgeEventsCookie: string }, carrierName = "") {
  return {
    eventType: Client.EVENT_INIT_CONNECTION,
    sessionCookie: given.sessionCookie,
    edgeEventsCookie: given.edgeEventsCookie,
    deviceInfoStatic: { deviceOs: "os 1", deviceModel: "model 2" },
    deviceInfoDynamic: { dataNetworkType: "LTE", carrierName },
  };
}

export async function begin(face: EdgeFace, region: TestRegion, place = SOUTH): Promise<EdgeStream> {
  const stream = await face.open(init(await cookies(region, place)));
  const first = await stream.next();
  assert.deepEqual(first, dme.ServerEdgeEvent.create({ eventType: Server.EVENT_INIT_CONNECTION }));
  return stream;
}

export interface Options {
  limits?: RateLimiter;
  edge?: Partial<EdgeDeskOptions>;
}

/** Runs a test over every form of the stream. */
export function overAllForms(
  name: string,
  body: (face: EdgeFace, region: TestRegion) => Promise<void>,
  options: () => Options = () => ({}),
): void {
  for (const make of FACES) {
    const label = make.name.replace("Face", "");
    Deno.test(`${name}, by ${label}`, async () => {
      const { limits, edge } = options();
      const region = testRegion(goldenRegion(), undefined, limits, edge);
      const face = await make(region);
      try {
        await body(face, region);
        region.edge.drain();
        await until(() => region.edge.open === 0, "no stream is open");
        if (region.errors.length > 0) throw region.errors[0];
      } finally {
        await face.close();
      }
    });
  }
}

export const refused = (code: keyof typeof Status, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RpcError, String(error));
  assert.equal(error.code, Status[code], error.message);
  assert.match(error.message, text);
  return true;
};
