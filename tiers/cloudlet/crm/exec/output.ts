import { parseSince, PIECE_BYTES, splitWords } from "../../../../shared/exec/mod.ts";
import {
  type CloudletPlatform,
  type CommandOutcome,
  type ObjectRef,
  type OperationContext,
  type OutputPiece,
  PlatformError,
} from "../../../../shared/platform/mod.ts";
import { type DeepPartial, type ExecOutput, type ExecRequest, ExecSource } from "../../../../shared/schema/mod.ts";

/**
 * What a request asks the platform for: a command's output where it has one, else the instance's log. Throws PlatformError
 * when the platform cannot give it.
 */
export function outputOf(
  { apps, meta }: CloudletPlatform,
  ref: ObjectRef,
  { containerId, cmd, log }: ExecRequest,
  operation: OperationContext,
  nowMs: number,
): AsyncGenerator<OutputPiece, CommandOutcome | void> {
  if (cmd !== undefined) {
    const words = splitWords(cmd.command);
    if (typeof words === "string") throw new PlatformError("Invalid", `The command cannot be read: ${words}`);
    if (words.length === 0) throw new PlatformError("Invalid", "There is no command");
    if (!apps.exec) throw new PlatformError("Invalid", `Platform ${meta.type} cannot run commands in instances`);
    return apps.exec(ref, { containerId, words }, operation);
  }
  if (!apps.logs) throw new PlatformError("Invalid", `Platform ${meta.type} keeps no logs of instances`);
  const since = log?.since ?? "";
  const sinceMs = since === "" ? undefined : parseSince(since, nowMs);
  if (since !== "" && sinceMs === undefined) throw new PlatformError("Invalid", `${since} is no moment`);
  const options = { timestamps: log?.timestamps ?? false, follow: log?.follow ?? false };
  return apps.logs(ref, { containerId, sinceMs, tail: log?.tail || undefined, ...options }, operation);
}

/**
 * Passes output on, piece by piece within what the reader has room for: `room` waits until there is some, and says how
 * much. Returns what ends it.
 */
export async function passOn(
  output: AsyncGenerator<OutputPiece, CommandOutcome | void>,
  room: () => Promise<number>,
  send: (piece: DeepPartial<ExecOutput>) => void,
): Promise<DeepPartial<ExecOutput>> {
  for (;;) {
    const next = await output.next();
    if (next.done) return { ended: true, exitCode: next.value?.exitCode ?? 0 };
    const { data, source } = next.value;
    for (let at = 0; at < data.length;) {
      const part = data.subarray(at, at + Math.min(PIECE_BYTES, await room()));
      at += part.length;
      send({ data: part, source: source === "stderr" ? ExecSource.EXEC_STDERR : ExecSource.EXEC_STDOUT });
    }
  }
}
