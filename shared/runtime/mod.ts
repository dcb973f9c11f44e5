/**
 * The edge of the platform to the runtime it runs on: time, randomness, files, processes, signals and the HTTP listener.
 * Everything else takes these as parameters, so that it can be tested without I/O.
 *
 * @module
 */
export type { Clock, Timer } from "./clock.ts";
export { systemClock } from "./clock.ts";
export { FakeClock } from "./fake_clock.ts";
export type { RandomSource } from "./random.ts";
export { seededRandom, systemRandom } from "./random.ts";
export type { DirectoryEntry, EntryKind, FileLock, Files, FileStat, WatchOptions, WriteOptions } from "./files.ts";
export { FileExistsError, FileNotFoundError, systemFiles } from "./files.ts";
export type {
  ExitStatus,
  OutputLine,
  Processes,
  ProcessOutput,
  ProcessSignal,
  RunningProcess,
  SpawnOptions,
} from "./processes.ts";
export { systemProcesses } from "./processes.ts";
export { runToEnd } from "./run_to_end.ts";
export type { CompletedProcess } from "./run_to_end.ts";
export type { Environment } from "./environment.ts";
export { environmentOf, systemEnvironment } from "./environment.ts";
export { checkRuntime, runtimeVersion, UnsupportedRuntimeError } from "./release.ts";
export type { MemoryUse, TerminationSignal, TextSink } from "./process_info.ts";
export {
  executablePath,
  exitProcess,
  hostName,
  memoryUsage,
  onParentExit,
  onTerminationSignal,
  processId,
  programArguments,
  standardError,
  standardOutput,
} from "./process_info.ts";
export type { HttpListener, HttpListenerOptions, HttpPeer, ServerCertificate } from "./http_listener.ts";
export { serveHttp } from "./http_listener.ts";
export type { WebSocketOptions } from "./web_socket.ts";
export { resolveIpv4 } from "./resolve.ts";
export { acceptWebSocket } from "./web_socket.ts";
