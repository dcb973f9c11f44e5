import type { Clock } from "./clock.ts";
import type { ExitStatus, Processes, SpawnOptions } from "./processes.ts";

/** What a program that has ended left behind. */
export interface CompletedProcess {
  readonly status: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
}

/** Text kept per stream; a program that writes more loses the rest. */
const MAX_OUTPUT_CHARS = 4_000_000;

/**
 * Runs a program to its end and collects what it wrote.
 *
 * @throws {Error} When it takes longer than `timeoutMs`; it is killed then.
 */
export async function runToEnd(
  processes: Processes,
  options: Omit<SpawnOptions, "output">,
  limits: { readonly timeoutMs: number; readonly clock: Clock },
): Promise<CompletedProcess> {
  const child = processes.spawn({ ...options, output: "lines" });
  let late = false;
  using _timer = limits.clock.setTimer(() => {
    late = true;
    child.kill("SIGKILL");
  }, limits.timeoutMs);
  const text = { stdout: "", stderr: "" };
  for await (const line of child.lines) {
    if (text[line.stream].length < MAX_OUTPUT_CHARS) text[line.stream] += `${line.text}\n`;
  }
  const status = await child.exited;
  if (late) throw new Error(`${options.command} did not end within ${limits.timeoutMs} ms`);
  return { status, ...text };
}
