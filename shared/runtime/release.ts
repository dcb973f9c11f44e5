import { type Environment, systemEnvironment } from "./environment.ts";

/** Thrown when the running release of the runtime must not be used. */
export class UnsupportedRuntimeError extends Error {
  override readonly name = "UnsupportedRuntimeError";
}

/** Set to 1 to run on a release newer than any that was tried. */
const OVERRIDE_VARIABLE = "ARCHIPELAGO_ALLOW_RUNTIME";

const SOUND_RELEASES = ["2.8.1", "2.8.2"];

interface BadRange {
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

/** Measured: tests/runtime holds the reproductions. */
const BAD_RANGES: readonly BadRange[] = [
  { from: "0.0.0", to: "2.8.0", why: "client certificates of gRPC peers are not checked reliably" },
  { from: "2.8.3", to: "2.9.3", why: "it closes every HTTP/1.1 connection whose request is over 512 bytes" },
  {
    from: "2.9.4",
    to: "2.9.4",
    why: "a closing HTTP/2 peer can end the process, and HTTP/1.1 connections are not kept",
  },
  { from: "2.9.5", to: "2.9.8", why: "a closing HTTP/2 peer with many open streams ends the process" },
];

/** The release of the runtime that runs this process, such as `2.8.2`. */
export function runtimeVersion(): string {
  return Deno.version.deno;
}

/**
 * Refuses releases that are known to fail, and those nobody has tried.
 *
 * @throws {UnsupportedRuntimeError} Saying why, and which release to use.
 */
export function checkRuntime(version: string = runtimeVersion(), environment: Environment = systemEnvironment()): void {
  if (SOUND_RELEASES.includes(version)) return;
  const use = `use ${SOUND_RELEASES.at(-1)}`;
  const bad = BAD_RANGES.find((range) =>
    compareVersions(version, range.from) >= 0 && compareVersions(version, range.to) <= 0
  );
  if (bad) throw new UnsupportedRuntimeError(`Deno ${version} cannot run this service: ${bad.why}; ${use}`);
  if (environment.get(OVERRIDE_VARIABLE) === "1") return;
  throw new UnsupportedRuntimeError(
    `Deno ${version} has not been tried with this service; ${use}, or set ${OVERRIDE_VARIABLE}=1 to go on`,
  );
}

function compareVersions(left: string, right: string): number {
  const parts = (text: string) => text.split(/[-+]/)[0]!.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const a = parts(left);
  const b = parts(right);
  for (let at = 0; at < 3; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
