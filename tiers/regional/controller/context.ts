import type { Clock } from "../../../shared/runtime/mod.ts";
import type { SecretStore } from "../../../shared/secrets/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";
import type { AccessPoint } from "./api/cloudlet_manifest.ts";
import type { AlertSink } from "./alerts/alerts.ts";
import type { OperationRunner } from "./operations/operation.ts";
import type { DnsZone } from "./rules/dns_labels.ts";
import type { MatchingEngines } from "./replication/matching_engines.ts";
import type { ImagePlaces } from "./rules/app_images.ts";
import type { DriverFiles } from "./drivers/driver_files.ts";
import type { AppSources } from "./sources/mod.ts";
import type { Region } from "./state/region.ts";

/**
 * Longest time to wait for a site, by kind of work, in milliseconds. They come from the region's settings and may be
 * others at each reading (specification 6.6).
 */
export interface Timeouts {
  readonly createCloudletMs: number;
  readonly updateCloudletMs: number;
  readonly createClusterInstMs: number;
  readonly updateClusterInstMs: number;
  readonly deleteClusterInstMs: number;
  readonly createAppInstMs: number;
  readonly updateAppInstMs: number;
  readonly deleteAppInstMs: number;
  readonly cloudletMaintenanceMs: number;
  readonly updateTrustPolicyMs: number;
  readonly updateVmPoolMs: number;
}

/** What apps may have outside of the region's store. */
export interface AppSurroundings {
  /** Where images of apps are that name none. */
  readonly places: ImagePlaces;
  readonly sources: AppSources;
}

/** What finds other places for instances of cloudlets that go into maintenance. */
export interface AutoProvisioner {
  /** Whether one is connected to any controller, as far as this one can tell. */
  isConnected(): boolean;
}

/** What the APIs work with. A dry run gets one of its own, in which nothing acts on the world (`api/dry_run.ts`). */
export interface ApiContext {
  readonly region: Region;
  readonly operations: OperationRunner;
  readonly zone: DnsZone;
  /** Organization that owns what the platform itself makes. */
  readonly platformOrg: string;
  readonly timeouts: Timeouts;
  /** Where credentials are kept; undefined: nowhere, and calls that carry some are refused. */
  readonly secrets: SecretStore | undefined;
  /** Where services of cloudlets reach the region; undefined: it serves no access API. */
  readonly access: AccessPoint | undefined;
  /** Files of drivers; undefined: nowhere, and builds of drivers are refused. */
  readonly driverFiles: DriverFiles | undefined;
  readonly autoProvisioner: AutoProvisioner;
  readonly engines: MatchingEngines;
  readonly apps: AppSurroundings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alerts: AlertSink;
}
