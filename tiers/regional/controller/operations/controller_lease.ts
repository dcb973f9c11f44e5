import type { Clock } from "../../../../shared/runtime/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { type Controller, ControllerKind } from "../../../../shared/schema/mod.ts";
import type { Lease, Store } from "../../../../shared/store/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { CONTROLLER_LEASE_TTL_MS, LEASE_RETRY_MS } from "../limits.ts";
import { encodeObject } from "../state/rows.ts";

/** Keep-alives per time to live; two may be lost before the lease is. */
const KEEP_ALIVES_PER_TTL = 3;

/** The sign of life of this controller: a lease that is kept alive, and its row. A lost one is replaced. */
export class ControllerLease {
  readonly #store: Store;
  readonly #self: Controller;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  #lease: Lease | undefined;
  #grants = 0;
  #keeping: Promise<void> | undefined;

  /** @param self this controller, with the name of this life of it (`run`) */
  constructor(store: Store, self: Controller, clock: Clock, log: Logger) {
    this.#store = store;
    this.#self = self;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes the first lease; throws when the store does not give one. */
  async start(): Promise<void> {
    await this.#grant();
    this.#keeping = this.#keep();
  }

  /** Gives the lease back: its rows go at once, so that others take over without waiting for it to expire. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#keeping;
    await this.#lease?.revoke().catch((error) => this.#log.warn("Controller lease could not be given back", { error }));
  }

  /** Names this life of the controller. */
  get run(): string {
    return this.#self.run;
  }

  /** Identity of the current lease. Throws UNAVAILABLE while there is none. */
  get current(): string {
    if (this.#lease === undefined) throw new RpcError(Status.UNAVAILABLE, "The region's store does not answer");
    return this.#lease.id;
  }

  /** How many leases there were: it grows when one is lost and replaced. */
  get grants(): number {
    return this.#grants;
  }

  /** Whether the current lease is there, asked of the store. */
  async isAlive(): Promise<boolean> {
    try {
      await this.#lease?.keepAlive();
      return this.#lease !== undefined;
    } catch {
      return false;
    }
  }

  /** Calls `listener` when a lost lease was replaced: whatever was kept under it has to be written again. */
  onGranted(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #grant(): Promise<void> {
    const lease = await this.#store.grantLease(CONTROLLER_LEASE_TTL_MS);
    const key = ControllerKind.storeKey(this.#self.key);
    const value = encodeObject(ControllerKind, this.#self);
    await this.#store.transact([], [{ type: "put", key, value, lease: lease.id }]);
    this.#lease = lease;
    this.#grants++;
    for (const listener of this.#listeners) listener();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#sleep(CONTROLLER_LEASE_TTL_MS / KEEP_ALIVES_PER_TTL);
      if (signal.aborted) return;
      try {
        if (this.#lease === undefined) {
          await this.#grant();
          this.#log.info("Controller lease granted anew");
        } else await this.#lease.keepAlive();
      } catch (error) {
        await this.#check(error);
      }
    }
  }

  async #check(error: unknown): Promise<void> {
    const lost = await Promise.race([this.#lease?.lost.then(() => true) ?? true, Promise.resolve().then(() => false)]);
    if (lost && this.#lease !== undefined) this.#log.warn("Controller lease lost", { error });
    if (lost) {
      this.#lease = undefined;
      await this.#sleep(LEASE_RETRY_MS);
    }
  }

  async #sleep(ms: number): Promise<void> {
    await this.#clock.sleep(ms, this.#stop.signal).catch(() => {});
  }
}
