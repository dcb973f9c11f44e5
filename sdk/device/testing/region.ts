// A region with the content of the golden cases behind a real REST port, and devices of app alpha in it.
import { serveHttp } from "../../../shared/runtime/mod.ts";
import { goldenRegion, type TestRegion, testRegion } from "../../../tiers/regional/dme/testing/region.ts";
import { createDevice, type Device, type DeviceOptions, type EdgeEvent, type EdgeEvents } from "../mod.ts";

export const ALPHA = { organization: "acme", name: "alpha", version: "1.1" };
/** Next to north-3, whose instance is called 12.1.12.1. */
export const SOUTH = { latitude: 48, longitude: 11.5 };
/** Next to north-2, whose instance is called 11.1.11.1. */
export const NORTH = { latitude: 52.6, longitude: 13.4 };
export const [SOUTHERN, NORTHERN] = ["12.1.12.1", "11.1.11.1"];

export interface Scene {
  readonly region: TestRegion;
  readonly url: string;
  device(options?: Partial<DeviceOptions>): Device;
  /** Ends the port as a process that dies; a new one takes its place. */
  restart(): Promise<void>;
}

/** @param edge what is different about event streams */
export async function withRegion(
  body: (scene: Scene) => Promise<void>,
  edge: Parameters<typeof testRegion>[3] = {},
): Promise<void> {
  let region = testRegion(goldenRegion(), undefined, undefined, edge);
  const errors: unknown[] = [];
  const listen = (port: number) => serveHttp({ hostname: "127.0.0.1", port, handler: region.rest });
  let listener = await listen(0);
  const { url, port } = listener;
  try {
    await body({
      get region() {
        return region;
      },
      url,
      device: (options = {}) => createDevice({ url, app: ALPHA, ...options }),
      async restart() {
        region.edge.drain();
        await listener.close();
        errors.push(...region.errors);
        const { nowMs } = region.clock;
        region = testRegion(region.tables, undefined, undefined, edge);
        region.clock.nowMs = nowMs;
        listener = await listen(port);
      },
    });
  } finally {
    region.edge.drain();
    await listener.close();
  }
  errors.push(...region.errors);
  if (errors.length > 0) throw errors[0];
}

/** The next event of a type; others are passed over. */
export async function next<T extends EdgeEvent["type"]>(
  events: EdgeEvents,
  type: T,
): Promise<Extract<EdgeEvent, { type: T }>> {
  const seen: string[] = [];
  const iterator = events[Symbol.asyncIterator]();
  const timer = Promise.withResolvers<never>();
  const id = setTimeout(() => timer.reject(new Error(`no event "${type}" in time, but ${seen.join(", ")}`)), 20_000);
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), timer.promise]);
      if (done) throw new Error(`the stream ended before "${type}", after ${seen.join(", ")}`);
      if (value.type === type) return value as Extract<EdgeEvent, { type: T }>;
      seen.push(JSON.stringify(value));
    }
  } finally {
    clearTimeout(id);
  }
}
