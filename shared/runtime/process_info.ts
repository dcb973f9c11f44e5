/** The signals that ask a service to drain. */
export type TerminationSignal = "SIGTERM" | "SIGINT";

/**
 * Calls `handler` for each SIGTERM and SIGINT.
 *
 * @returns A function that stops listening; the signals then end the process again.
 */
export function onTerminationSignal(handler: (signal: TerminationSignal) => void): () => void {
  const onTerm = () => handler("SIGTERM");
  const onInterrupt = () => handler("SIGINT");
  Deno.addSignalListener("SIGTERM", onTerm);
  Deno.addSignalListener("SIGINT", onInterrupt);
  return () => {
    Deno.removeSignalListener("SIGTERM", onTerm);
    Deno.removeSignalListener("SIGINT", onInterrupt);
  };
}

/**
 * Calls `handler` once standard input ends. A parent that gives its child a pipe there and never writes to it is thus
 * noticed however it ends, SIGKILL included.
 */
export function onParentExit(handler: () => void): void {
  const ignore = new WritableStream();
  Deno.stdin.readable.pipeTo(ignore).then(handler, handler);
}

/** Arguments after the program's name. */
export function programArguments(): string[] {
  return [...Deno.args];
}

/** This process's number. */
export function processId(): number {
  return Deno.pid;
}

/** The machine's name, or `localhost` where it may not be asked. */
export function hostName(): string {
  try {
    return Deno.hostname();
  } catch {
    return "localhost";
  }
}

/** The path of the runtime's own executable file. */
export function executablePath(): string {
  return Deno.execPath();
}

/** Ends the process at once. */
export function exitProcess(code: number): never {
  return Deno.exit(code);
}

/** How much memory the process holds. */
export interface MemoryUse {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
}

/** Memory of this process now. */
export function memoryUsage(): MemoryUse {
  const { rss, heapUsed } = Deno.memoryUsage();
  return { rssBytes: rss, heapUsedBytes: heapUsed };
}

/** Where text for people or log collectors goes. */
export interface TextSink {
  /** Writes all of `text` before it returns. A reader that has gone away is ignored. */
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** The process's standard output. */
export function standardOutput(): TextSink {
  return sinkTo(Deno.stdout);
}

/** The process's standard error. */
export function standardError(): TextSink {
  return sinkTo(Deno.stderr);
}

/** A closed pipe, a full one that does not block, or a terminal that is gone. */
function nobodyReads(error: unknown): boolean {
  if (error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.WouldBlock) return true;
  return error instanceof Error && (error as { code?: unknown }).code === "EIO";
}

function sinkTo(stream: typeof Deno.stderr): TextSink {
  const encoder = new TextEncoder();
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      const bytes = encoder.encode(text);
      try {
        for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
      } catch (error) {
        // Nobody reads any more: losing log lines is better than losing the service.
        if (!nobodyReads(error)) throw error;
      }
    },
  };
}
