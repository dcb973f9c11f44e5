import { type LoadedIdentity, verifyPeer } from "../../../shared/identity/mod.ts";
import { createNotifyClient, type NotifyClient, roundRobin } from "../../../shared/notify/mod.ts";
import type { Clock, RandomSource } from "../../../shared/runtime/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";
import { ALL_KINDS } from "./feed/feed.ts";

/** What the connection to the region's controllers needs. */
export interface UpstreamOptions {
  readonly region: string;
  /** Name of this run of the process in the tree of replication. */
  readonly instance: string;
  /** `HOST:PORT` of each controller's notify port. */
  readonly addresses: readonly string[];
  readonly identity: LoadedIdentity;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
}

/** Makes this service's end of notify; it connects when started, to controllers of its own region only. */
export function createUpstream(options: UpstreamOptions): NotifyClient {
  const { region, instance, addresses, identity, clock, random } = options;
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
  return createNotifyClient({
    service: "dme",
    region,
    instance,
    wants: ALL_KINDS,
    connect: roundRobin(addresses, channelOptions, () => random.number()),
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
}
