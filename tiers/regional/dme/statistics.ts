import { type NotifyClient, typedReplica } from "../../../shared/notify/mod.ts";
import { Status } from "../../../shared/rpc/mod.ts";
import { hostName } from "../../../shared/runtime/mod.ts";
import {
  AppInstClient,
  AppInstClientWatchKind,
  AppInstKind,
  Device,
  SettingsKind,
} from "../../../shared/schema/mod.ts";
import { type ConfigOf, formatAddress, type ServiceContext } from "../../../shared/service/mod.ts";
import type { CallObserver, Records, RegionTables } from "./api/mod.ts";
import type { EdgeStats } from "./edge/mod.ts";
import type { dmeOptions } from "./options.ts";
import {
  ApiStats,
  CLIENT_MESSAGE,
  ClientLog,
  DEVICE_MESSAGE,
  DeviceLog,
  type DmeName,
  type DmeSettings,
  dmeSettings,
  EdgeCollector,
  uploadPoints,
} from "./stats/mod.ts";

/** What this process counts and writes down, for those who serve its calls. */
export interface Statistics {
  readonly observe: CallObserver;
  readonly edge: EdgeStats;
  readonly records: Records;
  /** The region's settings, as they are now. */
  settings(): DmeSettings;
}

/** Counts and records what devices do, and has it sent to the region's controller. */
export function keepStatistics(
  context: ServiceContext<ConfigOf<typeof dmeOptions>>,
  upstream: NotifyClient,
  tables: RegionTables,
): Statistics {
  const { config, clock, log, metrics } = context;
  const replica = typedReplica(upstream.replica(SettingsKind.kind), SettingsKind);
  const settings = () => dmeSettings(replica);
  const self: DmeName = {
    dmeId: config.dmeId ?? `${hostName()}@${formatAddress(config.apiAddr)}`,
    cloudlet: config.cloudlet,
    cloudletOrganization: config.cloudletOrg,
  };
  const api = new ApiStats((app) => tables.app(app) !== undefined);
  const edge = new EdgeCollector();
  const clients = new ClientLog({
    now: () => clock.now(),
    max: () => settings().maxClients,
    keepMs: () => settings().keepClientsMs,
    send: (client) => upstream.send(CLIENT_MESSAGE, AppInstClient.encode(client)),
  });
  const devices = new DeviceLog(
    (device) => upstream.send(DEVICE_MESSAGE, Device.encode(device)),
    () => clock.now(),
  );
  upstream.onState((state) => {
    if (state === "waiting") devices.forget();
  });
  followClients(upstream, clients);
  metrics.gauge({ name: "dme_statistics_dropped", help: "Calls and events not counted, as names were too many." })
    .collect(() => api.dropped + edge.dropped);

  const sources = [
    { collect: (nowMs: number) => api.collect(self, nowMs), intervalMs: () => settings().apiMetricsMs },
    {
      collect(nowMs: number) {
        clients.sweep();
        return edge.collect(self, nowMs);
      },
      intervalMs: () => settings().edgeMetricsMs,
    },
  ];
  context.onClose("statistics", uploadPoints(sources, { clock, log, sender: upstream }));

  return {
    observe: (method, code, durationMs, note) => api.count(method, note, code !== Status.OK, durationMs, clock.now()),
    edge,
    settings,
    records: {
      found(session, app, { member, carrier }, location) {
        if (session.uniqueIdType === config.monitorUuidType) return;
        const { name } = member.instance.key.clusterInstKey.cloudletKey;
        clients.found(app, session, name, carrier, location);
      },
      registered: (session) => devices.registered(session),
    },
  };
}

/** Lets the log know who watches, and which instances go. */
function followClients(upstream: NotifyClient, clients: ClientLog): void {
  upstream.replica(AppInstClientWatchKind.kind).subscribe({
    update: (id, value) => clients.watch(id, AppInstClientWatchKind.message.decode(value).key),
    remove: (id) => clients.unwatch(id),
  });
  upstream.replica(AppInstKind.kind).subscribe({
    remove: (key) => clients.removeInstance(AppInstKind.parseKey(key)),
  });
}
