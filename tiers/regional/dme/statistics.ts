import { type NotifyKind, typedReplica } from "../../../shared/notify/mod.ts";
import { Status } from "../../../shared/rpc/mod.ts";
import { hostName } from "../../../shared/runtime/mod.ts";
import {
  AppInstClient,
  AppInstClientWatchKind,
  AppInstKind,
  AppKind,
  AutoProvCounts,
  AutoProvPolicyKind,
  type CloudletKey,
  CloudletKind,
  ClusterInstKind,
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
  Demand,
  DEMAND_MESSAGE,
  DEVICE_MESSAGE,
  DeviceLog,
  type DmeName,
  type DmeSettings,
  dmeSettings,
  EdgeCollector,
  uploadPoints,
} from "./stats/mod.ts";
import type { Upstream } from "./upstream.ts";

/** What this process counts and writes down, for those who serve its calls. */
export interface Statistics {
  readonly observe: CallObserver;
  readonly edge: EdgeStats;
  readonly records: Records;
  /** The region's settings, as they are now. */
  settings(): DmeSettings;
}

/**
 * Counts and records what devices do, and has it sent to the region's controller. On a cloudlet these are metrics alone:
 * of a site the controller believes neither demand, which would cost developers money, nor records of devices.
 *
 * @param site the cloudlet on which this process runs, if any
 */
export function keepStatistics(
  context: ServiceContext<ConfigOf<typeof dmeOptions>>,
  upstream: Upstream,
  tables: RegionTables,
  site: CloudletKey | undefined,
): Statistics {
  const { config, clock, log, metrics } = context;
  const replica = typedReplica(upstream.replica(SettingsKind.kind), SettingsKind);
  // Read for every call of a device, and changed by hand only.
  let known: DmeSettings | undefined;
  const forget = () => void (known = undefined);
  upstream.replica(SettingsKind.kind).subscribe({ update: forget, remove: forget });
  const settings = () => known ??= dmeSettings(replica);
  const self: DmeName = {
    dmeId: config.dmeId ?? `${hostName()}@${formatAddress(config.apiAddr)}`,
    cloudlet: site?.name ?? config.cloudlet,
    cloudletOrganization: site?.organization ?? config.cloudletOrg,
  };
  // What nobody would believe counts as told.
  const tell = (type: string, value: Uint8Array) => site !== undefined || upstream.client.send(type, value);
  const api = new ApiStats((app) => tables.app(app) !== undefined);
  const edge = new EdgeCollector();
  const clients = new ClientLog({
    now: () => clock.now(),
    max: () => settings().maxClients,
    keepMs: () => settings().keepClientsMs,
    send: (client) => tell(CLIENT_MESSAGE, AppInstClient.encode(client)),
  });
  const devices = new DeviceLog(
    (device) => tell(DEVICE_MESSAGE, Device.encode(device)),
    () => clock.now(),
  );
  upstream.client.onState((state) => {
    if (state === "waiting") devices.forget();
  });
  const demand = new Demand({
    dmeId: self.dmeId,
    platformOrganization: config.platformOrg,
    now: () => clock.now(),
    send: (counts) => tell(DEMAND_MESSAGE, AutoProvCounts.encode(counts)),
  });
  if (site === undefined) {
    followClients(upstream, clients);
    followDemand(upstream, demand);
  }
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
    {
      // Demand travels by itself, as the controller may have to act on it.
      collect() {
        const counts = demand.collect();
        if (counts !== undefined) tell(DEMAND_MESSAGE, AutoProvCounts.encode(counts));
        return [];
      },
      intervalMs: () => settings().demandMs,
    },
  ];
  context.onClose("statistics", uploadPoints(sources, { clock, log, sender: upstream.client }));

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
      searched: (app, carrier, from, foundKm) => demand.searched(app, carrier, from, foundKm),
      registered: (session) => devices.registered(session),
    },
  };
}

/** Lets the log know who watches, and which instances go. */
function followClients(upstream: Upstream, clients: ClientLog): void {
  upstream.replica(AppInstClientWatchKind.kind).subscribe({
    update: (id, value) => clients.watch(id, AppInstClientWatchKind.message.decode(value).key),
    remove: (id) => clients.unwatch(id),
  });
  upstream.replica(AppInstKind.kind).subscribe({
    remove: (key) => clients.removeInstance(AppInstKind.parseKey(key)),
  });
}

/** Lets demand be counted by the region's policies, apps, sites and free clusters. */
function followDemand(upstream: Upstream, demand: Demand): void {
  function follow<T, K>(kind: NotifyKind<T, K>, set: (object: T) => void, remove: (key: K) => void): void {
    typedReplica(upstream.replica(kind.kind), kind).subscribe({
      update: (object) => set(object),
      remove: (old) => remove(kind.key(old)),
    });
  }
  follow(AutoProvPolicyKind, (policy) => demand.setPolicy(policy), (key) => demand.removePolicy(key));
  follow(ClusterInstKind, (cluster) => demand.setCluster(cluster), (key) => demand.removeCluster(key));
  follow(
    CloudletKind,
    ({ key, location, allianceOrgs }) => demand.setCloudlet({ key, location, allianceOrgs }),
    (key) => demand.removeCloudlet(key),
  );
  follow(
    AppKind,
    ({ key, autoProvPolicies, deployment, defaultFlavor }) =>
      demand.setApp({ key, autoProvPolicies, deployment, defaultFlavor }),
    (key) => demand.removeApp(key),
  );
}
