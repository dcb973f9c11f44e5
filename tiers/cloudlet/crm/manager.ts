import type { Clock } from "../../../shared/runtime/mod.ts";
import type { NotifyClient } from "../../../shared/notify/mod.ts";
import type { CloudletPlatform } from "../../../shared/platform/mod.ts";
import {
  type AppInst,
  AppInstKind,
  type ClusterInst,
  ClusterInstKind,
  TrackedState,
} from "../../../shared/schema/mod.ts";
import type { Logger, Metrics } from "../../../shared/telemetry/mod.ts";
import type { CountedObjects } from "./cloudlet_report.ts";
import { clusterActions } from "./cluster_actions.ts";
import { ExecDesk } from "./exec/desk.ts";
import { HealthMonitor } from "./health.ts";
import { type InstanceActions, instanceActions } from "./instance_actions.ts";
import { type Replicas, replicasOf } from "./replicas.ts";
import { Site, type SiteOptions } from "./site.ts";
import { ResourceWatch } from "./resource_watch.ts";
import { SiteDuties } from "./site_duties.ts";
import { removeStrangers } from "./strangers.ts";
import { TrackedWork, type TrackedWorkOptions } from "./tracked_work.ts";

const STRANGERS_TIMEOUT_MS = 5 * 60_000;

/** What the resource manager works with. */
export interface ManagerOptions
  extends
    Omit<SiteOptions, "replicas" | "opened" | "closing" | "counted" | "duties">,
    Pick<TrackedWorkOptions, "createTimeoutMs" | "deleteTimeoutMs"> {
  readonly client: NotifyClient;
  readonly metrics: Metrics;
  readonly probeIntervalMs: number;
}

/** The resource manager of one cloudlet. */
export class Manager {
  readonly site: Site;
  readonly #client: NotifyClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #retryDelayMs: number;
  readonly #replicas: Replicas;
  readonly #clusters: TrackedWork<ClusterInst>;
  readonly #instances: TrackedWork<AppInst>;
  readonly #actions: InstanceActions;
  readonly #health: HealthMonitor;
  readonly #resources: ResourceWatch;
  readonly #duties: SiteDuties;
  readonly #exec: ExecDesk;
  readonly #stop = new AbortController();
  #work = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ManagerOptions) {
    const { client, clock, log, metrics } = options;
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#retryDelayMs = options.retryDelayMs;
    this.#replicas = replicasOf(client);
    const operations = metrics.counter({
      name: "archipelago_crm_operations",
      help: "Operations on the infrastructure.",
      labels: ["kind", "action", "outcome"],
    });
    const tracked = (kind: string, noun: string): TrackedWorkOptions => ({
      ...options,
      noun,
      count: (action, outcome) => {
        operations.add(1, { kind, action, outcome });
        this.#resources.changed();
      },
    });
    const platform = () => this.site.platform;
    const clusters = clusterActions(this.#replicas, platform);
    this.#clusters = new TrackedWork(clusters, tracked("ClusterInst", "cluster instance"));
    this.#actions = instanceActions({
      replicas: this.#replicas,
      platform,
      clock,
      clusterState: (key) => this.#clusters.stateOf(key),
    });
    this.#instances = new TrackedWork(this.#actions, tracked("AppInst", "app instance"));
    this.#health = new HealthMonitor({
      clock,
      intervalMs: options.probeIntervalMs,
      keys: () => this.#instances.settledKeys(),
      status: (key) => this.#actions.status(key),
      report: (key, report) => {
        this.#actions.reportHealth(key, report);
        if (report.status.state === "absent") this.#instances.lost(key);
      },
    });
    this.#resources = new ResourceWatch(clock, async () => {
      await this.site.refreshResources();
      await Promise.all(this.#clusters.settledKeys().map((key) => clusters.lookAgain(key)));
    });
    this.#duties = new SiteDuties({
      clock,
      log,
      timeoutMs: options.createTimeoutMs,
      cloudlet: () => this.#replicas.cloudlets.get(options.key),
      trustPolicy: ({ key, trustPolicy }) =>
        this.#replicas.trustPolicies.get({ organization: key.organization, name: trustPolicy }),
      changed: () => this.site.reportAgain(),
    });
    this.#exec = new ExecDesk({ client, clock, log, platform, ref: (key) => this.#actions.ref(key) });
    this.site = new Site({
      ...options,
      counted: () => this.#counted(),
      duties: () => this.#duties.report,
      replicas: this.#replicas,
      opened: (opened) => this.#begin(opened),
      closing: () => this.#end(),
    });
  }

  /** Begins; work starts when the cloudlet is known and its platform is up. Rejects on a fault that nothing can mend. */
  start(): Promise<void> {
    const { clusters, instances, cloudlets, trustPolicies } = this.#replicas;
    const look = () => this.#duties.look();
    trustPolicies.subscribe({ update: look, remove: look });
    cloudlets.subscribe({ update: look, remove: look });
    clusters.subscribe({
      update: (_object, _old, key, meta) => this.#clusters.changed(key, meta.traceparent),
      remove: (_old, key) => this.#clusters.changed(key),
    });
    instances.subscribe({
      update: (_object, _old, key, meta) => this.#instances.changed(key, meta.traceparent),
      remove: (_old, key) => this.#instances.changed(key),
    });
    this.#client.start();
    this.#running = this.site.run(this.#stop.signal);
    return this.#running;
  }

  /** Ends all work and the connection. Apps go on running unless `stopApps`. */
  async close(stopApps: boolean): Promise<void> {
    // first, so that nothing of the ending is reported
    await this.#client.stop();
    this.#stop.abort(new Error("The resource manager is ending"));
    await this.#running.catch(() => {});
    await this.#end();
    await this.site.close(stopApps);
  }

  /** How everything stands, for diagnosis. */
  state(): Record<string, unknown> {
    const states = <T>(values: Iterable<[string, T]>, of: (key: string) => TrackedState | undefined) =>
      Object.fromEntries([...values].map(([key]) => [key, of(key) ?? null]));
    return {
      site: this.site.notReady() ?? "ready",
      notify: this.#client.info(),
      clusters: states(this.#replicas.clusters.entries(), (key) => this.#clusters.stateOf(key)),
      instances: states(this.#replicas.instances.entries(), (key) => this.#instances.stateOf(key)),
      outputs: this.#exec.active,
      working: this.#clusters.active + this.#instances.active,
    };
  }

  #begin(platform: CloudletPlatform): void {
    this.#work = new AbortController();
    const { signal } = this.#work;
    const unwatch = platform.apps.watch((key) => this.#health.look(key));
    signal.addEventListener("abort", unwatch, { once: true });
    for (const [key] of this.#replicas.clusters.entries()) this.#clusters.changed(key);
    for (const [key] of this.#replicas.instances.entries()) this.#instances.changed(key);
    this.#clusters.start();
    this.#instances.start();
    this.#health.start();
    this.#resources.start();
    this.#duties.start(platform);
    this.#clearStrangers(platform, signal).catch((error) => {
      if (!signal.aborted) this.#log.error("Strangers cannot be removed", { error });
    });
  }

  async #end(): Promise<void> {
    this.#work.abort(new Error("The platform is being closed"));
    this.#exec.stop("The platform is being closed");
    this.#health.stop();
    await Promise.all([this.#resources.stop(), this.#duties.stop()]);
    await Promise.all([this.#clusters.stop(), this.#instances.stop()]);
  }

  /** Once the region's objects are completely known, what else is found goes; failures are tried again. */
  async #clearStrangers(platform: CloudletPlatform, signal: AbortSignal): Promise<void> {
    await this.#client.whenInStep(signal);
    for (;;) {
      try {
        await removeStrangers({
          platform,
          log: this.#log,
          isKnown: (kind, key) => this.#isKnown(kind, key),
          operation: {
            deadline: this.#clock.now() + STRANGERS_TIMEOUT_MS,
            signal,
            progress: () => {},
          },
        });
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.#log.warn("Removing what the region does not know failed", { error });
      }
      await this.#clock.sleep(this.#retryDelayMs, signal);
    }
  }

  #counted(): CountedObjects {
    const { clusters, instances, lookup } = this.#replicas;
    const ready = <T>(values: Iterable<[string, T]>, of: (key: string) => TrackedState | undefined) =>
      [...values].filter(([key]) => of(key) === TrackedState.READY).map(([, object]) => object);
    const apps = ready(instances.entries(), (key) => this.#instances.stateOf(key));
    const deploymentOf = (instance: AppInst) => lookup.app(instance)?.deployment;
    return {
      clusters: ready(clusters.entries(), (key) => this.#clusters.stateOf(key)).map(({ key }) => key),
      vmApps: apps.filter((instance) => deploymentOf(instance) === "vm").map(({ key }) => key),
      clusterApps: this.site.countsClusterApps
        ? apps.filter((instance) => deploymentOf(instance) !== "vm").map(({ key }) => key)
        : [],
    };
  }

  /** What is being worked on counts as known: its key worker sees to it. */
  #isKnown(kind: string, key: string): boolean {
    return kind === AppInstKind.kind
      ? this.#replicas.instances.getByString(key) !== undefined || this.#instances.stateOf(key) !== undefined
      : kind === ClusterInstKind.kind &&
        (this.#replicas.clusters.getByString(key) !== undefined || this.#clusters.stateOf(key) !== undefined);
  }
}
