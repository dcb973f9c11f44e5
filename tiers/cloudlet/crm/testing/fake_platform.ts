import type {
  AppSpec,
  CloudletPlatform,
  ClusterSpec,
  CreatePlatform,
  OperationContext,
  PlatformContext,
  PlatformError,
  RunState,
} from "../../../../shared/platform/mod.ts";

/** An infrastructure in memory, which outlives the platforms over it. */
export class FakeInfrastructure {
  readonly apps = new Map<string, { spec: AppSpec; state: RunState; runtimeId: string }>();
  readonly clusters = new Map<string, ClusterSpec>();
  /** What was done, in order. */
  readonly calls: string[] = [];
  /** Contexts of the platforms that were opened. */
  readonly contexts: PlatformContext[] = [];
  /** Fails the next operations of a name: init, create, delete, list. */
  readonly failures = new Map<string, PlatformError>();
  /** Holds creations until it is resolved. */
  gate: Promise<void> | undefined;
  /** Most creations at the same time, in all and of one key. */
  most = { all: 0, key: 0 };
  readonly #now = new Map<string, number>();
  readonly #listeners = new Set<(key: string) => void>();
  #ids = 0;

  /** Makes platforms over this infrastructure. */
  create: CreatePlatform = () => this.#platform();

  /** Changes the state of an app as a fault would; undefined removes it. */
  fault(key: string, state: RunState | undefined): void {
    if (state === undefined) this.apps.delete(key);
    else this.apps.get(key)!.state = state;
    for (const listener of this.#listeners) listener(key);
  }

  async #slow(key: string, operation: OperationContext): Promise<void> {
    this.#now.set(key, (this.#now.get(key) ?? 0) + 1);
    this.most.key = Math.max(this.most.key, this.#now.get(key)!);
    this.most.all = Math.max(this.most.all, [...this.#now.values()].reduce((a, b) => a + b));
    try {
      const aborted = new Promise<never>((_, reject) => {
        operation.signal.addEventListener("abort", () => reject(operation.signal.reason));
      });
      await Promise.race([this.gate, aborted]);
    } finally {
      this.#now.set(key, this.#now.get(key)! - 1);
    }
  }

  #check(name: string): void {
    const failure = this.failures.get(name);
    if (failure) throw failure;
  }

  #platform(): CloudletPlatform {
    const { apps, clusters, calls } = this;
    return {
      meta: {
        type: "fake",
        description: "in memory",
        deployments: ["docker"],
        cloudletServicesLocal: true,
        properties: [],
        accessVariables: [],
        quotaResources: [],
      },
      init: (context) => {
        calls.push("init");
        this.#check("init");
        this.contexts.push(context);
        return Promise.resolve();
      },
      gather: () => Promise.resolve({ ramMb: 1024, vcpus: 4, diskGb: 10, properties: { engine: "fake" } }),
      apps: {
        create: async (spec, operation) => {
          calls.push(`create ${spec.id}`);
          operation.progress("Making it", "now");
          await this.#slow(spec.key, operation);
          this.#check("create");
          const present = apps.get(spec.key);
          if (present?.state === "running") return { runtimeIds: [present.runtimeId] };
          const runtimeId = `run-${++this.#ids}`;
          apps.set(spec.key, { spec, state: "running", runtimeId });
          return { runtimeIds: [runtimeId] };
        },
        delete: ({ key, id }) => {
          calls.push(`delete ${id}`);
          this.#check("delete");
          apps.delete(key);
          return Promise.resolve();
        },
        list: () => {
          this.#check("list");
          return Promise.resolve([...apps].map(([key, { spec, state }]) => ({ key, id: spec.id, state })));
        },
        status: ({ key }) => {
          const app = apps.get(key);
          return Promise.resolve({ state: app?.state ?? "absent", runtimeIds: app ? [app.runtimeId] : [], probes: [] });
        },
        watch: (listener) => {
          this.#listeners.add(listener);
          return () => void this.#listeners.delete(listener);
        },
      },
      clusters: {
        create: (spec) => {
          calls.push(`create cluster ${spec.name}`);
          clusters.set(spec.key, spec);
          return Promise.resolve();
        },
        delete: ({ key }) => {
          calls.push("delete cluster");
          clusters.delete(key);
          return Promise.resolve();
        },
        list: () => Promise.resolve([...clusters.values()].map(({ key, id }) => ({ key, id }))),
      },
      close: (options) => {
        calls.push(options?.stopApps ? "close and stop" : "close");
        return Promise.resolve();
      },
    };
  }
}
