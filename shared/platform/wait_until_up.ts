import type { Clock } from "../runtime/mod.ts";
import type { AppStatus } from "./apps.ts";
import { PlatformError } from "./errors.ts";
import { type OperationContext, remainingMs } from "./operation.ts";
import { probe } from "./probe.ts";

const LOOK_INTERVAL_MS = 50;
const PROBE_TIMEOUT_MS = 2000;
/** An app without tcp ports cannot be asked; staying alive for this long counts. */
const SETTLE_MS = 1000;

/**
 * Waits until an instance has opened all its tcp ports. Throws {@linkcode PlatformError}: Inconsistent when its process
 * dies first (with `failOnDeath`), Transient when it takes too long.
 */
export async function waitUntilUp(
  status: () => AppStatus | Promise<AppStatus>,
  options: { clock: Clock; timeoutMs: number; failOnDeath: boolean },
  operation: OperationContext,
): Promise<void> {
  const { clock } = options;
  const startMs = clock.monotonic();
  const limitMs = Math.min(options.timeoutMs, remainingMs(operation, clock.now()));
  let missing = "The app does not stay alive";
  for (;;) {
    operation.signal.throwIfAborted();
    const { state, probes, reason } = await status();
    if (state === "running") {
      missing = (await Promise.all(probes.map((target) => probe(target, PROBE_TIMEOUT_MS)))).find(Boolean) ?? "";
      const settled = probes.length > 0 || clock.monotonic() - startMs >= SETTLE_MS;
      if (missing === "" && settled && (await status()).state === "running") return;
    } else if (options.failOnDeath || state === "stopped") {
      throw new PlatformError("Inconsistent", `The app does not start. ${reason ?? ""}`.trim());
    } else missing = reason ?? missing;
    if (clock.monotonic() - startMs >= limitMs) {
      throw new PlatformError(
        "Transient",
        `The app has not opened its ports within ${Math.round(limitMs / 1000)} s${missing ? `: ${missing}` : ""}`,
      );
    }
    await clock.sleep(LOOK_INTERVAL_MS, operation.signal);
  }
}
