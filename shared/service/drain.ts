import type { Clock } from "../runtime/mod.ts";
import { errorFields, type Logger } from "../telemetry/mod.ts";

/** One step of a drain. */
export interface Closer {
  readonly name: string;
  readonly close: () => void | Promise<void>;
}

/** Runs the steps in order. When the time is over, the step that hangs is named and the rest still begins, unwaited. */
export async function drain(
  closers: readonly Closer[],
  { log, clock, graceMs }: { readonly log: Logger; readonly clock: Clock; readonly graceMs: number },
): Promise<void> {
  const ended = new AbortController();
  let late = false;
  const deadline = clock.sleep(graceMs, ended.signal).then(() => void (late = true), () => {});
  for (const { name, close } of closers) {
    const closing = Promise.resolve().then(close).catch((error) =>
      log.warn(`closing ${name} failed`, errorFields(error))
    );
    if (late) continue;
    await Promise.race([closing, deadline]);
    if (late) log.warn("the grace time is over, what still runs is cut", { closing: name, grace_ms: graceMs });
  }
  ended.abort();
}
