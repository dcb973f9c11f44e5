import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import type { OperationContext } from "../mod.ts";

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

/** A tcp port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "0.0.0.0", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
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
