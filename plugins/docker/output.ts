import {
  type AppOps,
  type CommandOutcome,
  type ObjectRef,
  type OutputPiece,
  PlatformError,
} from "../../shared/platform/mod.ts";
import { listContainers, SHORT_ID_CHARACTERS, type SiteContainer } from "./containers.ts";
import { type Engine, EngineError } from "./engine.ts";
import type { Site } from "./labels.ts";

const HEADER_BYTES = 8;
const STDERR = 2;
/** A command that the container's system does not find, or may not run, is told by the engine with this status. */
const BAD_REQUEST = 400;

/** Commands and logs by the engine's interface. */
export function createOutput(engine: Engine, site: Site): Required<Pick<AppOps, "exec" | "logs">> {
  async function containerOf(ref: ObjectRef, containerId: string): Promise<SiteContainer> {
    const containers = await listContainers(engine, site, ref.key);
    if (containers.length === 0) throw new PlatformError("NotFound", `Instance ${ref.id} is not there`);
    // A container of a compose file is also known by its service.
    const found = containers.find(({ id, service }) => id.startsWith(containerId) || service === containerId);
    if (found) return found;
    const known = containers.map(({ id, service }) => `${id.slice(0, SHORT_ID_CHARACTERS)} ${service}`.trim()).join(
      ", ",
    );
    throw new PlatformError("NotFound", `Instance ${ref.id} has no container ${containerId}, it has ${known}`);
  }

  return {
    async *exec(ref, { containerId, words }, { signal }): AsyncGenerator<OutputPiece, CommandOutcome> {
      const { id, state, text } = await containerOf(ref, containerId);
      if (state !== "running") throw new PlatformError("Inconsistent", `Instance ${ref.id} does not run: ${text}`);
      const made = await engine.call({
        method: "POST",
        path: `/containers/${id}/exec`,
        body: { AttachStdout: true, AttachStderr: true, Cmd: words },
        signal,
      }) as { Id: string };
      try {
        yield* unframed(engine.stream({
          method: "POST",
          path: `/exec/${made.Id}/start`,
          body: { Detach: false, Tty: false },
          signal,
        }));
      } catch (error) {
        if (!(error instanceof EngineError && error.status === BAD_REQUEST)) throw error;
        throw new PlatformError("Invalid", `The command cannot be started: ${error.message}`, { cause: error });
      }
      const ended = await engine.call({ path: `/exec/${made.Id}/json`, signal }) as { ExitCode: number | null };
      return { exitCode: ended.ExitCode ?? 0 };
    },
    async *logs(ref, { containerId, sinceMs, tail, timestamps, follow }, { signal }) {
      const { id } = await containerOf(ref, containerId);
      yield* unframed(engine.stream({
        path: `/containers/${id}/logs`,
        query: {
          stdout: "true",
          stderr: "true",
          timestamps: String(timestamps),
          follow: String(follow),
          tail: tail === undefined ? "all" : String(tail),
          ...(sinceMs === undefined ? {} : { since: (sinceMs / 1000).toFixed(3) }),
        },
        signal,
      }));
    },
  };
}

/** Pieces of a stream of frames: 8 bytes header (source, 3 zeros, length) and data, passed on as it comes. */
export async function* unframed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<OutputPiece, void> {
  const header = new Uint8Array(HEADER_BYTES);
  let headerBytes = 0;
  let left = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      if (left === 0) {
        const part = chunk.subarray(at, at + HEADER_BYTES - headerBytes);
        header.set(part, headerBytes);
        headerBytes += part.length;
        at += part.length;
        if (headerBytes < HEADER_BYTES) continue;
        headerBytes = 0;
        left = new DataView(header.buffer).getUint32(4);
        continue;
      }
      const data = chunk.subarray(at, at + left);
      at += data.length;
      left -= data.length;
      yield { data, source: header[0] === STDERR ? "stderr" : "stdout" };
    }
  }
}
