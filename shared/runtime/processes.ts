import { type ChildProcess, spawn as spawnChild } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";

/** Signals that a process may be sent. */
export type ProcessSignal = "SIGTERM" | "SIGKILL" | "SIGINT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2" | "SIGSTOP" | "SIGCONT";

/** Where a child's standard output and error go. A file is appended to by the child itself. */
export type ProcessOutput = { readonly file: string; readonly mode?: number } | "lines" | "inherit" | "null";

/** What to run, and how. */
export interface SpawnOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to this process's environment, or all of it with `clearEnv`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clearEnv?: boolean;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Gives the child a session and process group of its own, so that Ctrl-C in the terminal does not reach it. */
  readonly detached?: boolean;
  /** @default "null" */
  readonly stdin?: "null" | "pipe" | "inherit";
  /** @default "null" */
  readonly output?: ProcessOutput;
  /** Longer lines are cut into pieces of this size. @default 65536 */
  readonly maxLineBytes?: number;
}

/** How a process ended: by its own code or by a signal. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One line that a child wrote. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** A child process. */
export interface RunningProcess {
  readonly pid: number;
  /** Settles once it has ended; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Sends a signal; a process that is gone already is no error. @default "SIGTERM" */
  kill(signal?: ProcessSignal): void;
  /** Sends a signal to all processes of a detached child's group. */
  killGroup(signal?: ProcessSignal): void;
  /** What it writes, for `output: "lines"` only, to one reader. The child waits while nobody reads. */
  readonly lines: AsyncIterable<OutputLine>;
  /** Writes to its standard input, for `stdin: "pipe"` only. */
  writeStdin(data: string | Uint8Array): Promise<void>;
  closeStdin(): Promise<void>;
}

/** Starts programs. */
export interface Processes {
  /** @throws {Error} When the program cannot be started; says which. */
  spawn(options: SpawnOptions): RunningProcess;
}

const DEFAULT_LINE_LIMIT_BYTES = 65_536;

/** The machine's processes, as far as the permissions reach. */
export function systemProcesses(): Processes {
  return { spawn };
}

function spawn(options: SpawnOptions): RunningProcess {
  const output = options.output ?? "null";
  const logFile = typeof output === "object" ? openSync(output.file, "a", output.mode ?? 0o644) : undefined;
  let child: ChildProcess;
  try {
    const out = logFile ?? (output === "lines" ? "pipe" : output === "inherit" ? "inherit" : "ignore");
    const stdin = options.stdin === "pipe" ? "pipe" : options.stdin === "inherit" ? "inherit" : "ignore";
    child = spawnChild(options.command, [...options.args ?? []], {
      cwd: options.cwd,
      env: childEnvironment(options),
      uid: options.uid,
      gid: options.gid,
      detached: options.detached ?? false,
      stdio: [stdin, out, out],
    });
  } finally {
    if (logFile !== undefined) closeSync(logFile);
  }
  const exited = exitOf(child);
  const { pid } = child;
  if (pid === undefined) throw new Error(`Cannot start ${options.command}: not found or not executable`);
  return {
    pid,
    exited,
    kill: (signal = "SIGTERM") => send(pid, signal, child),
    killGroup: (signal = "SIGTERM") => send(-pid, signal),
    lines: linesOf(child, options.maxLineBytes ?? DEFAULT_LINE_LIMIT_BYTES),
    writeStdin: (data) =>
      new Promise((resolve, reject) => {
        if (!child.stdin) return reject(new Error("Standard input is not a pipe"));
        child.stdin.write(data, (error) => error ? reject(error) : resolve());
      }),
    closeStdin: () => new Promise((resolve) => child.stdin ? child.stdin.end(resolve) : resolve()),
  };
}

function childEnvironment(options: SpawnOptions): Record<string, string> | undefined {
  if (options.clearEnv) return { ...options.env };
  return options.env ? { ...Deno.env.toObject(), ...options.env } : undefined;
}

function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve({ code, signal }));
    child.on("error", () => resolve({ code: null, signal: null }));
    // A child that closes its input early is its own affair.
    child.stdin?.on("error", () => {});
  });
}

function send(target: number, signal: ProcessSignal, child?: ChildProcess): void {
  // Once the exit was seen, the number may belong to another process.
  if (child && (child.exitCode !== null || child.signalCode !== null)) return;
  try {
    if (!child || Deno.permissions.querySync({ name: "run" }).state === "granted") return Deno.kill(target, signal);
    // A child of our own can be signalled without the permission to run anything; other processes cannot.
    child.kill(signal);
    // The runtime notes the signal as the cause of death at once, though the child may catch it and go on: without this
    // the true exit code would be lost, and a later SIGKILL never sent.
    Object.assign(child, { signalCode: null, killed: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !isNoSuchProcess(error)) throw error;
  }
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && /ESRCH|No such process/.test(error.message);
}

/** Merges both outputs in the order in which they arrive. */
async function* linesOf(child: ChildProcess, limit: number): AsyncGenerator<OutputLine> {
  const readers = [reader(child.stdout, "stdout", limit), reader(child.stderr, "stderr", limit)];
  const pending = new Map(readers.map((each) => [each, each.next().then((result) => ({ each, result }))]));
  while (pending.size > 0) {
    const { each, result } = await Promise.race(pending.values());
    if (result.done) {
      pending.delete(each);
      continue;
    }
    pending.set(each, each.next().then((next) => ({ each, result: next })));
    yield* result.value;
  }
}

async function* reader(
  source: Readable | null,
  stream: OutputLine["stream"],
  limit: number,
): AsyncGenerator<OutputLine[]> {
  if (!source) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of source) {
    const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    while (rest.length > limit) {
      parts.push(rest.slice(0, limit));
      rest = rest.slice(limit);
    }
    if (parts.length > 0) yield parts.map((text) => ({ stream, text: text.replace(/\r$/, "") }));
  }
  rest += decoder.decode();
  if (rest !== "") yield [{ stream, text: rest }];
}
