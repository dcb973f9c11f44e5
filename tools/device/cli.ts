import { dirname, isAbsolute, join, resolve } from "node:path";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { type ConfigOf, parseConfig } from "../../shared/service/mod.ts";
import type { Clock } from "../../shared/runtime/mod.ts";
import { environmentOf } from "../../shared/runtime/mod.ts";
import type { Connector } from "./backend.ts";
import { createDevice, type Device, type DeviceApp, type DeviceStep } from "./device.ts";
import { grpcMatchClient, type MatchClient, restMatchClient } from "./match_client.ts";
import { deviceOptions } from "./options.ts";
import { parsePlace, parseRoute, type Place } from "./places.ts";
import { DeviceError, readPlatformFile } from "./platform_file.ts";
import { stepJson, stepText, succeeded } from "./report.ts";

/** What the command line needs of the machine. */
export interface CliDeps {
  readonly readText: (path: string) => Promise<string>;
  /** A fetch that trusts these roots, or the system's. */
  readonly fetcherFor: (ca: string | undefined) => (request: Request) => Promise<Response>;
  readonly connectorFor: (ca: string | undefined) => Connector;
  readonly clock: Clock;
  readonly print: (line: string) => void;
  /** Aborts when the user wants to stop. */
  readonly stop: AbortSignal;
}

type Config = ConfigOf<typeof deviceOptions>;

const LIST_OF_APPS = '"deno task mcctl app show" lists the apps; the demo has hyperion/scoreboard/1.0.';

interface Target {
  readonly address: string;
  readonly ca: string | undefined;
  readonly encrypted: boolean;
}

/**
 * Runs the simulator.
 *
 * @returns Whether a back-end was reached at every place.
 * @throws {ConfigError | PlaceError | DeviceError} With what to do about it.
 */
export async function runDevice(args: readonly string[], deps: CliDeps): Promise<boolean> {
  const config = await parseConfig(deviceOptions, {
    args,
    env: environmentOf({}),
    resolvePath: (path) => resolve(path),
  });
  if (config.app === undefined) {
    throw new DeviceError(`Which app does it run? Give --app ORGANIZATION/NAME/VERSION. ${LIST_OF_APPS}`);
  }
  const [organization, name, version] = config.app.split("/") as [string, string, string];
  const app: DeviceApp = { organization, name, version };
  const route = await readRoute(config, deps);
  const target = await findTarget(config, deps);
  const client = clientFor(config, target, deps);
  try {
    const connect = deps.connectorFor(target.ca);
    const { carrier } = config;
    const device = createDevice({ client, connect, app, carrier, monotonicMs: () => deps.clock.monotonic() });
    let good = true;
    let underWay = false;
    for await (const place of journey(route, config, deps)) {
      const step = await stepAt(device, place, underWay);
      underWay = true;
      deps.print(config.output === "json" ? stepJson(step) : stepText(step, app, carrier));
      good &&= succeeded(step);
    }
    return good;
  } catch (error) {
    throw explained(error, target, config);
  } finally {
    client.close();
  }
}

/** One step. A device that is under way does not give up when the matching engine is away for a while. */
async function stepAt(device: Device, at: Place, underWay: boolean): Promise<DeviceStep> {
  try {
    return await device.step(at);
  } catch (error) {
    if (!underWay || !(error instanceof RpcError) || !isOutage(error)) throw error;
    const failure = `matching engine not reached: ${error.message}`;
    return { at, found: undefined, address: undefined, answer: undefined, failure, findMs: 0 };
  }
}

function isOutage({ code }: RpcError): boolean {
  return code === Status.UNAVAILABLE || code === Status.DEADLINE_EXCEEDED;
}

async function readRoute(config: Config, deps: CliDeps): Promise<Place[]> {
  if (config.at !== undefined && config.route !== undefined) throw new DeviceError("Give --at or --route, not both.");
  if (config.at !== undefined) return [parsePlace(config.at)];
  if (config.route === undefined) {
    throw new DeviceError("Where is the device? Give --at LATITUDE,LONGITUDE, such as --at 52.52,13.405, or --route.");
  }
  if (/^[-+\d.,;\s]+$/.test(config.route)) return parseRoute(config.route);
  let text: string;
  try {
    text = await deps.readText(resolve(config.route));
  } catch (error) {
    throw new DeviceError(`The route ${config.route} cannot be read: ${(error as Error).message}`);
  }
  return parseRoute(text);
}

async function findTarget(config: Config, deps: CliDeps): Promise<Target> {
  const readCa = async (path: string) => {
    try {
      return await deps.readText(path);
    } catch (error) {
      throw new DeviceError(`The roots in ${path} cannot be read: ${(error as Error).message}`);
    }
  };
  if (config.dme !== undefined) {
    const ca = config.ca === undefined ? undefined : await readCa(config.ca);
    if (config.grpc) return { address: config.dme.replace(/^[a-z]+:\/\//, ""), ca, encrypted: config.tls };
    if (!URL.canParse(config.dme) || !/^https?:/.test(config.dme)) {
      throw new DeviceError(`--dme ${config.dme} is no address of a matching engine: expected https://HOST:PORT.`);
    }
    return { address: config.dme, ca, encrypted: config.dme.startsWith("https:") };
  }
  const file = join(config.data, "up.json");
  const found = await readPlatformFile(file, config.region, deps.readText);
  const caFile = config.ca ?? (isAbsolute(found.caFile) ? found.caFile : join(dirname(file), found.caFile));
  return { address: config.grpc ? found.grpc : found.rest, ca: await readCa(caFile), encrypted: true };
}

function clientFor(config: Config, target: Target, deps: CliDeps): MatchClient {
  if (!config.grpc) return restMatchClient(target.address, deps.fetcherFor(target.ca));
  if (target.encrypted && target.ca === undefined) {
    throw new DeviceError(
      "By gRPC the roots to trust must be named: give --ca FILE, or --no-tls for a plain connection.",
    );
  }
  return grpcMatchClient(target.address, target.encrypted ? target.ca : undefined);
}

async function* journey(route: readonly Place[], config: Config, deps: CliDeps): AsyncIterable<Place> {
  let first = true;
  for (let round = 0; config.count === 0 || round < config.count; round++) {
    for (const place of route) {
      if (!first) {
        try {
          await deps.clock.sleep(config.interval, deps.stop);
        } catch {
          return;
        }
      }
      first = false;
      yield place;
    }
  }
}

/** Adds to a refusal what the user can do about it. */
function explained(error: unknown, target: Target, config: Config): unknown {
  if (!(error instanceof RpcError)) return error;
  switch (error.code) {
    case Status.NOT_FOUND:
      return new DeviceError(
        `There is no app ${config.app}. ${LIST_OF_APPS}`,
      );
    case Status.UNAVAILABLE:
    case Status.DEADLINE_EXCEEDED: {
      const tls = /certificate|UnknownIssuer/i.test(error.message) ? " Name the roots to trust with --ca FILE." : "";
      const running = config.dme === undefined ? " Is the platform still running?" : "";
      return new DeviceError(
        `Cannot reach the matching engine at ${target.address}: ${error.message}.${tls}${running}`,
      );
    }
    default:
      return new DeviceError(`The matching engine refused: ${error.message}`);
  }
}
