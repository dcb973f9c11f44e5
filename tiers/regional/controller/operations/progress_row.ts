import { RpcError, type Status } from "../../../../shared/rpc/mod.ts";
import type { JsonValue } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { StoredLines } from "./progress.ts";

/** The progress of the last operation on an object, as the store has it. */
export interface ProgressRow extends StoredLines {
  /** Names the operation (`OperationRow.stream`). */
  readonly stream: string;
  readonly action: string;
  readonly state: "running" | "done" | "failed";
  /** What it failed with. */
  readonly error?: { readonly code: number; readonly message: string };
  /** When it ended, epoch milliseconds; 0 while it runs. */
  readonly endedMs: number;
}

/** Kinds whose operations can be followed by `Stream…` calls; of others nothing is stored. */
const FOLLOWED: ReadonlySet<string> = new Set(["AppInst", "ClusterInst", "Cloudlet", "GPUDriver"]);

/** Whether the progress of operations on a kind is stored. */
export function isFollowed(kind: AnyKind): boolean {
  return FOLLOWED.has(kind.kind);
}

/** Row of an operation as it is now. */
export function progressValue(
  stream: string,
  action: string,
  lines: StoredLines,
  end: { error?: RpcError; atMs: number } | undefined,
): JsonValue {
  const { error } = end ?? {};
  const row: ProgressRow = {
    stream,
    action,
    ...lines,
    state: end === undefined ? "running" : error ? "failed" : "done",
    ...(error && { error: { code: error.code, message: error.message } }),
    endedMs: end?.atMs ?? 0,
  };
  return row as unknown as JsonValue;
}

/** The row of a stored value. */
export function readProgressRow(value: JsonValue | undefined): ProgressRow | undefined {
  return value as unknown as ProgressRow | undefined;
}

/** How the operation of a row failed. */
export function failureOf({ error }: ProgressRow): RpcError | undefined {
  return error && new RpcError(error.code as Status, error.message);
}
