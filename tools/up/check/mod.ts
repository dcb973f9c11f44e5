import type { UpConfig } from "../options.ts";
import type { Platform } from "../platform.ts";

/** Runs the main job once against a platform of its own. @returns the exit code */
export function runCheck(
  _config: UpConfig,
  _start: (config: UpConfig, signal: AbortSignal) => Promise<Platform>,
  _signal: AbortSignal,
): Promise<number> {
  throw new Error("not yet");
}
