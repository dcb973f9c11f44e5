import assert from "node:assert/strict";
import { createServer } from "node:net";
import { systemClock, systemFiles, systemProcesses, systemRandom } from "../../runtime/mod.ts";
import type { OperationContext, PlatformContext } from "../mod.ts";

/** Longest wait for something that must happen, in milliseconds; generous, as machines may be loaded. */
const PATIENCE_MS = 60_000;
const LOOK_INTERVAL_MS = 20;

/** An operation with a far deadline, whose progress lines are kept. */
export function operation(
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): OperationContext & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    deadline: Date.now() + (options.timeoutMs ?? PATIENCE_MS),
    signal: options.signal ?? new AbortController().signal,
    progress: (task, step) => void lines.push(step ? `${task}: ${step}` : task),
  };
}

/** Below the range from which the system takes ports for connections, so that none gets in between. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** A tcp port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}

/** Waits until a condition holds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!await condition()) {
    assert.ok(Date.now() < end, `Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}

/** What a plugin under test is given: a site of this machine, called `site` unless the changes say otherwise. */
export function platformContext(
  changes: Partial<PlatformContext> & Pick<PlatformContext, "directory">,
): PlatformContext {
  return {
    region: "local",
    cloudlet: { organization: "op", name: "site" },
    physicalName: "site",
    variables: {},
    runtime: Deno.execPath(),
    moduleRoots: [],
    log: { info() {}, warn() {}, error() {} },
    clock: systemClock(),
    random: systemRandom(),
    files: systemFiles(),
    processes: systemProcesses(),
    fetch,
    ...changes,
  };
}
