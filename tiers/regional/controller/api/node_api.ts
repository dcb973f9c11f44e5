import { LEVEL_COMMANDS, type NodeTree } from "../../../../shared/nodes/mod.ts";
import type { Handlers } from "../../../../shared/rpc/mod.ts";
import type { RandomSource } from "../../../../shared/runtime/mod.ts";
import { type DebugApi, type DebugReply, DebugRequest, type NodeApi } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { refuse } from "../faults.ts";
import { Issues } from "../rules/issues.ts";

/** Time in which processes are gathered (controller specification 2.4), milliseconds. */
const GATHER_MS = 3_000;
/** Time for answers to commands unless the caller says otherwise (the same), milliseconds. */
const DEBUG_MS = 10_000;
const MAX_MS = 60_000;
const NS_PER_MS = 1_000_000;

/** Handlers of NodeApi. */
export function nodeApi(nodes: NodeTree): Handlers<typeof NodeApi> {
  return {
    async *showNode(request) {
      yield* await nodes.nodes(request, GATHER_MS);
    },
    async *showNotifyTree({ node, timeout }) {
      yield* await nodes.notifyTree(node, timeoutMs(timeout, GATHER_MS));
    },
  };
}

/** Handlers of DebugApi. */
export function debugApi(nodes: NodeTree, random: RandomSource, log: Logger): Handlers<typeof DebugApi> {
  function run(request: DebugRequest, command?: string): AsyncIterable<DebugReply> {
    const { cmd, args, levels } = request;
    const issues = new Issues();
    if (command === undefined) issues.check(cmd !== "", "cmd", cmd, "must name a command; help lists them");
    else issues.check(cmd === "", "cmd", cmd, "is for RunDebug");
    if (command !== undefined && command !== LEVEL_COMMANDS.show) {
      issues.check(levels !== "", "levels", levels, "must name levels, divided by commas");
    }
    refuse(issues.list);
    // The command itself is worth a line: it may change how other processes behave.
    log.info("debug", { command: command ?? cmd, args: args || levels, node: request.node });
    const id = Math.floor(random.number() * Number.MAX_SAFE_INTEGER);
    const question = { ...request, id, cmd: command ?? cmd, args: command === undefined ? args : levels };
    return nodes.debug(DebugRequest.create(question), timeoutMs(request.timeout, DEBUG_MS));
  }
  return {
    enableDebugLevels: (request) => run(request, LEVEL_COMMANDS.enable),
    disableDebugLevels: (request) => run(request, LEVEL_COMMANDS.disable),
    showDebugLevels: (request) => run(request, LEVEL_COMMANDS.show),
    runDebug: (request) => run(request),
  };
}

/** @param timeout nanoseconds; 0: the default. @throws {RpcError} INVALID_ARGUMENT out of bounds */
function timeoutMs(timeout: number, defaultMs: number): number {
  const ms = timeout === 0 ? defaultMs : timeout / NS_PER_MS;
  const issues = new Issues();
  issues.check(ms > 0 && ms <= MAX_MS, "timeout", timeout, `must be above 0 and at most ${MAX_MS / 1_000} s`);
  refuse(issues.list);
  return ms;
}
