import type { Clock, RandomSource } from "../../../../shared/runtime/mod.ts";
import { Alert, AlertKind, AppInstKind, CloudletKind, ClusterInstKind, equal } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { persist } from "../persist.ts";
import type { ControllerLease } from "../operations/controller_lease.ts";
import { KeyedQueue } from "../operations/keyed_queue.ts";
import { timestamp } from "../state/object_tx.ts";
import type { Region } from "../state/region.ts";
import type { ObjectChange } from "../state/region_cache.ts";
import { alertKey, appInstLabels, cloudletLabels, clusterLabels, hasLabels, type Labels } from "./labels.ts";
import { defaultSeverity } from "./names.ts";

/** An alert as somebody in the controller raises it. */
export interface Raised {
  /** `alertname`, `scope` and the names of what it is about; `region` and `severity` are added where they are missing. */
  readonly labels: Labels;
  /** `title` and `description`, for people. */
  readonly annotations?: Labels;
  readonly value?: number;
}

/** Where alerts are raised and cleared. Both return at once; the store follows, however long it takes. */
export interface AlertSink {
  /** Raises an alert, or changes the annotations and value of one with the same labels. */
  raise(alert: Raised): void;
  /** Clears all alerts that have these labels, whichever controller holds them. */
  clear(labels: Labels): void;
}

/** Raises nothing: for what is only tried. */
export const noAlerts: AlertSink = { raise() {}, clear() {} };

/** What {@linkcode Alerts} works with. */
export interface AlertsOptions {
  readonly region: Region;
  readonly lease: ControllerLease;
  /** Identity of this controller. */
  readonly controller: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
}

/** Most alerts that one controller keeps; more are dropped with a line in the log. */
export const MAX_ALERTS = 20_000;

/** An alert that is wanted, and the number of the lease under which it was written last. */
interface Held {
  readonly alert: Alert;
  grant: number;
}

/**
 * The alerts that this controller made or received, kept in the store under its lease: with a controller its alerts go
 * (specification 6.4). What is wanted is kept here, so that a lease granted anew is followed by all rows.
 */
export class Alerts implements AlertSink {
  readonly #options: AlertsOptions;
  readonly #queue: KeyedQueue;
  readonly #held = new Map<string, Held>();
  readonly #stop = new AbortController();
  readonly #ends: (() => void)[];

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#queue = new KeyedQueue((task) => persist(options, "Alert", task, this.#stop.signal));
    this.#ends = [
      options.lease.onGranted(() => {
        for (const key of this.#held.keys()) this.#write(key);
      }),
      options.region.cache.subscribe(({ objects }) => objects.forEach((change) => this.#follow(change))),
    ];
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const end of this.#ends) end();
    await this.#queue.settled();
  }

  raise(alert: Raised): void {
    this.put(alert, 0);
  }

  /** Takes an alert from the stream `notifyId`, 0 for one of our own; returns its key string. */
  put({ labels, annotations = {}, value = 0 }: Raised, notifyId: number): string {
    const { region, controller, clock } = this.#options;
    const full = { severity: defaultSeverity(labels["alertname"] ?? ""), ...labels, region: region.name };
    const key = alertKey(full);
    const keyString = AlertKind.keyString(key);
    const before = this.#held.get(keyString);
    const alert = Alert.create({
      key,
      labels: full,
      annotations: { ...annotations },
      state: "firing",
      value,
      activeAt: before?.alert.activeAt ?? timestamp(clock.now()),
      notifyId,
      controller,
    });
    if (before !== undefined && equal(Alert, before.alert, alert)) return keyString;
    if (before === undefined && this.#held.size >= MAX_ALERTS) {
      this.#options.log.warn("Alert dropped, as there are too many", { alert: labels["alertname"] });
      return keyString;
    }
    this.#held.set(keyString, { alert, grant: 0 });
    this.#write(keyString);
    return keyString;
  }

  clear(labels: Labels): void {
    for (const [keyString, { alert }] of this.#held) if (hasLabels(alert, labels)) this.remove(keyString);
    for (const [keyString, alert] of this.#options.region.cache.table(AlertKind)) {
      if (!this.#held.has(keyString) && hasLabels(alert, labels)) this.#write(keyString);
    }
  }

  /** Clears the alert with a key string, which somebody who held it takes back. */
  remove(keyString: string): void {
    if (this.#held.delete(keyString)) this.#write(keyString);
  }

  /** Brings the row of an alert in line with what is held. */
  #write(keyString: string): void {
    const { region, lease } = this.#options;
    this.#queue.submit(keyString, async () => {
      const wanted = this.#held.get(keyString);
      await region.change((tx) => {
        if (wanted === undefined) tx.remove(AlertKind, keyString);
        else {
          wanted.grant = lease.grants;
          tx.put(AlertKind, wanted.alert, { lease: lease.current });
        }
        return Promise.resolve();
      });
    });
  }

  #follow({ kind, keyString, object, old }: ObjectChange): void {
    if (object !== undefined) return;
    if (kind.kind === AlertKind.kind && this.#held.has(keyString)) void this.#vanished(keyString);
    // What a deleted object was about is nobody's concern any more (specification 8.6).
    const key = (old as { key: never }).key;
    if (kind.kind === AppInstKind.kind) this.#forget(appInstLabels(key));
    if (kind.kind === ClusterInstKind.kind) this.#forget(clusterLabels(key));
    if (kind.kind === CloudletKind.kind) this.#forget(cloudletLabels(key));
  }

  #forget(labels: Labels): void {
    for (const [keyString, { alert }] of this.#held) if (hasLabels(alert, labels)) this.remove(keyString);
  }

  /** Somebody else cleared an alert that is held here, or the lease was lost, after which all rows are written anew. */
  async #vanished(keyString: string): Promise<void> {
    const { lease } = this.#options;
    const held = this.#held.get(keyString)!;
    if (held.grant !== lease.grants || !await lease.isAlive()) return;
    if (this.#held.get(keyString) === held) this.#held.delete(keyString);
  }
}
