// Devices of `bench:dme`, many in one process.
import type { Http2Client } from "../../../shared/http2/mod.ts";
import { dme } from "../../../shared/schema/mod.ts";
import { serveCommands, wallMs } from "../rpc/process.ts";
import { churn, type ChurnLoad } from "./churn_load.ts";
import { type Device, makeDevices } from "./devices.ts";
import { findByGrpc, openEvents, openGrpc, openRest, REST_FIND_PATH, type Target } from "./links.ts";
import { findJson, type FindLoad, findMessage, loadFind, pacedFind, registerDevices } from "./load.ts";
import { makeWorld, MARKER_APP, STREAM_APP, type World } from "./world.ts";

/** The engine that this process calls. */
export interface Aim {
  readonly rest: number;
  readonly grpc: number;
  readonly ca: string;
  readonly instances: number;
  readonly devices: number;
}

let aim: Aim;
let world: World;
let devices: Device[] = [];
let marker: Device;
const streams: Http2Client[] = [];
/** Events still to come, and when the last came. */
let awaited = 0;
let arrived = Promise.withResolvers<number>();

const rest = (): Target => ({ port: aim.rest, ca: aim.ca });
const grpc = (): Target => ({ port: aim.grpc, ca: aim.ca });

/** A device of any carrier, next to the first instance of an app. */
function userOf(device: Device, app: string): Device {
  const { latitude, longitude } = world.apps.get(app)![0]!;
  return { ...device, app, carrier: "", carrierName: "", latitude, longitude };
}

async function openStream(client: Http2Client, device: Device): Promise<void> {
  const reply = dme.FindCloudletReply.decode(await findByGrpc(client, findMessage(device)));
  const first = dme.ClientEdgeEvent.create({
    eventType: dme.ClientEdgeEvent_ClientEventType.EVENT_INIT_CONNECTION,
    sessionCookie: device.sessionCookie,
    edgeEventsCookie: reply.edgeEventsCookie,
    deviceInfoStatic: { deviceOs: "android", deviceModel: "one" },
    deviceInfoDynamic: { dataNetworkType: "LTE", carrierName: "" },
  });
  const answer = await openEvents(client, dme.ClientEdgeEvent.encode(first), () => {
    if (--awaited === 0) arrived.resolve(wallMs());
  });
  const { eventType } = dme.ServerEdgeEvent.decode(answer);
  if (eventType !== dme.ServerEdgeEvent_ServerEventType.EVENT_INIT_CONNECTION) {
    throw new Error(`A stream was answered with event ${eventType}`);
  }
}

await serveCommands({
  async aim(to: Aim) {
    aim = to;
    world = makeWorld(to.instances);
    devices = makeDevices(world, to.devices, 1);
    marker = userOf(devices[0]!, MARKER_APP);
    await registerDevices([...devices, marker], rest());
  },
  /** A reply of the engine, as both faces give it. */
  async reply() {
    const [link, client] = [await openRest(rest()), await openGrpc(grpc())];
    const json = JSON.parse((await link.post(REST_FIND_PATH, findJson(devices[0]!))).toString());
    const message = (await findByGrpc(client, findMessage(devices[0]!))).toBase64();
    link.close();
    client.close();
    return { json, message };
  },
  find: (load: FindLoad) => loadFind(world, devices, aim.ca, load),
  /** Paced calls for some time: how long they took, ms. */
  pace(forMs: number) {
    const end = performance.now() + forMs;
    return pacedFind(devices, grpc(), () => performance.now() > end);
  },
  /** Paced calls until the marker's instance has a name: those calls, and when that was. */
  async paceUntil(uri: string) {
    const client = await openGrpc(grpc());
    let seen = 0;
    const poll = (async () => {
      while (seen === 0) {
        const reply = dme.FindCloudletReply.decode(await findByGrpc(client, findMessage(marker)));
        if (reply.fqdn === uri) seen = wallMs();
        else await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    const paced = await pacedFind(devices, grpc(), () => seen > 0);
    await poll;
    client.close();
    return { ...paced, seen };
  },
  /** Connections without a stream. */
  async connect(connections: number) {
    for (let i = 0; i < connections; i++) streams.push(await openGrpc(grpc()));
  },
  /** Event streams on each of them. */
  async openStreams(perConnection: number) {
    const users = Array.from(
      { length: perConnection },
      (_, at) => userOf(devices[at % devices.length]!, STREAM_APP),
    );
    await registerDevices(users, rest());
    for (const client of streams) await Promise.all(users.map((user) => openStream(client, user)));
  },
  expect(events: number) {
    awaited = events;
    arrived = Promise.withResolvers();
  },
  /** When the last of the expected events came. */
  last: () => arrived.promise,
  closeStreams() {
    for (const client of streams.splice(0)) client.close();
  },
  churn: (load: ChurnLoad) => churn(devices, { rest: rest(), grpc: grpc() }, load),
});
