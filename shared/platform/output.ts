import type { ObjectRef } from "./specs.ts";
import { PlatformError } from "./errors.ts";

/** A piece of what an instance has written. */
export interface OutputPiece {
  readonly data: Uint8Array;
  readonly source: "stdout" | "stderr";
}

/** What of an instance's log is wanted. */
export interface LogOptions {
  /** Container, by its runtime id; empty: the first. */
  readonly containerId: string;
  /** Only what was written from then on, epoch milliseconds; absent: all that is kept. */
  readonly sinceMs?: number;
  /** So many of the last lines; absent: all. */
  readonly tail?: number;
  /** Begin each line with its time. */
  readonly timestamps: boolean;
  /** Go on with what is written from now on, until the operation is given up. */
  readonly follow: boolean;
}

/** A command in an instance. */
export interface CommandSpec {
  /** Container, by its runtime id; empty: the first. */
  readonly containerId: string;
  /** Program and arguments, at least one; no shell is in between. */
  readonly words: readonly string[];
}

/** How a command has ended. */
export interface CommandOutcome {
  readonly exitCode: number;
}

/** Throws PlatformError (NotFound) unless a request is about the first container, or names one of `runtimeIds`. */
export function requireContainer(containerId: string, runtimeIds: readonly string[], ref: ObjectRef): void {
  if (containerId === "" || runtimeIds.includes(containerId)) return;
  const known = runtimeIds.length === 0 ? "it has none now" : `it has ${runtimeIds.join(", ")}`;
  throw new PlatformError("NotFound", `Instance ${ref.id} has no container ${containerId}, ${known}`);
}

/**
 * The last lines of a text as bytes; a last line without an end counts as one. A `count` of undefined gives all.
 */
export function lastLinesOf(bytes: Uint8Array, count: number | undefined): Uint8Array {
  if (count === undefined) return bytes;
  let at = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  for (let lines = 0; at > 0; at--) {
    if (bytes[at - 1] === NEWLINE && ++lines === count) return bytes.subarray(at);
  }
  return count === 0 ? bytes.subarray(bytes.length) : bytes;
}

const NEWLINE = 10;
