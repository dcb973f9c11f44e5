import { dme } from "../../../../shared/schema/mod.ts";
import {
  type Desk,
  foundReply,
  type RegionApp,
  type RegionAppInst,
  type RegionInstance,
  searchFor,
} from "../api/mod.ts";
import {
  appId,
  CLOUDLET_NOT_PRESENT,
  CLOUDLET_READY,
  HEALTH_OK,
  NORMAL_OPERATION,
  type TableWatcher,
  UNDER_MAINTENANCE,
} from "../matching/mod.ts";
import { type EdgeClient, type EdgeClients, edgeInstanceId, type Given } from "./clients.ts";

/** Clients told between two pauses, in which calls are answered. */
const TOLD_AT_ONCE = 200;

/** And jobs: well below the events that may wait for one client, so that one that reads is never cut off. */
const JOBS_AT_ONCE = 16;

/** Above so many waiting jobs, one about the same thing takes the place of an older one. */
const MAX_DISTINCT_JOBS = 1000;

const { EVENT_LATENCY_REQUEST, EVENT_CLOUDLET_STATE, EVENT_CLOUDLET_MAINTENANCE, EVENT_APPINST_HEALTH } =
  dme.ServerEdgeEvent_ServerEventType;

/** What is told of an instance that serves no more, for whatever reason. */
const FAILED = { eventType: EVENT_APPINST_HEALTH, healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL };

/** Tells devices what happens to what they use. */
export interface Pushes {
  /** Is to be told of the region's changes. */
  readonly watcher: TableWatcher<RegionApp, RegionAppInst>;
  /** Asks all clients of an instance for latencies. @returns how many are asked */
  requestLatency(instance: RegionAppInst["key"]): number;
  /** Resolves when all that has happened so far was told. */
  settled(): Promise<void>;
}

/** What is to be told to whom; looked at only when it is its turn. */
type Job = () => { clients: Iterable<EdgeClient>; tell(client: EdgeClient): Promise<void> | void };
type Event = Parameters<typeof dme.ServerEdgeEvent.create>[0];

/** What pushes are made with. */
export interface PushesOptions {
  readonly desk: Desk;
  readonly clients: EdgeClients;
  /** Lets other work of the process go on. */
  readonly pause: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * Makes the pushes of a region (DME specification 5.3). They are sent one after another, outside the change that caused
 * them and with pauses: neither the tables nor calls wait for them.
 */
export function createPushes({ desk, clients, pause, onError }: PushesOptions): Pushes {
  const jobs = new Map<string, Job>();
  /** Instances that have become available and nobody was told of, by the id of their app. */
  const available = new Map<string, Set<string>>();
  let count = 0;
  let running: Promise<void> | undefined;

  function enqueue(about: string, job: Job): void {
    jobs.set(jobs.size < MAX_DISTINCT_JOBS ? `${about}\n${count++}` : about, job);
    running ??= run().finally(() => running = undefined);
  }

  async function run(): Promise<void> {
    // First the change that caused it is brought to its end.
    await pause();
    let told = 0;
    let done = 0;
    for (const [key, job] of jobs) {
      jobs.delete(key);
      if (++done % JOBS_AT_ONCE === 0) await pause();
      const { clients, tell } = job();
      for (const client of clients) {
        try {
          await tell(client);
        } catch (error) {
          onError(error);
        }
        if (++told % TOLD_AT_ONCE === 0) await pause();
      }
    }
  }

  /** The same event for all of a set. @param replace whether each is offered another instance with it */
  function notice(about: string, set: ReadonlySet<EdgeClient> | undefined, event: Event, replace: boolean): void {
    if (set === undefined) return;
    const base = dme.ServerEdgeEvent.create(event);
    const tell = replace
      ? (client: EdgeClient) => offer(desk, client, base)
      : (client: EdgeClient) => client.send(base);
    enqueue(about, () => ({ clients: set, tell }));
  }

  function announce(app: string): Job {
    return () => {
      const fresh = available.get(app)!;
      available.delete(app);
      return {
        clients: clients.ofApp(app) ?? [],
        tell: (client) => tellOfBetter(desk, client, client.given, (id) => fresh.has(id) && client.given?.id !== id),
      };
    };
  }

  return {
    watcher: {
      maintenance({ id }, state) {
        const maintenanceState = state as dme.MaintenanceState;
        if (maintenanceState === NORMAL_OPERATION) return;
        const event = { eventType: EVENT_CLOUDLET_MAINTENANCE, maintenanceState };
        notice(`maintenance ${id}`, clients.ofCloudlet(named(id)), event, maintenanceState === UNDER_MAINTENANCE);
      },
      cloudletState({ id }, state) {
        if (state === CLOUDLET_READY) return;
        const event = { eventType: EVENT_CLOUDLET_STATE, cloudletState: state as dme.CloudletState };
        notice(`state ${id}`, clients.ofCloudlet(named(id)), event, true);
      },
      health(entry, health) {
        if (health === HEALTH_OK) return;
        const event = { eventType: EVENT_APPINST_HEALTH, healthCheck: health as dme.HealthCheck };
        notice(`health ${entry.id}`, clients.ofInstance(idOf(entry)), event, true);
      },
      available(entry) {
        const app = entry.app.id;
        if (clients.ofApp(app) === undefined) return;
        const waiting = available.get(app);
        if (waiting !== undefined) return void waiting.add(idOf(entry));
        available.set(app, new Set([idOf(entry)]));
        enqueue(`available ${app}`, announce(app));
      },
      unready: (entry) => notice(`health ${entry.id}`, clients.ofInstance(idOf(entry)), FAILED, true),
      instanceGone: (entry) => notice(`gone ${entry.id}`, clients.dropInstance(idOf(entry)), FAILED, true),
      cloudletGone({ id }) {
        const event = { eventType: EVENT_CLOUDLET_STATE, cloudletState: CLOUDLET_NOT_PRESENT as dme.CloudletState };
        notice(`gone ${id}`, clients.dropCloudlet(named(id)), event, true);
      },
    },
    requestLatency({ appKey, clusterInstKey }) {
      const id = edgeInstanceId(appId(appKey.organization, appKey.name, appKey.version), clusterInstKey);
      const set = clients.ofInstance(id);
      notice(`latency ${id}`, set, { eventType: EVENT_LATENCY_REQUEST }, false);
      return set?.size ?? 0;
    },
    async settled() {
      while (running !== undefined) await running;
    },
  };
}

/** Tells a client that what it uses is of no use any more, and what it can use instead. */
async function offer(desk: Desk, client: EdgeClient, base: dme.ServerEdgeEvent): Promise<void> {
  const match = searchFor(desk, client.app, client.carrier, client.location);
  if (match === undefined) {
    client.given = undefined;
    const errorMsg = "The instance in use is unusable, and the search for another one ended with FIND_NOTFOUND";
    return client.send({ ...base, errorMsg });
  }
  client.given = { id: idOf(match.member), entry: match.member };
  client.send({ ...base, newCloudlet: (await foundReply(desk, match.member, client.location)).plain() });
}

/**
 * Searches for a client and tells it of what was found if that is wanted. Where instances that are almost equally near
 * share the load by chance, nobody is sent from one of them to another.
 *
 * @param held the instance with which another one is compared
 * @param wanted judges what was found
 */
export async function tellOfBetter(
  desk: Desk,
  client: EdgeClient,
  held: Given | undefined,
  wanted: (id: string) => boolean,
): Promise<void> {
  const { app, carrier, location } = client;
  const match = searchFor(desk, app, carrier, location);
  if (match === undefined) return;
  const id = idOf(match.member);
  if (!wanted(id)) return;
  const entry = held?.entry;
  if (entry?.usable) {
    const query = { carrier, latitude: location.latitude, longitude: location.longitude };
    const km = desk.matcher.distanceTo(entry.app.candidates, query, entry);
    if (km !== undefined && desk.matcher.isTie(km, match.distanceKm)) return;
  }
  client.given = { id, entry: match.member };
  const newCloudlet = (await foundReply(desk, match.member, location)).plain();
  client.send(
    dme.ServerEdgeEvent.create({
      eventType: dme.ServerEdgeEvent_ServerEventType.EVENT_CLOUDLET_UPDATE,
      newCloudlet,
    }),
  );
}

function idOf({ app, instance }: RegionInstance): string {
  return edgeInstanceId(app.id, instance.key.clusterInstKey);
}

/** A cloudlet's table id without the federation, which cookies do not name. */
function named(cloudlet: string): string {
  return cloudlet.slice(0, cloudlet.lastIndexOf("\n"));
}
