import {
  createNotifyClient,
  type NotifyClient,
  roundRobin,
  typedOwned,
  typedReplica,
} from "../../../../shared/notify/mod.ts";
import {
  Alert,
  AlertKind,
  type AppInst,
  AppInstInfoKind,
  AppInstKind,
  AppKind,
  type Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  type ClusterInst,
  ClusterInstInfoKind,
  ClusterInstKind,
  type DeepPartial,
  dme,
  FlavorKind,
  PowerState,
  StatusInfo,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { alertKey } from "../alerts/labels.ts";

const POWER_AFTER: Readonly<Partial<Record<PowerState, PowerState>>> = {
  [PowerState.POWER_ON_REQUESTED]: PowerState.POWER_ON,
  [PowerState.POWER_OFF_REQUESTED]: PowerState.POWER_OFF,
  [PowerState.REBOOT_REQUESTED]: PowerState.POWER_ON,
};

/** How a fake site answers a request; by default it succeeds at once. */
export interface SiteBehaviour {
  createCluster?(cluster: ClusterInst): "ready" | "working" | "silent" | { errors: string[] };
  removeCluster?(cluster: ClusterInst): "gone" | "working" | "silent" | { errors: string[] };
  updateCluster?(cluster: ClusterInst): string[];
  /** Reasons for which an update or refresh fails. */
  update?(instance: AppInst): string[];
  create?(instance: AppInst): "ready" | "working" | "silent" | { errors: string[] };
  remove?(instance: AppInst): "gone" | "working" | "silent" | { errors: string[] };
  /** Reasons for which it does not come up with other variables. */
  upgrade?(): string[];
  /** How it goes into maintenance and comes back. */
  maintain?(): "silent" | { errors: string[] };
  /** How it takes a trust policy over. */
  trust?(): "silent" | { errors: string[] };
}

/** A resource manager without infrastructure, on real replication: it answers every request as it is told to. */
export class FakeSite {
  readonly client: NotifyClient;
  readonly key: string;
  behaviour: SiteBehaviour = {};
  readonly #info;
  readonly #clusters;
  readonly #instances;
  readonly #alerts;
  readonly #cloudlet: { organization: string; name: string };

  /** @param addresses where controllers are; it goes to the next one when one is gone */
  constructor(addresses: string | readonly string[], region: string, cloudlet: { organization: string; name: string }) {
    this.#cloudlet = cloudlet;
    this.key = CloudletKind.keyString({ ...cloudlet, federatedOrganization: "" });
    this.client = createNotifyClient({
      service: "crm",
      region,
      cloudlet: this.key,
      wants: [FlavorKind, CloudletKind, ClusterInstKind, AppKind, AppInstKind].map((kind) => kind.kind),
      owns: [CloudletInfoKind, ClusterInstInfoKind, AppInstInfoKind, AlertKind].map((kind) => kind.kind),
      connect: roundRobin([addresses].flat(), () => ({})),
      backoff: { initialMs: 10, maxMs: 100 },
    });
    this.#info = typedOwned(this.client.own(CloudletInfoKind.kind), CloudletInfoKind);
    this.#clusters = typedOwned(this.client.own(ClusterInstInfoKind.kind), ClusterInstInfoKind);
    this.#instances = typedOwned(this.client.own(AppInstInfoKind.kind), AppInstInfoKind);
    this.#alerts = typedOwned(this.client.own(AlertKind.kind), AlertKind);
    this.#answer();
  }

  start(): this {
    this.client.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.client.stop();
  }

  /** Says of itself that it is in a state. */
  report(state: dme.CloudletState, more: DeepPartial<{ errors: string[]; containerVersion: string }> = {}): void {
    this.#info.put(CloudletInfoKind.message.create({ key: this.#cloudlet, state, ...more }));
  }

  ready(more: DeepPartial<CloudletInfo> = {}): this {
    this.report(dme.CloudletState.CLOUDLET_STATE_READY, { containerVersion: "1.0", ...more });
    return this;
  }

  /** Holds an alert. */
  raise(labels: Record<string, string>, annotations: Record<string, string> = {}): void {
    this.#alerts.put(Alert.create({ key: alertKey(labels), labels, annotations }));
  }

  /** Takes an alert back. */
  unraise(labels: Record<string, string>): void {
    this.#alerts.delete(alertKey(labels));
  }

  /** Keys of the apps that it sees. */
  get apps(): string[] {
    return [...this.client.replica(AppKind.kind).keys()].sort();
  }

  /** Keys of the instances that it sees. */
  get instances(): string[] {
    return [...this.client.replica(AppInstKind.kind).keys()].sort();
  }

  /** Says something of an instance. */
  reportInstance(
    key: string,
    state: TrackedState,
    more: DeepPartial<{ errors: string[]; powerState: PowerState; healthCheck: dme.HealthCheck; status: StatusInfo }> =
      {},
  ): void {
    const instance = typedReplica(this.client.replica(AppInstKind.kind), AppInstKind).getByString(key);
    const answeredRequest = JSON.stringify(instance?.updatedAt ?? null);
    this.#instances.put(
      AppInstInfoKind.message.create({ key: AppInstKind.parseKey(key), state, answeredRequest, ...more }),
    );
  }

  #maintain({ maintenanceState: state, updatedAt }: Cloudlet): void {
    const { CRM_REQUESTED, CRM_UNDER_MAINTENANCE, CRM_ERROR, NORMAL_OPERATION, NORMAL_OPERATION_INIT } =
      dme.MaintenanceState;
    if (state !== CRM_REQUESTED && state !== NORMAL_OPERATION_INIT) return;
    const answer = this.behaviour.maintain?.();
    if (answer === "silent") return;
    const done = state === CRM_REQUESTED ? CRM_UNDER_MAINTENANCE : NORMAL_OPERATION;
    this.ready({ maintenanceState: answer ? CRM_ERROR : done, answeredRequest: JSON.stringify(updatedAt), ...answer });
  }

  #trust({ trustPolicyState, trustPolicy, updatedAt }: Cloudlet): void {
    if (trustPolicyState !== TrackedState.UPDATE_REQUESTED) return;
    const answer = this.behaviour.trust?.();
    if (answer === "silent") return;
    const done = trustPolicy === "" ? TrackedState.NOT_PRESENT : TrackedState.READY;
    this.ready({
      trustPolicyState: answer ? TrackedState.UPDATE_ERROR : done,
      answeredRequest: JSON.stringify(updatedAt),
      ...answer,
    });
  }

  #answer(): void {
    typedReplica(this.client.replica(CloudletKind.kind), CloudletKind).subscribe({
      update: (cloudlet) => {
        this.#maintain(cloudlet);
        this.#trust(cloudlet);
        if (cloudlet.state === TrackedState.UPDATE_REQUESTED) {
          this.report(dme.CloudletState.CLOUDLET_STATE_UPGRADE);
        }
        // Not before the controller knows that the update goes on: reports of one object may be merged.
        if (cloudlet.state !== TrackedState.UPDATING) return;
        const errors = this.behaviour.upgrade?.() ?? [];
        if (errors.length === 0) this.ready();
        else this.report(dme.CloudletState.CLOUDLET_STATE_ERRORS, { errors });
      },
    });
    typedReplica(this.client.replica(ClusterInstKind.kind), ClusterInstKind).subscribe({
      update: (cluster) => this.#answerCluster(cluster),
      remove: (cluster) => this.#clusters.delete(cluster.key),
    });
    typedReplica(this.client.replica(AppInstKind.kind), AppInstKind).subscribe({
      update: (instance) => this.#answerInstance(instance),
      remove: (instance) => this.#instances.delete(instance.key),
    });
  }

  /** Answers everything that it was asked and has left unanswered, as it behaves now. */
  catchUp(): void {
    for (const cluster of typedReplica(this.client.replica(ClusterInstKind.kind), ClusterInstKind).values()) {
      if (cluster.state === TrackedState.CREATING) this.reportCluster(cluster.key, TrackedState.READY);
      else if (cluster.state === TrackedState.DELETING) this.reportCluster(cluster.key, TrackedState.DELETE_DONE);
      else this.#answerCluster(cluster);
    }
    for (const [key, instance] of typedReplica(this.client.replica(AppInstKind.kind), AppInstKind).entries()) {
      if (instance.state === TrackedState.CREATING) this.reportInstance(key, TrackedState.READY);
      else if (instance.state === TrackedState.DELETING) this.reportInstance(key, TrackedState.DELETE_DONE);
      else this.#answerInstance(instance);
    }
  }

  /** Says something of a cluster. */
  reportCluster(cluster: ClusterInst["key"], state: TrackedState, errors: string[] = []): void {
    const found = typedReplica(this.client.replica(ClusterInstKind.kind), ClusterInstKind)
      .getByString(ClusterInstKind.keyString(cluster));
    const answeredRequest = JSON.stringify(found?.updatedAt ?? null);
    this.#clusters.put(ClusterInstInfoKind.message.create({ key: cluster, state, errors, answeredRequest }));
  }

  #answerCluster(cluster: ClusterInst): void {
    const { key, state } = cluster;
    if (state === TrackedState.CREATE_REQUESTED) {
      const outcome = this.behaviour.createCluster?.(cluster) ?? "ready";
      if (outcome === "silent") return;
      if (outcome === "working") this.reportCluster(key, TrackedState.CREATING);
      else if (outcome === "ready") this.reportCluster(key, TrackedState.READY);
      else this.reportCluster(key, TrackedState.CREATE_ERROR, outcome.errors);
    }
    if (state === TrackedState.UPDATE_REQUESTED) this.reportCluster(key, TrackedState.UPDATING);
    // Not before the controller knows that the update goes on: reports of one object may be merged.
    if (state === TrackedState.UPDATING) {
      const errors = this.behaviour.updateCluster?.(cluster) ?? [];
      this.reportCluster(key, errors.length > 0 ? TrackedState.UPDATE_ERROR : TrackedState.READY, errors);
    }
    if (state === TrackedState.DELETE_REQUESTED) {
      const outcome = this.behaviour.removeCluster?.(cluster) ?? "gone";
      if (outcome === "silent") return;
      if (outcome === "working") this.reportCluster(key, TrackedState.DELETING);
      else if (outcome === "gone") this.reportCluster(key, TrackedState.DELETE_DONE);
      else this.reportCluster(key, TrackedState.DELETE_ERROR, outcome.errors);
    }
  }

  #answerInstance(instance: AppInst): void {
    const key = AppInstKind.keyString(instance.key);
    if (instance.state === TrackedState.CREATE_REQUESTED) {
      const outcome = this.behaviour.create?.(instance) ?? "ready";
      if (outcome === "silent") return;
      // Reports of one object may be merged on their way, so each carries the lines that may not have been taken yet.
      const status = StatusInfo.create({ msgCount: 2, msgs: ["Fetching image", "Starting"] });
      this.reportInstance(key, TrackedState.CREATING, { status });
      if (outcome === "working") return;
      if (outcome === "ready") this.reportInstance(key, TrackedState.READY, { status });
      else this.reportInstance(key, TrackedState.CREATE_ERROR, { status, ...outcome });
    }
    if (instance.state === TrackedState.UPDATE_REQUESTED) this.reportInstance(key, TrackedState.UPDATING);
    if (instance.state === TrackedState.UPDATING) {
      const errors = this.behaviour.update?.(instance) ?? [];
      const powerState = POWER_AFTER[instance.powerState] ?? PowerState.POWER_STATE_UNKNOWN;
      if (errors.length > 0) this.reportInstance(key, TrackedState.UPDATE_ERROR, { errors });
      else this.reportInstance(key, TrackedState.READY, { powerState });
    }
    if (instance.state === TrackedState.DELETE_REQUESTED) {
      const outcome = this.behaviour.remove?.(instance) ?? "gone";
      if (outcome === "silent") return;
      if (outcome === "working") this.reportInstance(key, TrackedState.DELETING);
      else if (outcome === "gone") this.reportInstance(key, TrackedState.DELETE_DONE);
      else this.reportInstance(key, TrackedState.DELETE_ERROR, outcome);
    }
  }
}
