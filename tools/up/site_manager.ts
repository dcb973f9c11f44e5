import { type LoadedIdentity, verifyPeer } from "../../shared/identity/mod.ts";
import { joinNodes } from "../../shared/nodes/mod.ts";
import { createNotifyClient, roundRobin, typedReplica } from "../../shared/notify/mod.ts";
import { type Clock, hostName } from "../../shared/runtime/mod.ts";
import { systemRpcClock } from "../../shared/rpc/mod.ts";
import { type Cloudlet, CloudletKind, NodeKey, PlatformType } from "../../shared/schema/mod.ts";
import { createDebugCommands } from "../../shared/service/mod.ts";
import { createMetrics, type Logger } from "../../shared/telemetry/mod.ts";

/** A site whose resource manager runs on this machine. */
export interface LocalSite {
  organization: string;
  name: string;
  docker: boolean;
}

/** Follows a region's sites. */
export interface SiteManager {
  /** Settles when the sites that the region knows have been told. */
  inStep: Promise<void>;
  stop(): Promise<void>;
}

/** What a site manager is given. */
export interface SiteManagerOptions {
  region: string;
  /** `host:port` of the controller's notify port. */
  notifyAddress: string;
  identity: LoadedIdentity;
  clock: Clock;
  log: Logger;
  /** Called for each site, in order for each, when it comes and when it goes. */
  appeared(site: LocalSite): Promise<void>;
  disappeared(site: LocalSite): Promise<void>;
}

/**
 * Runs beside the region's controller as a child of notify: sites of the region whose `deployment_local` is set get their
 * resource manager from here, so that no service needs the right to start processes.
 */
export function startSiteManager(options: SiteManagerOptions): SiteManager {
  const { identity, region, clock, log } = options;
  const controllers = [{ tier: "regional", region, services: ["controller"] }] as const;
  const instance = `${hostName()}-${crypto.randomUUID().slice(0, 8)}`;
  const client = createNotifyClient({
    service: "up",
    region,
    instance,
    wants: ["Cloudlet"],
    connect: roundRobin([options.notifyAddress], () => ({
      tls: {
        ca: identity.ca,
        cert: identity.cert,
        key: identity.key,
        verifyPeer: (chain) => void verifyPeer(chain, controllers, clock.now()),
      },
    })),
    clock: systemRpcClock,
    log: (level, message, fields) => log[level](message, fields as Record<string, string>),
  });
  const running = new Set<string>();
  const queues = new Map<string, Promise<void>>();

  /** One thing at a time for each site, in the order in which it came. */
  function enqueue(key: string, what: () => Promise<void>): void {
    const next = (queues.get(key) ?? Promise.resolve()).then(what).catch((error) => {
      log.error("site not handled", { site: key, error: error instanceof Error ? error.message : String(error) });
    });
    queues.set(key, next);
  }

  typedReplica(client.replica("Cloudlet"), CloudletKind).subscribe({
    update(cloudlet, _old, key) {
      if (!cloudlet.deploymentLocal || running.has(key)) return;
      running.add(key);
      enqueue(key, () => options.appeared(siteOf(cloudlet)));
    },
    remove(cloudlet, key) {
      if (!running.delete(key)) return;
      enqueue(key, () => options.disappeared(siteOf(cloudlet)));
    },
  });
  joinNodes({
    key: NodeKey.create({ name: instance, type: "up", region }),
    client,
    commands: createDebugCommands(log, createMetrics()),
    describe: () => ({ hostname: hostName(), properties: { pid: String(Deno.pid) } }),
    now: () => clock.now(),
  });
  client.start();
  return {
    inStep: client.whenInStep().then(() => Promise.all(queues.values())).then(() => {}),
    async stop() {
      await client.stop();
      await Promise.all(queues.values());
    },
  };
}

function siteOf({ key, platformType }: Cloudlet): LocalSite {
  return {
    organization: key.organization,
    name: key.name,
    docker: platformType === PlatformType.PLATFORM_TYPE_DOCKER,
  };
}
