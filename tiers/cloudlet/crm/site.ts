import type { Clock } from "../../../shared/runtime/mod.ts";
import {
  type CloudletFacts,
  type CloudletPlatform,
  type OperationContext,
  type PlatformContext,
  PlatformError,
  PUBLIC_ADDRESS,
} from "../../../shared/platform/mod.ts";
import { platformFeatures, PUBLIC_ADDRESS_VARIABLE } from "../../../shared/platform_types/mod.ts";
import {
  type Cloudlet,
  type CloudletKey,
  dme,
  type InfraResourcesSnapshot,
  type StatusInfo,
  TrackedState,
} from "../../../shared/schema/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";
import { cloudletInfo, type CountedObjects, snapshotOf } from "./cloudlet_report.ts";
import { loadPlatform, type PlatformTable } from "./platforms.ts";
import { ProgressReport } from "./progress.ts";
import type { Replicas } from "./replicas.ts";
import type { DutyReport } from "./site_duties.ts";

const { CLOUDLET_STATE_ERRORS, CLOUDLET_STATE_INIT, CLOUDLET_STATE_READY, CLOUDLET_STATE_UPGRADE } = dme.CloudletState;
/** Longest time in which an infrastructure must come up. */
const INIT_TIMEOUT_MS = 10 * 60_000;
const MAX_RETRY_DELAY_MS = 60_000;
/** Longest time in which an infrastructure must say what is in use. */
const RESOURCES_TIMEOUT_MS = 2 * 60_000;

/** What the site works with. */
export interface SiteOptions {
  readonly key: CloudletKey;
  readonly version: string;
  readonly replicas: Replicas;
  readonly table: PlatformTable;
  readonly clock: Clock;
  readonly log: Logger;
  readonly retryDelayMs: number;
  /** What a platform is initialised with, beside what the cloudlet says. */
  readonly context: Omit<PlatformContext, "variables" | "physicalName" | "directory"> & {
    readonly physicalName: string | undefined;
    readonly directory: (type: string) => Promise<string>;
  };
  /** The platform is up: begin to work with it. */
  readonly opened: (platform: CloudletPlatform) => void;
  /** The platform is about to be closed: end all work with it. */
  readonly closing: () => Promise<void>;
  /** What stands on the site now. */
  readonly counted: () => CountedObjects;
  /** How the site's duties stand. */
  readonly duties: () => DutyReport;
}

/**
 * The site as a whole. It waits for its cloudlet, brings up the platform that the cloudlet names and says READY, or says
 * ERRORS with the reason and tries again; when the cloudlet's variables change the platform is brought up anew. What
 * runs on the site goes on through all of it.
 */
export class Site {
  readonly #options: SiteOptions;
  #platform: CloudletPlatform | undefined;
  #state: string = "waiting for its cloudlet";
  #facts: CloudletFacts | undefined;
  #snapshot: InfraResourcesSnapshot | undefined;
  #said: { state: dme.CloudletState; more: { status?: StatusInfo; errors?: readonly string[] } } | undefined;

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  /** The platform in use. Throws while there is none. */
  get platform(): CloudletPlatform {
    if (!this.#platform) throw new PlatformError("Transient", "The site's platform is not up");
    return this.#platform;
  }

  /** Whether instances in clusters take resources of the site. */
  get countsClusterApps(): boolean {
    const type = this.#present()?.platformType;
    return type !== undefined && platformFeatures(type).kubernetesOnly;
  }

  /** Why the site is not ready; undefined when it is. */
  notReady(): string | undefined {
    return this.#platform ? undefined : this.#state;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#report(CLOUDLET_STATE_INIT);
    for (let failures = 0; !signal.aborted;) {
      try {
        const cloudlet = await this.#cloudlet(signal);
        const before = essence(cloudlet);
        const answered = updateOf(cloudlet);
        if (await this.#bringUp(cloudlet, signal)) {
          failures = 0;
          await this.#changed(() => essenceOf(this.#present()) !== before || this.#updateAsked(answered), signal);
          await this.#takeDown();
          this.#report(this.#present() ? CLOUDLET_STATE_UPGRADE : CLOUDLET_STATE_INIT);
        } else {
          const delayMs = Math.min(MAX_RETRY_DELAY_MS, this.#options.retryDelayMs * 2 ** Math.min(failures++, 16));
          const over = AbortSignal.any([signal, AbortSignal.timeout(delayMs)]);
          await this.#changed(() => essenceOf(this.#present()) !== before, over).catch(() => {});
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Closes the platform. */
  async close(stopApps: boolean): Promise<void> {
    const platform = this.#platform;
    this.#platform = undefined;
    this.#state = "ending";
    await platform?.close({ stopApps });
  }

  async #bringUp(cloudlet: Cloudlet, signal: AbortSignal): Promise<boolean> {
    const { table, clock, log, context } = this.#options;
    const updating = cloudlet.state === TrackedState.UPDATE_REQUESTED || cloudlet.state === TrackedState.UPDATING;
    const state = updating ? CLOUDLET_STATE_UPGRADE : CLOUDLET_STATE_INIT;
    const progress = new ProgressReport((status) => this.#report(state, { status }));
    const control = new AbortController();
    using _limit = clock.setTimer(
      () => control.abort(new PlatformError("Transient", "The infrastructure did not come up in time")),
      INIT_TIMEOUT_MS,
    );
    const operation: OperationContext = {
      deadline: clock.now() + INIT_TIMEOUT_MS,
      signal: AbortSignal.any([signal, control.signal]),
      progress: (task, step) => progress.report(task, step),
    };
    let platform: CloudletPlatform | undefined;
    try {
      this.#state = "bringing up its platform";
      progress.report("Initializing platform");
      platform = (await loadPlatform(table, cloudlet.platformType))();
      await platform.init({
        ...context,
        physicalName: context.physicalName ?? (cloudlet.physicalName || cloudlet.key.name),
        variables: cloudlet.envVar,
        directory: await context.directory(platform.meta.type),
      }, operation);
      progress.report("Gathering cloudlet info");
      this.#facts = withAddress(await platform.gather(operation), cloudlet.envVar[PUBLIC_ADDRESS_VARIABLE]);
      this.#snapshot = await this.#look(platform, operation);
      signal.throwIfAborted();
      this.#platform = platform;
      log.info("The site is ready", { platform: platform.meta.type });
      this.#report(CLOUDLET_STATE_READY);
      this.#options.opened(platform);
      return true;
    } catch (error) {
      await platform?.close().catch(() => {});
      if (signal.aborted) return false;
      const { message } = PlatformError.from(error);
      this.#state = `its platform is not up: ${message}`;
      log.error("The site's platform does not come up", { error: message });
      this.#report(CLOUDLET_STATE_ERRORS, { errors: [message] });
      return false;
    }
  }

  async #takeDown(): Promise<void> {
    this.#state = "changing its platform";
    await this.#options.closing();
    const platform = this.#platform;
    this.#platform = undefined;
    await platform?.close();
  }

  /** Looks at what is in use and reports it, while the site is ready. Never throws. */
  async refreshResources(): Promise<void> {
    const { clock, log } = this.#options;
    const platform = this.#platform;
    if (!platform?.resources) return;
    const control = new AbortController();
    using _limit = clock.setTimer(() => control.abort(new Error("It took too long")), RESOURCES_TIMEOUT_MS);
    const operation = { deadline: clock.now() + RESOURCES_TIMEOUT_MS, signal: control.signal, progress: () => {} };
    try {
      const snapshot = await this.#look(platform, operation);
      if (this.#platform !== platform) return;
      this.#snapshot = snapshot;
      this.#report(CLOUDLET_STATE_READY);
    } catch (error) {
      log.warn("The site's resources could not be looked at", { error });
    }
  }

  async #look(platform: CloudletPlatform, operation: OperationContext): Promise<InfraResourcesSnapshot | undefined> {
    // What is counted is noted first: what comes meanwhile is then counted twice rather than not at all.
    const counted = this.#options.counted();
    const found = await platform.resources?.(operation);
    return found && snapshotOf(found, counted);
  }

  /** Says again what was said last, with what else may have changed. */
  reportAgain(): void {
    if (this.#said) this.#report(this.#said.state, this.#said.more);
  }

  #report(
    state: dme.CloudletState,
    more: { readonly status?: StatusInfo; readonly errors?: readonly string[] } = {},
  ): void {
    const { key, version, replicas, duties } = this.#options;
    const { maintenanceState, trustPolicyState, answeredRequest, errors } = duties();
    this.#said = { state, more };
    const ready = state === CLOUDLET_STATE_READY;
    replicas.cloudletInfo.put(cloudletInfo({
      key,
      version,
      state,
      maintenanceState,
      trustPolicyState,
      answeredRequest,
      status: more.status,
      errors: [...more.errors ?? [], ...errors],
      facts: ready ? this.#facts : undefined,
      snapshot: ready ? this.#snapshot : undefined,
    }));
  }

  #present(): Cloudlet | undefined {
    return this.#options.replicas.cloudlets.get(this.#options.key);
  }

  /** Whether an update is asked for that is not the one answered already. */
  #updateAsked(answered: string | undefined): boolean {
    const cloudlet = this.#present();
    const asked = cloudlet && updateOf(cloudlet);
    return asked !== undefined && asked !== answered;
  }

  async #cloudlet(signal: AbortSignal): Promise<Cloudlet> {
    this.#state = "waiting for its cloudlet";
    await this.#changed(() => this.#present() !== undefined, signal);
    return this.#present()!;
  }

  /** Waits until a condition on the cloudlet holds. */
  #changed(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (finish: () => void) => {
        unsubscribe();
        signal.removeEventListener("abort", onAbort);
        finish();
      };
      const look = () => holds() && end(resolve);
      const onAbort = () => end(() => reject(signal.reason));
      const unsubscribe = this.#options.replicas.cloudlets.subscribe({ update: look, remove: look });
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort);
      look();
    });
  }
}

/** The operator knows best where the site is reached. */
function withAddress(facts: CloudletFacts, address: string | undefined): CloudletFacts {
  if (address === undefined) return facts;
  return { ...facts, properties: { ...facts.properties, [PUBLIC_ADDRESS]: address } };
}

/** What of a cloudlet decides how its platform is brought up. */
function essence(cloudlet: Cloudlet): string {
  const variables = Object.entries(cloudlet.envVar).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([cloudlet.platformType, cloudlet.physicalName, variables]);
}

function essenceOf(cloudlet: Cloudlet | undefined): string {
  return cloudlet ? essence(cloudlet) : "";
}

/** Which update a cloudlet asks for; undefined: none. */
function updateOf({ state, updatedAt }: Cloudlet): string | undefined {
  return state === TrackedState.UPDATE_REQUESTED ? `${updatedAt?.seconds}.${updatedAt?.nanos}` : undefined;
}
