import type { DnsDriver } from "../../../shared/dns/mod.ts";
import type { MetricsStore } from "../../../shared/metrics/mod.ts";
import type { NodeTree } from "../../../shared/nodes/mod.ts";
import { createNotifyHub, type NotifyHub } from "../../../shared/notify/mod.ts";
import type { Handlers, RpcServer, Service } from "../../../shared/rpc/mod.ts";
import type { Clock, RandomSource } from "../../../shared/runtime/mod.ts";
import {
  AlertApi,
  AppApi,
  AppInstApi,
  AppInstClientApi,
  AppInstLatencyApi,
  CloudletApi,
  CloudletKeyApi,
  ClusterInstApi,
  Controller as ControllerMessage,
  ControllerApi,
  DebugApi,
  DeviceApi,
  ExecApi,
  kinds,
  MatchApi,
  MetricsApi,
  NodeApi,
  StreamObjApi,
} from "../../../shared/schema/mod.ts";
import type { SecretStore } from "../../../shared/secrets/mod.ts";
import type { Store } from "../../../shared/store/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";
import { Alerts, type AlertSink } from "./alerts/alerts.ts";
import { followInstanceAlerts } from "./alerts/instance_health.ts";
import { receiveAlerts } from "./alerts/receive.ts";
import { alertApi } from "./api/alert_api.ts";
import { dropRevoked } from "./access/revocation.ts";
import type { AccessPoint } from "./api/cloudlet_manifest.ts";
import { cloudletKeyApi } from "./api/cloudlet_key_api.ts";
import { appApi } from "./api/app_api.ts";
import { appInstApi } from "./api/app_inst_api.ts";
import { serveCatalog } from "./api/catalog/mod.ts";
import { cloudletApi } from "./api/cloudlet_api.ts";
import { cleanUpIdleClusters } from "./api/cluster_inst/idle.ts";
import { keepStandingClusters } from "./api/cluster_inst/standing.ts";
import { clusterInstApi } from "./api/cluster_inst_api.ts";
import { controllerApi } from "./api/controller_api.ts";
import { withDryRun } from "./api/dry_run.ts";
import { appInstClientApi } from "./api/app_inst_client_api.ts";
import { metricsApi } from "./api/metrics_api.ts";
import { deviceApi } from "./api/device_api.ts";
import { execApi } from "./api/exec_api.ts";
import { appInstLatencyApi, matchApi } from "./api/match_api.ts";
import { debugApi, nodeApi } from "./api/node_api.ts";
import { openBooks, serveResources, watchResources } from "./api/resources/mod.ts";
import type { ApiContext, AppSurroundings, Timeouts } from "./context.ts";
import type { DriverFiles } from "./drivers/driver_files.ts";
import { ExecSites } from "./exec/sites.ts";
import { resumptions } from "./api/resumptions.ts";
import { streamApi } from "./api/stream_api.ts";
import type { AnyKind } from "./faults.ts";
import { ControllerLease } from "./operations/controller_lease.ts";
import { Operations } from "./operations/operations.ts";
import { startRecovery } from "./operations/recovery.ts";
import { startSweeping } from "./operations/sweep.ts";
import { matchingEngines } from "./replication/matching_engines.ts";
import { autoProvisionerOf, receiveAutoProvInfo } from "./replication/auto_prov.ts";
import { maintainDns } from "./replication/dns_records.ts";
import { receiveReports } from "./replication/owned.ts";
import { publishedNames, publishRegion } from "./replication/publisher.ts";
import { SiteReports } from "./replication/site_reports.ts";
import type { CheckpointInterval } from "./records/checkpoints.ts";
import { ClientWatches } from "./records/client_watches.ts";
import { takeDemand } from "./records/demand_intake.ts";
import { takeDevices } from "./records/device_intake.ts";
import { keepRecords } from "./records/records.ts";
import { receiveVmPoolReports } from "./replication/vm_pool_reports.ts";
import { AppSources, SourceHosts, SourceReader } from "./sources/mod.ts";
import { timestamp } from "./state/object_tx.ts";
import { createRegion, type Region } from "./state/region.ts";
import { RegionCache } from "./state/region_cache.ts";
import { currentSettings, ensureSettings, timeoutsOf } from "./state/settings.ts";
import { claimStore } from "./state/version.ts";

/** What a controller is made of. */
export interface ControllerParts {
  readonly region: string;
  /** Identity among the region's controllers, the same after a restart. */
  readonly id: string;
  /** Name of the machine, for people. */
  readonly hostname?: string;
  readonly store: Store;
  readonly dns: DnsDriver;
  readonly dnsRoot: string;
  /** Organization that owns what the platform itself makes. */
  readonly platformOrg: string;
  /** Take the place of those in the settings. */
  readonly timeouts: Partial<Timeouts>;
  /** Where credentials are kept. @default nowhere */
  readonly secrets?: SecretStore;
  /** Files of drivers. @default nowhere */
  readonly driverFiles?: DriverFiles;
  /** Name of this run of the process in the tree of replication. @default random */
  readonly nodeName?: string;
  /** Makes the controller take part in questions to the processes of its region; without, it serves none. */
  readonly joinNodes?: (hub: NotifyHub) => NodeTree;
  /** @default no places, and nobody to ask */
  readonly apps?: AppSurroundings;
  /** Where services of cloudlets reach the region. @default nowhere */
  readonly access?: AccessPoint;
  /** Whether matching engines on cloudlets are served. @default false */
  readonly siteEngines?: boolean;
  /** Relay for shells, HOST:PORT. @default none */
  readonly edgeTurnAddr?: string;
  /** Bring a store of an earlier data model up to this one. @default false */
  readonly autoUpgrade?: boolean;
  /** Where metrics are kept; without it none are. */
  readonly metrics?: MetricsStore;
  /** When the time of clusters and instances is summed up. @default each month */
  readonly checkpointInterval?: CheckpointInterval;
  /** Time in which a site whose stream broke may come back, in milliseconds. */
  readonly streamGraceMs: number;
  /** Time in which sites have to come after a controller was started or died, in milliseconds. */
  readonly siteGraceMs: number;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
}

/** A running controller, without the servers in front of it. */
export interface Controller {
  readonly hub: NotifyHub;
  readonly cache: RegionCache;
  readonly alerts: AlertSink;
  readonly region: Region;
  /** Adds the APIs to a server. */
  serveApis(server: RpcServer): void;
  /** Ends everything that it started; the store and the servers are their owner's. */
  close(): Promise<void>;
}

/** Starts a controller on an open store. Throws when the store is not this region's, or does not answer. */
export async function startController(parts: ControllerParts): Promise<Controller> {
  const { store, clock, random, log, id } = parts;
  const allKinds = kinds as readonly AnyKind[];
  parts.dns.checkRoot(parts.dnsRoot);
  await claimStore(store, parts.region, {
    autoUpgrade: parts.autoUpgrade,
    log: (message, fields) => log.info(message, fields),
  });
  const self = ControllerMessage.create({
    key: { addr: id },
    hostname: parts.hostname,
    run: `${id}/${random.uuid()}`,
    startedAt: timestamp(clock.now()),
  });
  const cache = new RegionCache(store, allKinds, log);
  await cache.start();
  // Not before: while a large region is loaded a lease could not be kept.
  const lease = new ControllerLease(store, self, clock, log);
  await lease.start();

  const region = createRegion(parts.region, store, cache, () => clock.now());
  await ensureSettings(region);
  await openBooks(region);
  const operations = new Operations(region, lease, clock, log);
  const notifyLog = log.topic("notify");
  const hub = createNotifyHub({
    service: "controller",
    region: parts.region,
    instance: parts.nodeName,
    kinds: publishedNames(allKinds, parts.siteEngines ?? false),
    graceMs: parts.streamGraceMs,
    log: (level, message, fields) => notifyLog[level](message, fields),
  });
  const nodes = parts.joinNodes?.(hub);
  const alerts = new Alerts({ region, lease, controller: id, clock, random, log });
  const reports = new SiteReports({ region, operations, alerts, clock, random, log, controller: id });
  receiveReports(hub, reports);
  receiveVmPoolReports(hub, region, operations, reports);
  receiveAutoProvInfo(hub, region, reports);
  receiveAlerts(hub, alerts, log);
  const stopWarnings = watchResources({ cache, alerts, clock, controller: id });
  const stopRecords = parts.metrics &&
    keepRecords({ region, lease, clock, log }, hub, parts.metrics, parts.checkpointInterval ?? "MONTH");
  const watches = new ClientWatches(hub, () => currentSettings(cache).maxTrackedDmeClients, log);
  const exec = {
    sites: new ExecSites(hub, clock, log),
    edgeTurnAddr: parts.edgeTurnAddr ?? "",
    controller: id,
    random,
  };
  const stopDevices = takeDevices(hub, region, log);
  const stopInstanceAlerts = followInstanceAlerts(region, id, log);
  const stopPublishing = publishRegion(hub, cache, allKinds, parts.siteEngines);
  const stopDroppingRevoked = dropRevoked(hub, cache);
  const zone = { region: parts.region, root: parts.dnsRoot };
  const stopDns = maintainDns({ dns: parts.dns, cache, zone, clock, log });
  const context: ApiContext = {
    region,
    operations,
    zone,
    platformOrg: parts.platformOrg,
    timeouts: timeoutsOf(cache, parts.timeouts),
    secrets: parts.secrets,
    access: parts.access,
    autoProvisioner: autoProvisionerOf(hub, cache),
    driverFiles: parts.driverFiles,
    engines: matchingEngines(hub, parts.region, id, clock),
    apps: parts.apps ?? alone(),
    clock,
    log,
    alerts,
  };
  operations.carryOnBy(resumptions(context));
  const stopStandingClusters = keepStandingClusters(context);
  const stopCleaning = cleanUpIdleClusters(context);
  const stopSweeping = startSweeping(store, region, clock, log);
  const stopRecovery = startRecovery({
    region,
    operations,
    reports,
    clock,
    log,
    controller: id,
    siteGraceMs: parts.siteGraceMs,
  });
  takeDemand(hub, context, parts.metrics);
  return {
    hub,
    cache,
    alerts,
    region,
    serveApis(server) {
      const serve = <S extends Service>(service: S, api: (context: ApiContext) => Handlers<S>) =>
        server.addService(service, withDryRun(service, api, context, store));
      serveCatalog(serve);
      serveResources(serve);
      serve(CloudletApi, cloudletApi);
      serve(CloudletKeyApi, cloudletKeyApi);
      serve(AppApi, appApi);
      serve(ClusterInstApi, clusterInstApi);
      serve(AppInstApi, appInstApi);
      serve(AlertApi, alertApi);
      serve(DeviceApi, deviceApi);
      server.addService(AppInstClientApi, appInstClientApi(watches));
      server.addService(MetricsApi, metricsApi(parts.metrics));
      serve(AppInstLatencyApi, appInstLatencyApi);
      serve(MatchApi, matchApi);
      serve(ExecApi, (context) => execApi(context, exec));
      serve(ControllerApi, controllerApi);
      server.addService(StreamObjApi, streamApi(context, operations));
      if (!nodes) return;
      serve(NodeApi, () => nodeApi(nodes));
      serve(DebugApi, () => debugApi(nodes, random, log));
    },
    async close() {
      stopSweeping();
      stopRecovery();
      hub.close();
      // Before all that waits for it to show a change, which it may not when its watch is broken.
      await cache.close();
      await operations.close();
      await stopStandingClusters();
      await stopCleaning();
      await reports.close();
      await stopRecords?.();
      await stopDevices();
      await stopInstanceAlerts();
      stopWarnings();
      await alerts.close();
      stopPublishing();
      stopDroppingRevoked();
      await stopDns();
      await lease.close();
    },
  };
}

/** A region that keeps no images, and asks no host. */
function alone(): AppSurroundings {
  const reader = new SourceReader(SourceHosts.parse("")!, () => Promise.reject(new Error("no host is allowed")));
  return { places: { registryFqdn: "", artifactoryFqdn: "" }, sources: new AppSources(reader, undefined, "off") };
}
