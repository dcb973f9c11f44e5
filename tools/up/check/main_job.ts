import type { Clock } from "../../../shared/runtime/mod.ts";
import {
  createDevice,
  type Device,
  type DeviceStep,
  type Place,
  restMatchClient,
  systemConnector,
  systemFetcher,
} from "../../device/mod.ts";
import { demoWorld, openSessions, type Session } from "../demo/mod.ts";
import type { UpInfo } from "../info.ts";
import { startTime } from "../proc.ts";

/** The job could not be done; the message says where it stuck. */
export class CheckError extends Error {
  override readonly name = "CheckError";
}

/** What the job needs. */
export interface MainJobOptions {
  info: UpInfo;
  ca: string;
  /** Log-in of the developer whose app is used. */
  developer: { user: string; password: string };
  clock: Clock;
  signal: AbortSignal;
  /** Told each thing that was done. */
  did(text: string): void;
}

/** Longest wait for anything to come about, ms. */
const LIMIT_MS = 60_000;
const POLL_MS = 100;

interface Instance {
  key: { app_key: { name: string }; cluster_inst_key: { cloudlet_key: { organization: string; name: string } } };
  state: string;
  runtime_info?: { container_ids?: string[] };
}

/** Registers a device, has it find and reach the nearest back-end, takes that away, and sees it come back. */
export async function doMainJob(options: MainJobOptions): Promise<void> {
  const { info, ca, did, developer } = options;
  const region = Object.keys(info.regions)[0]!;
  const world = demoWorld();
  const app = world.apps[0]!;
  const operator = world.operators[0]!;
  const nearest = operator.sites[0]!;
  const sessions = openSessions(info.masterController.rest, ca);
  const client = restMatchClient(info.regions[region]!.dme.rest, systemFetcher(ca));
  try {
    const session = await sessions.login(developer.user, developer.password);
    did(`logged in as ${developer.user}`);
    const sites = (await instancesOf(session, region, app.name)).map(siteOf);
    did(`${app.organization}'s ${app.name} runs at ${sites.join(", ")}`);
    const device = createDevice({
      client,
      connect: systemConnector(ca),
      app,
      carrier: "",
      monotonicMs: () => options.clock.monotonic(),
    });
    await device.register();
    did("a device has registered");
    const first = await reach(options, device, nearest, (step) => step.found!.cloudlet.name === nearest.name);
    did(`in ${nearest.name} it is sent to ${told(first)}`);
    const killed = await until(options, `the device to be sent elsewhere than ${nearest.name}`, async () => {
      const pid = await processAt(session, region, app.name, nearest.name);
      // killed again when it is back before the device has looked; it comes back later each time
      if (pid !== undefined && startTime(pid) !== undefined) Deno.kill(pid, "SIGKILL");
      const step = await device.step(nearest);
      return step.answer && step.found!.cloudlet.name !== nearest.name ? step : undefined;
    });
    did(`the instance in ${nearest.name} was killed; the device is sent to ${told(killed)}`);
    await reach(options, device, nearest, (step) => step.found!.cloudlet.name === nearest.name);
    did(`the instance in ${nearest.name} is back, and chosen again`);
  } finally {
    client.close();
    sessions.close();
  }
}

function told(step: DeviceStep): string {
  const { found, answer } = step;
  const text = answer!.text.trim().replaceAll(/\s+/g, " ");
  return `${found!.cloudlet.name}, ${found!.distanceKm.toFixed(0)} km away, which answers ${text}`;
}

function siteOf(instance: Instance): string {
  return instance.key.cluster_inst_key.cloudlet_key.name;
}

async function instancesOf(session: Session, region: string, app: string): Promise<Instance[]> {
  const shown = await session.list("auth/ctrl/ShowAppInst", { region, appinst: {} }) as unknown as Instance[];
  const running = shown.filter((instance) => instance.key.app_key.name === app && instance.state === "Ready");
  if (running.length < 2) throw new CheckError(`expected ${app} ready at several sites, found ${running.length}`);
  return running;
}

async function processAt(session: Session, region: string, app: string, site: string): Promise<number | undefined> {
  const instance = (await instancesOf(session, region, app)).find((each) => siteOf(each) === site);
  const id = /\d+/.exec(instance?.runtime_info?.container_ids?.[0] ?? "")?.[0];
  return id === undefined ? undefined : Number(id);
}

function reach(
  options: MainJobOptions,
  device: Device,
  at: Place & { name: string },
  wanted: (step: DeviceStep) => boolean,
): Promise<DeviceStep> {
  return until(options, `a device in ${at.name} to reach a back-end there`, async () => {
    const step = await device.step({ latitude: at.latitude, longitude: at.longitude });
    return step.found && step.answer && wanted(step) ? step : undefined;
  });
}

async function until<T>(options: MainJobOptions, what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const { clock, signal } = options;
  const deadline = clock.monotonic() + LIMIT_MS;
  while (clock.monotonic() < deadline) {
    signal.throwIfAborted();
    const value = await probe();
    if (value !== undefined) return value;
    await clock.sleep(POLL_MS);
  }
  throw new CheckError(`waited ${LIMIT_MS / 1_000} s in vain for ${what}`);
}
