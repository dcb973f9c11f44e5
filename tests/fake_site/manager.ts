import { createNotifyClient, roundRobin } from "../../shared/notify/mod.ts";
import { systemClock, systemFiles, systemProcesses, systemRandom } from "../../shared/runtime/mod.ts";
import { type CloudletKey, CloudletKind } from "../../shared/schema/mod.ts";
import { createMetrics, nullLogger } from "../../shared/telemetry/mod.ts";
import { Manager } from "../../tiers/cloudlet/crm/manager.ts";
import { builtInPlatforms } from "../../tiers/cloudlet/crm/platforms.ts";
import { OWNED_KINDS, WANTED_KINDS } from "../../tiers/cloudlet/crm/replicas.ts";
import type { World } from "../../tiers/regional/controller/testing/world.ts";

/** A resource manager of its own for the cloudlet, which knows of no test. */
export function startManager(world: World, folder: string, cloudletKey: CloudletKey): Manager {
  const clock = systemClock();
  const log = nullLogger();
  const manager = new Manager({
    key: cloudletKey,
    version: "test",
    client: createNotifyClient({
      service: "crm",
      region: "eu",
      cloudlet: CloudletKind.keyString(cloudletKey),
      wants: WANTED_KINDS,
      owns: OWNED_KINDS,
      connect: roundRobin([world.notifyAddress], () => ({})),
      backoff: { initialMs: 20, maxMs: 100 },
    }),
    table: builtInPlatforms,
    clock,
    log,
    metrics: createMetrics(),
    probeIntervalMs: 100,
    createTimeoutMs: 30_000,
    deleteTimeoutMs: 30_000,
    retryDelayMs: 50,
    context: {
      region: "eu",
      cloudlet: cloudletKey,
      physicalName: undefined,
      runtime: Deno.execPath(),
      moduleRoots: [],
      log,
      clock,
      random: systemRandom(),
      files: systemFiles(),
      processes: systemProcesses(),
      fetch,
      directory: () => Promise.resolve(folder),
    },
  });
  manager.start();
  return manager;
}
