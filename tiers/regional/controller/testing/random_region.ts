import { Status } from "../../../../shared/rpc/mod.ts";
import { ClusterInst, type DeepPartial, PlatformType } from "../../../../shared/schema/mod.ts";
import { type Store, StoreError } from "../../../../shared/store/mod.ts";
import { type CutStore, cutStore } from "./cut_store.ts";
import { FakeSite, type SiteBehaviour } from "./fake_site.ts";
import { app, cloudlet, flavor, lines, until, World } from "./world.ts";

/** Wait for a site of a random test, ms: long beside what a site takes, short as many are waited for in vain. */
const SITE_WAIT_MS = 400;

/** Cloudlets of the region: the first takes clusters, the others processes. */
export const SITES = ["Docks", "Edge", "Spare"] as const;
/** How a site answers what it is asked next. */
export const OUTCOMES = ["ready", "working", "silent", "failure"] as const;
export type Outcome = typeof OUTCOMES[number];

/** What becomes of the next transactions: applied; refused; applied, but the answer is lost. */
export type StoreFault = "none" | "refused" | "lost";

/** Two controllers over one store, each of which can be killed, with a fake site for each cloudlet. */
export class RandomRegion implements AsyncDisposable {
  readonly store: Store;
  readonly sites = new Map<string, FakeSite>();
  readonly #ports: { api: number; notify: number }[];
  readonly #worlds: World[] = [];
  readonly #cuts: CutStore[] = [];
  #faults: StoreFault[] = [];
  /** A controller has to be down before it can come up again. */
  #restarting: Promise<void> = Promise.resolve();

  static async start(store: Store): Promise<RandomRegion> {
    const listeners = Array.from({ length: 4 }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    const ports = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
    for (const listener of listeners) listener.close();
    const region = new RandomRegion(store, [
      { api: ports[0]!, notify: ports[1]! },
      { api: ports[2]!, notify: ports[3]! },
    ]);
    for (const index of [0, 1]) await region.#begin(index);
    const addresses = region.#ports.map(({ notify }) => `127.0.0.1:${notify}`);
    for (const name of SITES) {
      const site = new FakeSite(addresses, "eu", { organization: "Bayline Inc.", name });
      region.sites.set(name, site.start().ready());
    }
    await region.#furnish();
    return region;
  }

  private constructor(store: Store, ports: { api: number; notify: number }[]) {
    this.store = store;
    this.#ports = ports;
  }

  /** Clients of a controller, 0 or 1. */
  api(index: number): World["api"] {
    return this.#worlds[index]!.api;
  }

  world(index: number): World {
    return this.#worlds[index]!;
  }

  /** Kills a controller, whatever it is doing, and starts it again. */
  restart(index: number): Promise<void> {
    const restarted = this.#restarting.then(() => this.#restart(index));
    this.#restarting = restarted.catch(() => {});
    return restarted;
  }

  async #restart(index: number): Promise<void> {
    await this.#cuts[index]!.kill();
    await this.#worlds[index]![Symbol.asyncDispose]();
    await this.#begin(index);
  }

  /** What becomes of the next transactions, of whichever controller. */
  failNext(faults: readonly StoreFault[]): void {
    this.#faults.push(...faults);
  }

  /** How a site answers from now on. */
  behave(name: string, outcome: Outcome): void {
    this.sites.get(name)!.behaviour = behaviourOf(outcome);
  }

  /** Ends all faults; sites make good what they left undone. */
  heal(): void {
    this.#faults = [];
    for (const site of this.sites.values()) site.behaviour = {};
    this.catchUp();
  }

  /** Sites answer what they have left unanswered. */
  catchUp(): void {
    for (const site of this.sites.values()) site.catchUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const site of this.sites.values()) await site.stop();
    for (const world of this.#worlds) await world[Symbol.asyncDispose]();
  }

  async #begin(index: number): Promise<void> {
    await Promise.all(Object.values(this.#ports[index]!).map(whenFree));
    const cut = cutStore(this.#flaky());
    this.#cuts[index] = cut;
    this.#worlds[index] = await World.start({
      store: cut.store,
      ports: this.#ports[index],
      parts: { id: ["one", "two"][index]! },
      timeouts: {
        createCloudletMs: SITE_WAIT_MS,
        updateCloudletMs: SITE_WAIT_MS,
        createClusterInstMs: SITE_WAIT_MS,
        updateClusterInstMs: SITE_WAIT_MS,
        deleteClusterInstMs: SITE_WAIT_MS,
        createAppInstMs: SITE_WAIT_MS,
        updateAppInstMs: SITE_WAIT_MS,
        deleteAppInstMs: SITE_WAIT_MS,
      },
    });
  }

  /** The store, whose transactions fail as they are told to. */
  #flaky(): Store {
    const { store } = this;
    const transact: Store["transact"] = async (compares, ops) => {
      // What only reads changes nothing, and controllers need their leases to be there at all.
      const fault = ops.some(({ key }) => key.startsWith("/v1/Controller/")) ? undefined : this.#faults.shift();
      if (fault === "refused") throw new StoreError("unavailable", "refused by the test");
      const result = await store.transact(compares, ops);
      if (fault === "lost") throw new StoreError("unavailable", "lost by the test");
      return result;
    };
    return {
      get: (...args) => store.get(...args),
      scan: (...args) => store.scan(...args),
      transact,
      watch: (...args) => store.watch(...args),
      grantLease: (ttlMs) => store.grantLease(ttlMs),
      compact: (revision) => store.compact(revision),
      status: () => store.status(),
      close: () => Promise.resolve(),
    };
  }

  async #furnish(): Promise<void> {
    const api = this.api(0);
    await api.flavors.createFlavor(flavor());
    for (const name of SITES) await lines(api.cloudlets.createCloudlet(newCloudlet(name)));
    for (const index of [0, 1, 2]) await api.apps.createApp(newApp(index));
  }
}

/** Connections of whoever was served at a port end a moment after its server. */
async function whenFree(port: number): Promise<void> {
  await until(() => {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) return false;
      throw error;
    }
  }, `port ${port} is free`);
}

function behaviourOf(outcome: Outcome): SiteBehaviour {
  const failure = { errors: ["no"] };
  switch (outcome) {
    case "ready":
      return {};
    case "failure":
      return {
        create: () => failure,
        remove: () => failure,
        update: () => failure.errors,
        createCluster: () => failure,
        removeCluster: () => failure,
        updateCluster: () => failure.errors,
      };
    case "working":
    case "silent":
      return {
        create: () => outcome,
        remove: () => outcome,
        createCluster: () => outcome,
        removeCluster: () => outcome,
      };
  }
}

/** A cloudlet of one of the {@linkcode SITES}. */
export function newCloudlet(name: string): ReturnType<typeof cloudlet> {
  return cloudlet({
    key: { organization: "Bayline Inc.", name },
    platformType: name === "Docks" ? PlatformType.PLATFORM_TYPE_DOCKER : PlatformType.PLATFORM_TYPE_PROCESS,
  });
}

/** Apps of the region: the first two for clusters, the third a process. */
export function newApp(index: number, more: DeepPartial<ReturnType<typeof app>> = {}): ReturnType<typeof app> {
  const key = { organization: "AtlasWorks", name: `App${index}`, version: "1" };
  if (index === 2) return app({ key, ...more });
  return app({ key, deployment: "docker", imagePath: "nginx", imageType: 0, ...more });
}

/** A cluster on the docks. */
export function newCluster(index: number): ClusterInst {
  return ClusterInst.create({
    key: {
      clusterKey: { name: `cluster${index}` },
      cloudletKey: { organization: "Bayline Inc.", name: "Docks" },
      organization: "AtlasWorks",
    },
    flavor: { name: "small" },
  });
}

/** Codes with which a call may end in a region with faults; anything else is a fault of the controller. */
export const EXPECTED_CODES: readonly Status[] = [
  Status.CANCELLED,
  Status.UNKNOWN,
  Status.INVALID_ARGUMENT,
  Status.DEADLINE_EXCEEDED,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.RESOURCE_EXHAUSTED,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
  Status.UNAVAILABLE,
];
