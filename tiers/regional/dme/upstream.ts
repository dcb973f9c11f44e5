import { type LoadedIdentity, verifyPeer } from "../../../shared/identity/mod.ts";
import { createNotifyClient, type NotifyClient, type Replica, roundRobin } from "../../../shared/notify/mod.ts";
import type { Clock, RandomSource } from "../../../shared/runtime/mod.ts";
import { type CloudletKey, CloudletKind, siteViewName } from "../../../shared/schema/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";
import { ALL_KINDS, WANTED_KINDS } from "./feed/feed.ts";
import { slices } from "./slices.ts";

/** What the connection to the region's controllers needs. */
export interface UpstreamOptions {
  readonly region: string;
  /** Name of this run of the process in the tree of replication. */
  readonly instance: string;
  /** `HOST:PORT` of each controller's notify port. */
  readonly addresses: readonly string[];
  readonly identity: LoadedIdentity;
  /** The cloudlet on which this process runs; it is sent less there. @default none */
  readonly site?: CloudletKey;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
}

/** The connection, by names of kinds that are the same on a cloudlet. */
export interface Upstream {
  readonly client: NotifyClient;
  /** Kinds that are followed. */
  readonly kinds: readonly string[];
  /** One of these kinds; on a cloudlet its objects hold only what devices are told by. */
  replica(kind: string): Replica;
}

/** Makes this service's end of notify; it connects when started, to controllers of its own region only. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { region, instance, addresses, identity, site, clock, random } = options;
  const kinds = site === undefined ? ALL_KINDS : WANTED_KINDS;
  const nameOf = (kind: string) => site === undefined ? kind : siteViewName(kind);
  const log = options.log.topic("notify");
  const controllers = [{ tier: "regional", region, services: ["controller"] }] as const;
  const channelOptions = () => ({
    tls: {
      ca: identity.ca,
      cert: identity.cert,
      key: identity.key,
      verifyPeer: (chain: readonly Uint8Array[]) => void verifyPeer(chain, controllers, clock.now()),
    },
  });
  let hasBeenInStep = false;
  const client = createNotifyClient({
    service: "dme",
    region,
    instance,
    cloudlet: site && CloudletKind.keyString(site),
    wants: kinds.map(nameOf),
    connect: roundRobin(addresses, channelOptions, () => random.number()),
    pause: slices(clock, () => hasBeenInStep),
    clock: {
      now: () => clock.now(),
      after: (ms, task) => {
        const timer = clock.setTimer(task, ms);
        return () => timer.cancel();
      },
    },
    random: () => random.number(),
    log: (level, message, fields) => log[level](message, fields),
  });
  client.onState((state) => hasBeenInStep ||= state === "inStep");
  return { client, kinds, replica: (kind) => client.replica(nameOf(kind)) };
}
