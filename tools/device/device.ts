import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { dme } from "../../shared/schema/mod.ts";
import { distanceKm } from "./distance.ts";
import { askBackend, type BackendAddress, type BackendAnswer, type Connector } from "./backend.ts";
import type { MatchClient } from "./match_client.ts";
import type { Place } from "./places.ts";

/** The app that a device runs. */
export interface DeviceApp {
  organization: string;
  name: string;
  version: string;
}

/** The instance that a device was given. */
export interface FoundInstance {
  readonly fqdn: string;
  readonly ports: readonly dme.AppPort[];
  readonly cloudlet: { readonly organization: string; readonly name: string; readonly location: Place };
  /** Great-circle distance from the device to the cloudlet. */
  readonly distanceKm: number;
}

/** What happened at one place. */
export interface DeviceStep {
  readonly at: Place;
  /** Undefined when there is no usable instance. */
  readonly found: FoundInstance | undefined;
  /** What was connected to; undefined when the instance has no TCP port. */
  readonly address: BackendAddress | undefined;
  readonly answer: BackendAnswer | undefined;
  /** Why the back-end could not be reached. */
  readonly failure: string | undefined;
  /** Time of the FindCloudlet call, milliseconds. */
  readonly findMs: number;
}

/** What a device is made of. */
export interface DeviceOptions {
  readonly client: MatchClient;
  readonly connect: Connector;
  readonly app: DeviceApp;
  /** Operator organization or code; "" for any. */
  readonly carrier: string;
  readonly monotonicMs: () => number;
}

/** A simulated device: registers, finds the instance for a place, connects to it. */
export interface Device {
  /** Starts a session. @throws {RpcError} */
  register(): Promise<void>;
  /** The instance for a place; registers first where that is needed. @throws {RpcError} */
  find(at: Place): Promise<FoundInstance | undefined>;
  /** Finds and connects. A back-end that cannot be reached is told, not thrown. @throws {RpcError} */
  step(at: Place): Promise<DeviceStep>;
}

/** Makes a device. */
export function createDevice(options: DeviceOptions): Device {
  const { client, connect, app, carrier, monotonicMs } = options;
  let sessionCookie = "";

  async function register(): Promise<void> {
    const { organization: orgName, name: appName, version: appVers } = app;
    const reply = await client.registerClient(dme.RegisterClientRequest.create({ orgName, appName, appVers }));
    sessionCookie = reply.sessionCookie;
  }

  async function find(at: Place): Promise<FoundInstance | undefined> {
    const fresh = sessionCookie === "";
    if (fresh) await register();
    try {
      return await findNow(at);
    } catch (error) {
      // A session may have run out or its key been withdrawn, which a new registration mends.
      if (fresh || !(error instanceof RpcError) || error.code !== Status.UNAUTHENTICATED) throw error;
      await register();
      return await findNow(at);
    }
  }

  async function findNow(at: Place): Promise<FoundInstance | undefined> {
    const request = dme.FindCloudletRequest.create({ sessionCookie, carrierName: carrier, gpsLocation: at });
    const reply = await client.findCloudlet(request);
    if (reply.status !== dme.FindCloudletReply_FindStatus.FIND_FOUND) return undefined;
    const { latitude, longitude } = reply.cloudletLocation ?? { latitude: 0, longitude: 0 };
    const location = { latitude, longitude };
    return {
      fqdn: reply.fqdn,
      ports: reply.ports,
      cloudlet: { ...cloudletOf(reply.edgeEventsCookie), location },
      distanceKm: distanceKm(at, location),
    };
  }

  async function step(at: Place): Promise<DeviceStep> {
    const startedMs = monotonicMs();
    const found = await find(at);
    const findMs = monotonicMs() - startedMs;
    const address = found && backendAddress(found);
    if (address === undefined) return { at, found, address, answer: undefined, failure: undefined, findMs };
    try {
      const answer = await askBackend(address, connect, monotonicMs);
      return { at, found, address, answer, failure: undefined, findMs };
    } catch (error) {
      return { at, found, address, answer: undefined, failure: (error as Error).message, findMs };
    }
  }

  return { register, find, step };
}

/** The first TCP port, by the name and number that clients use. */
export function backendAddress(found: Pick<FoundInstance, "fqdn" | "ports">): BackendAddress | undefined {
  const port = found.ports.find(({ proto }) => proto === dme.LProto.L_PROTO_TCP);
  if (port === undefined) return undefined;
  return { host: `${port.fqdnPrefix}${found.fqdn}`, port: port.publicPort, tls: port.tls };
}

/** The cloudlet's name, which a device learns from the cookie for its events alone. */
function cloudletOf(cookie: string): { organization: string; name: string } {
  try {
    const payload = Uint8Array.fromBase64(cookie.split(".")[1] ?? "", { alphabet: "base64url" });
    const { key } = JSON.parse(new TextDecoder().decode(payload));
    return { organization: String(key.cloudletorg ?? ""), name: String(key.cloudletname ?? "") };
  } catch {
    return { organization: "", name: "" };
  }
}
