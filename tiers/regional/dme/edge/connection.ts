import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { dme } from "../../../../shared/schema/mod.ts";
import { admit, authenticate, type Caller, invalid, unauthenticated } from "../api/mod.ts";
import { type EdgeEvents, type ProvenSession, type Session, TokenError } from "../cookies/mod.ts";
import { type InstanceKeyShape, isValidPoint } from "../matching/mod.ts";
import { type EdgeClient, edgeCloudletId, edgeInstanceId } from "./clients.ts";
import type { EdgeDesk } from "./desk.ts";
import { locationTile } from "./location_tile.ts";
import { tellOfBetter } from "./pushes.ts";
import { summarize } from "./statistics.ts";
import type { EdgeDevice } from "./stats.ts";

/** Events inside a stream are counted together under this name (DME specification 7). */
export const PERSISTENT_CONNECTION = "PersistentConnection";

/** A client that sends faster than it may is told so at most once in this time. */
const LIMIT_NOTICE_MS = 1000;

const { EVENT_INIT_CONNECTION, EVENT_LATENCY_PROCESSED, EVENT_ERROR } = dme.ServerEdgeEvent_ServerEventType;
const ClientEvent = dme.ClientEdgeEvent_ClientEventType;

/** Where a stream's events go. */
export interface EdgeOutlet {
  /** Queues an event; false when there is no room for it, because the client does not read. */
  send(event: dme.ServerEdgeEvent): boolean;
  /**
   * Ends the stream, once, after what was queued.
   *
   * @param error why, unless it ended well
   * @param cut whether what was queued is not worth waiting for
   */
  end(error: RpcError | undefined, cut: boolean): void;
}

/** What a client has proven and said when its stream began, and since. */
interface Live {
  readonly client: EdgeClient;
  readonly instance: InstanceKeyShape;
  readonly deviceStatic: dme.DeviceInfoStatic;
  device: dme.DeviceInfoDynamic;
  tile: string;
}

/**
 * The state machine of one event stream (DME specification 5.1), whatever carries it. Events must be handed to it one
 * after another.
 */
export class EdgeConnection {
  readonly #desk: EdgeDesk;
  readonly #caller: Caller;
  readonly #outlet: EdgeOutlet;
  #live: Live | undefined;
  #over = false;
  #limitToldMs = -Infinity;
  #cancelTimer: () => void;
  /** Called once when the stream has ended. */
  onEnd: () => void = () => {};

  /** Opens a stream; whether the caller may have one is settled before. */
  constructor(desk: EdgeDesk, caller: Caller, outlet: EdgeOutlet) {
    this.#desk = desk;
    this.#caller = caller;
    this.#outlet = outlet;
    const timer = desk.clock.setTimer(() => {
      const text = `EVENT_INIT_CONNECTION did not come within ${desk.limits.initMs / 1000} s`;
      this.end(new RpcError(Status.DEADLINE_EXCEEDED, text));
    }, desk.limits.initMs);
    this.#cancelTimer = () => timer.cancel();
    desk.opened(this);
  }

  /** Whether the stream has ended; nothing is sent from then on. */
  get over(): boolean {
    return this.#over;
  }

  /** Takes an event of the client. Faults of the client end the stream or are answered; never rejects. */
  async receive(event: dme.ClientEdgeEvent): Promise<void> {
    if (this.#over) return;
    try {
      if (this.#live === undefined) await this.#begin(event);
      else await this.#take(this.#live, event);
    } catch (error) {
      this.end(RpcError.from(error));
    }
  }

  /** The client sends no more. */
  inputEnded(): void {
    // Whoever ends in good order after the beginning has only left out to say so.
    this.end(this.#live === undefined ? invalid("The stream ended before EVENT_INIT_CONNECTION came") : undefined);
  }

  /** Ends the stream. @param error why, unless all is well. @param cut without waiting for a client that does not read */
  end(error?: RpcError, cut = false): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    if (this.#live !== undefined) this.#desk.clients.remove(this.#live.client);
    this.#desk.closed(this, error);
    this.#outlet.end(error, cut);
    this.onEnd();
  }

  #send(event: Parameters<typeof dme.ServerEdgeEvent.create>[0]): void {
    if (this.#over || this.#outlet.send(dme.ServerEdgeEvent.create(event))) return;
    this.end(new RpcError(Status.RESOURCE_EXHAUSTED, "The client does not read its events"), true);
  }

  async #begin(event: dme.ClientEdgeEvent): Promise<void> {
    if (event.eventType !== ClientEvent.EVENT_INIT_CONNECTION) {
      throw invalid("The first event must be EVENT_INIT_CONNECTION");
    }
    const { desk, stats, clients } = this.#desk;
    const session = await authenticate(desk, event.sessionCookie);
    const edge = await this.#proven(event.edgeEventsCookie);
    // The client may have gone, or the time may be over, while the cookies were looked at.
    if (this.#over) return;
    this.#cancelTimer();
    const device = event.deviceInfoDynamic ?? dme.DeviceInfoDynamic.create();
    const instance = instanceKey(session, edge);
    const client = this.#client(session, edge, instance, device.carrierName);
    const deviceStatic = event.deviceInfoStatic ?? dme.DeviceInfoStatic.create();
    this.#live = { client, instance, deviceStatic, device, tile: this.#tile(client.location) };
    clients.add(client);
    stats.session(describe(this.#live, device, client.carrier, this.#live.tile));
    this.#send({ eventType: EVENT_INIT_CONNECTION });
  }

  async #proven(cookie: string): Promise<EdgeEvents> {
    const { edgeEvents } = this.#desk.desk;
    try {
      return edgeEvents.recall(cookie) ?? await edgeEvents.verify(cookie);
    } catch (error) {
      if (error instanceof TokenError) throw unauthenticated(`Edge events cookie ${error.message}`);
      throw error;
    }
  }

  #client(session: ProvenSession, edge: EdgeEvents, instance: InstanceKeyShape, carrier: string): EdgeClient {
    const { app } = session;
    const id = edgeInstanceId(app, instance.clusterInstKey);
    const first = { id, entry: this.#desk.desk.tables.instance(instance) };
    return {
      session,
      app,
      instance: id,
      cloudlet: edgeCloudletId(instance.clusterInstKey.cloudletKey),
      carrier,
      location: dme.Loc.create(edge.location),
      first,
      given: first,
      send: (event) => this.#send(event),
    };
  }

  async #take(live: Live, event: dme.ClientEdgeEvent): Promise<void> {
    if (event.eventType === ClientEvent.EVENT_TERMINATE_CONNECTION) return this.end();
    if (!await this.#admitted(live.client) || this.#over) return;
    switch (event.eventType) {
      case ClientEvent.EVENT_LATENCY_SAMPLES:
        return this.#latency(live, event);
      case ClientEvent.EVENT_LOCATION_UPDATE:
        return await this.#moved(live, event);
      case ClientEvent.EVENT_CUSTOM_EVENT:
        return this.#custom(live, event);
      case ClientEvent.EVENT_UNKNOWN:
      case ClientEvent.EVENT_INIT_CONNECTION:
      default:
        return this.#complain(`Unknown event type ${event.eventType}`);
    }
  }

  /** Holds the client to the rate of events; over it the event is dropped. */
  async #admitted({ session }: EdgeClient): Promise<boolean> {
    const { desk, clock } = this.#desk;
    try {
      const turn = admit(desk, PERSISTENT_CONNECTION, this.#caller, session);
      if (turn !== undefined) await turn;
      return true;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const nowMs = clock.monotonic();
      if (nowMs - this.#limitToldMs >= LIMIT_NOTICE_MS) {
        this.#limitToldMs = nowMs;
        this.#complain(error.message);
      }
      return false;
    }
  }

  #latency(live: Live, event: dme.ClientEdgeEvent): void {
    const { gpsLocation } = event;
    if (!this.#placed(gpsLocation)) return;
    const values = event.samples.map(({ value }) => value);
    const { count, avg, min, max, stdDev, variance } = summarize(values);
    const device = event.deviceInfoDynamic ?? live.device;
    const carrier = device.carrierName || live.client.carrier;
    this.#desk.stats.latency(describe(live, device, carrier, this.#tile(gpsLocation)), values);
    const nowMs = this.#desk.desk.now();
    const timestamp = { seconds: Math.floor(nowMs / 1000), nanos: Math.floor(nowMs % 1000) * 1_000_000 };
    this.#send({
      eventType: EVENT_LATENCY_PROCESSED,
      statistics: { avg, min, max, stdDev, variance, numSamples: count, timestamp },
    });
  }

  async #moved(live: Live, event: dme.ClientEdgeEvent): Promise<void> {
    const { gpsLocation } = event;
    if (!this.#placed(gpsLocation)) return;
    const { client } = live;
    const device = event.deviceInfoDynamic ?? live.device;
    const tile = this.#tile(gpsLocation);
    const { dataNetworkType, signalStrength } = live.device;
    // A carrier that alone has changed is not taken over (specification 5.2).
    if (dataNetworkType !== device.dataNetworkType || signalStrength !== device.signalStrength || tile !== live.tile) {
      live.device = device;
      live.tile = tile;
      client.carrier = device.carrierName;
      this.#desk.stats.session(describe(live, device, client.carrier, tile));
    }
    client.location = gpsLocation;
    // Compared with what the stream began with: told again until the client opens a new one.
    await tellOfBetter(this.#desk.desk, client, client.first, (id) => id !== client.instance);
  }

  #custom(live: Live, { customEvent, samples }: dme.ClientEdgeEvent): void {
    if (customEvent === "") return this.#complain("custom_event is empty");
    if (customEvent.length > this.#desk.limits.customNameCharacters) return this.#complain("custom_event is too long");
    this.#desk.stats.custom(live.instance, customEvent, samples.map(({ value }) => value));
  }

  #placed(location: dme.Loc | undefined): location is dme.Loc {
    if (location !== undefined && isValidPoint(location)) return true;
    this.#complain(location === undefined ? "gps_location is missing" : "gps_location is invalid");
    return false;
  }

  #complain(errorMsg: string): void {
    this.#desk.refused();
    this.#send({ eventType: EVENT_ERROR, errorMsg });
  }

  #tile(place: { latitude: number; longitude: number }): string {
    return locationTile(place, this.#desk.tileSideKm());
  }
}

function instanceKey(session: Session, edge: EdgeEvents): InstanceKeyShape {
  return {
    appKey: { organization: session.organization, name: session.appName, version: session.appVersion },
    clusterInstKey: {
      clusterKey: { name: edge.clusterName },
      cloudletKey: { organization: edge.cloudletOrganization, name: edge.cloudletName, federatedOrganization: "" },
      organization: edge.clusterOrganization,
    },
  };
}

function describe(live: Live, device: dme.DeviceInfoDynamic, carrier: string, locationTile: string): EdgeDevice {
  return {
    instance: live.instance,
    carrier,
    deviceOs: live.deviceStatic.deviceOs,
    deviceModel: live.deviceStatic.deviceModel,
    dataNetworkType: device.dataNetworkType,
    signalStrength: Number(device.signalStrength),
    locationTile,
  };
}
