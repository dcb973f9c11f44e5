import { createNotifyClient, roundRobin } from "../../../../shared/notify/mod.ts";
import { systemClock, systemFiles, systemProcesses, systemRandom } from "../../../../shared/runtime/mod.ts";
import { type CloudletKey, CloudletKind } from "../../../../shared/schema/mod.ts";
import { createMetrics, nullLogger } from "../../../../shared/telemetry/mod.ts";
import { Manager, type ManagerOptions } from "../manager.ts";
import { builtInPlatforms } from "../platforms.ts";
import { OWNED_KINDS, WANTED_KINDS } from "../replicas.ts";

/** What a test says of a resource manager. */
export interface TestManagerOptions {
  readonly region: string;
  readonly key: CloudletKey;
  /** Address of its parent. */
  readonly parent: string;
  /** Folder of a kind of infrastructure. */
  readonly directory: (type: string) => string;
  /** @default those that there are */
  readonly table?: ManagerOptions["table"];
}

/** A resource manager that looks and tries again sooner than usual; not started yet. */
export function testManager({ region, key, parent, directory, table = builtInPlatforms }: TestManagerOptions): Manager {
  const clock = systemClock();
  const log = nullLogger();
  return new Manager({
    key,
    version: "test",
    client: createNotifyClient({
      service: "crm",
      region,
      cloudlet: CloudletKind.keyString(key),
      wants: WANTED_KINDS,
      owns: OWNED_KINDS,
      connect: roundRobin([parent], () => ({})),
      backoff: { initialMs: 20, maxMs: 100 },
    }),
    table,
    clock,
    log,
    metrics: createMetrics(),
    probeIntervalMs: 100,
    createTimeoutMs: 30_000,
    deleteTimeoutMs: 30_000,
    retryDelayMs: 50,
    context: {
      region,
      cloudlet: key,
      physicalName: undefined,
      runtime: Deno.execPath(),
      moduleRoots: [],
      log,
      clock,
      random: systemRandom(),
      files: systemFiles(),
      processes: systemProcesses(),
      fetch,
      directory: (type) => Promise.resolve(directory(type)),
    },
  });
}
