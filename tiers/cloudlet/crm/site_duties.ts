import type { Clock } from "../../../shared/runtime/mod.ts";
import {
  type CloudletPlatform,
  type EgressRule,
  type OperationContext,
  PlatformError,
} from "../../../shared/platform/mod.ts";
import { type Cloudlet, dme, TrackedState, type TrustPolicy } from "../../../shared/schema/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";

const { CRM_ERROR, CRM_REQUESTED, CRM_UNDER_MAINTENANCE, NORMAL_OPERATION, NORMAL_OPERATION_INIT, UNDER_MAINTENANCE } =
  dme.MaintenanceState;

/** What the site says of its maintenance and its trust policy. */
export interface DutyReport {
  readonly maintenanceState: dme.MaintenanceState;
  readonly trustPolicyState: TrackedState;
  /** Why the last of them failed. */
  readonly errors: readonly string[];
  /** The request that was answered last. */
  readonly answeredRequest: string;
}

/** What {@linkcode SiteDuties} works with. */
export interface SiteDutiesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly timeoutMs: number;
  readonly cloudlet: () => Cloudlet | undefined;
  /** The trust policy of the cloudlet; undefined: it has none, or it is not known yet. */
  readonly trustPolicy: (cloudlet: Cloudlet) => TrustPolicy | undefined;
  /** Something is to be reported. */
  readonly changed: () => void;
}

/**
 * What a cloudlet asks of its site as a whole (specification 5.5, 5.6): to go into maintenance and come back, and to
 * enforce its trust policy. Each request is carried out once and answered; all can be repeated.
 */
export class SiteDuties {
  readonly #options: SiteDutiesOptions;
  #platform: CloudletPlatform | undefined;
  #stop = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #maintenance = NORMAL_OPERATION as dme.MaintenanceState;
  #maintenanceDone = "";
  #policyState = TrackedState.TRACKED_STATE_UNKNOWN as TrackedState;
  #policyDone = "";
  #errors: readonly string[] = [];
  #answered = "";

  constructor(options: SiteDutiesOptions) {
    this.#options = options;
  }

  /** How things stand. */
  get report(): DutyReport {
    return {
      maintenanceState: this.#maintenance,
      trustPolicyState: this.#policyState,
      errors: this.#errors,
      answeredRequest: this.#answered,
    };
  }

  /** The platform is up: what is asked is done from now on; what was in force before is put in force again. */
  start(platform: CloudletPlatform): void {
    this.#platform = platform;
    this.#stop = new AbortController();
    this.#maintenanceDone = this.#policyDone = "";
    this.look();
  }

  /** Gives up what is being done. */
  async stop(): Promise<void> {
    this.#platform = undefined;
    this.#stop.abort(new PlatformError("Transient", "The resource manager is ending"));
    await this.#working;
  }

  /** The cloudlet, or a trust policy, may have changed. */
  look(): void {
    if (!this.#platform) return;
    this.#working = this.#working.then(() => this.#work()).catch((error) => {
      this.#options.log.error("Work on the site broke off", { error });
    });
  }

  async #work(): Promise<void> {
    const cloudlet = this.#options.cloudlet();
    if (!cloudlet || !this.#platform) return;
    await this.#maintain(cloudlet, this.#platform);
    await this.#enforce(cloudlet, this.#platform);
  }

  async #maintain({ maintenanceState, updatedAt }: Cloudlet, platform: CloudletPlatform): Promise<void> {
    const wanted = wantedMaintenance(maintenanceState);
    if (wanted === undefined) return;
    const asked = maintenanceState === CRM_REQUESTED || maintenanceState === NORMAL_OPERATION_INIT;
    const request = asked ? `${maintenanceState} ${updatedAt?.seconds}.${updatedAt?.nanos}` : String(wanted);
    if (request === this.#maintenanceDone) return;
    const after = wanted ? CRM_UNDER_MAINTENANCE : NORMAL_OPERATION;
    // A site that only has to be told that all is well, and says so already.
    if (!asked && this.#maintenance === after && this.#maintenanceDone !== "") return;
    const failure = await this.#perform(
      "maintenance",
      (operation) => platform.setMaintenance?.(wanted, operation),
    );
    if (this.#stop.signal.aborted) return;
    this.#maintenanceDone = this.#answered = request;
    this.#tell(failure ? CRM_ERROR : after, this.#policyState, failure);
  }

  async #enforce(cloudlet: Cloudlet, platform: CloudletPlatform): Promise<void> {
    const { trustPolicyState, trustPolicy, updatedAt } = cloudlet;
    const asked = trustPolicyState === TrackedState.UPDATE_REQUESTED || trustPolicyState === TrackedState.UPDATING;
    const policy = trustPolicy === "" ? undefined : this.#options.trustPolicy(cloudlet);
    // The policy travels on the same stream; it comes in a moment, and this is looked at again.
    if (trustPolicy !== "" && policy === undefined) return;
    if (!asked && trustPolicyState !== TrackedState.READY) return;
    const rules = policy?.outboundSecurityRules.map(egressRule);
    const stamp = trustPolicyState === TrackedState.UPDATE_REQUESTED ? `${updatedAt?.seconds}.${updatedAt?.nanos}` : "";
    const request = `${stamp} ${JSON.stringify(rules ?? null)}`;
    if (request === this.#policyDone || (stamp === "" && this.#policyDone.endsWith(request))) return;
    if (asked) this.#tell(this.#maintenance, TrackedState.UPDATING);
    const failure = await this.#perform("trust policy", (operation) => {
      if (rules === undefined || platform.setTrustPolicy) return platform.setTrustPolicy?.(rules, operation);
      throw new PlatformError("Invalid", `Platform ${platform.meta.type} has no trust policies`);
    });
    if (this.#stop.signal.aborted) return;
    this.#policyDone = this.#answered = request;
    const done = rules === undefined ? TrackedState.NOT_PRESENT : TrackedState.READY;
    this.#tell(this.#maintenance, failure ? TrackedState.UPDATE_ERROR : done, failure);
  }

  async #perform(what: string, body: (operation: OperationContext) => Promise<void> | undefined) {
    const { clock, log, timeoutMs } = this.#options;
    const control = new AbortController();
    using _limit = clock.setTimer(() => control.abort(new PlatformError("Transient", "It took too long")), timeoutMs);
    try {
      await body({
        deadline: clock.now() + timeoutMs,
        signal: AbortSignal.any([control.signal, this.#stop.signal]),
        progress: () => {},
      });
      return undefined;
    } catch (error) {
      const failure = PlatformError.from(error);
      if (!this.#stop.signal.aborted) log.warn(`The site's ${what} failed`, { error: failure.message });
      return failure;
    }
  }

  #tell(maintenance: dme.MaintenanceState, policy: TrackedState, failure?: PlatformError): void {
    this.#maintenance = maintenance;
    this.#policyState = policy;
    this.#errors = failure ? [failure.message] : [];
    this.#options.changed();
  }
}

/** Whether the site should be under maintenance; undefined: it is between the two, and nothing is asked of it. */
function wantedMaintenance(state: dme.MaintenanceState): boolean | undefined {
  switch (state) {
    case CRM_REQUESTED:
    case CRM_UNDER_MAINTENANCE:
    case UNDER_MAINTENANCE:
      return true;
    case NORMAL_OPERATION:
    case NORMAL_OPERATION_INIT:
      return false;
    default:
      return undefined;
  }
}

function egressRule(
  { protocol, portRangeMin, portRangeMax, remoteCidr }: TrustPolicy["outboundSecurityRules"][number],
): EgressRule {
  const name = protocol.toLowerCase();
  return {
    protocol: name === "udp" || name === "icmp" ? name : "tcp",
    firstPort: portRangeMin,
    lastPort: portRangeMax || portRangeMin,
    remoteCidr,
  };
}
