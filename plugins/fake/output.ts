import {
  type AppOps,
  type CommandOutcome,
  lastLinesOf,
  type ObjectRef,
  type OutputPiece,
  PlatformError,
  requireContainer,
} from "../../shared/platform/mod.ts";
import type { AppRecord, Infrastructure } from "./infrastructure.ts";

/** How often an instance that is followed has something to say. */
const LINE_INTERVAL_MS = 200;
/** Size of a piece of endless output. */
const PIECE_BYTES = 16 * 1024;

const text = (words: string, source: OutputPiece["source"] = "stdout"): OutputPiece => ({
  data: new TextEncoder().encode(words),
  source,
});

/**
 * A pretended shell with the commands `echo WORD…`, `exit CODE` and `yes WORD`, which never ends, and a pretended log:
 * one line for the start of an instance, and further ones for who follows.
 */
export function createOutput({ apps, context: { clock } }: Infrastructure): Required<Pick<AppOps, "exec" | "logs">> {
  function recordOf(ref: ObjectRef, containerId: string): AppRecord {
    const record = apps.get(ref.key);
    if (!record) throw new PlatformError("NotFound", `Instance ${ref.id} is not there`);
    requireContainer(containerId, [record.runtimeId], ref);
    return record;
  }
  return {
    async *exec(ref, { containerId, words }, { signal }): AsyncGenerator<OutputPiece, CommandOutcome> {
      if (recordOf(ref, containerId).state !== "running") {
        throw new PlatformError("Inconsistent", `Instance ${ref.id} does not run`);
      }
      const [program, ...rest] = words;
      switch (program) {
        case "echo":
          yield text(`${rest.join(" ")}\n`);
          return { exitCode: 0 };
        case "exit":
          return { exitCode: Number(rest[0] ?? 0) };
        case "yes": {
          const line = `${rest[0] ?? "y"}\n`;
          const piece = text(line.repeat(Math.ceil(PIECE_BYTES / line.length)));
          while (true) {
            signal.throwIfAborted();
            yield piece;
            // Lets others have their turn, as a real program would.
            await clock.sleep(0, signal);
          }
        }
        default:
          yield text(`${program}: not found\n`, "stderr");
          return { exitCode: 127 };
      }
    },
    async *logs(ref, { containerId, tail, timestamps, follow, sinceMs }, { signal }) {
      const record = recordOf(ref, containerId);
      const line = (words: string) => `${timestamps ? `${new Date(clock.now()).toISOString()} ` : ""}${words}\n`;
      if (sinceMs === undefined || sinceMs <= clock.now()) {
        const { data } = text(line(`${record.id} runs as ${record.runtimeId}`));
        yield { data: lastLinesOf(data, tail), source: "stdout" };
      }
      for (let number = 1; follow; number++) {
        await clock.sleep(LINE_INTERVAL_MS, signal);
        if (!apps.get(ref.key)) return;
        yield text(line(`request ${number} answered`));
      }
    },
  };
}
