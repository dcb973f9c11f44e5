import {
  createGatherer,
  type GatheredReply,
  type NotifyClient,
  type NotifyClock,
  type NotifyHub,
  type NotifyLog,
} from "../notify/mod.ts";
import {
  CloudletKind,
  DebugReply,
  DebugRequest,
  type DeepPartial,
  matches,
  Node,
  NodeKey,
  type NotifyNode,
  NotifyReport,
} from "../schema/mod.ts";
import type { DebugCommands } from "../service/mod.ts";
import { fits, keyOf, targetOf } from "./filter.ts";
import { assemble, childrenOf, SILENT, silentKeys } from "./tree.ts";

/** Commands of the calls that have one of their own. */
export const LEVEL_COMMANDS = {
  enable: "enable-debug-levels",
  disable: "disable-debug-levels",
  show: "show-debug-levels",
} as const;

/** A process that can be asked, and can ask all below it. */
export interface NodeParts {
  /** Its name must be the instance of its hub and client. */
  readonly key: NodeKey;
  readonly hub?: NotifyHub;
  readonly client?: NotifyClient;
  readonly commands: DebugCommands;
  /** What it says of itself beside its key. */
  describe(): DeepPartial<Node>;
  readonly clock?: NotifyClock;
  readonly log?: NotifyLog;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Asks a process and all below it. */
export interface NodeTree {
  /** Processes that fit an example, and those that have not answered. */
  nodes(example: Node, timeoutMs: number): Promise<Node[]>;
  /** The tree of replication from here on, parents before their children. */
  notifyTree(filter: NodeKey, timeoutMs: number): Promise<NotifyNode[]>;
  /** Runs a command; replies come as they are given, at the end those of who has not answered. */
  debug(request: DebugRequest, timeoutMs: number): AsyncIterable<DebugReply>;
}

/** Makes a process take part. Call it once, before its client starts and its hub serves. */
export function joinNodes(parts: NodeParts): NodeTree {
  const { key, hub, client, commands, describe, clock, log, now } = parts;
  const node = {
    service: key.type,
    region: key.region,
    cloudlet: key.cloudletKey ? CloudletKind.keyString(key.cloudletKey) : "",
    instance: key.name,
  };
  const common = { node, hub, client, clock, log };
  if (hub) commands.add("dump-notify-state", "How the streams of its children stand.", () => viewOf(hub));
  if (client) commands.add("show-notify", "How the stream to its parent stands.", () => client.info());

  const nodes = createGatherer({
    ...common,
    type: "node",
    answer(question) {
      if (!fits(key, NodeKey.decode(question))) return undefined;
      return Node.encode(Node.create({ ...describe(), key }));
    },
  });
  const streams = createGatherer({
    ...common,
    type: "notify-tree",
    answer: () => NotifyReport.encode(NotifyReport.create({ children: hub ? childrenOf(hub, key.name, now()) : [] })),
  });
  const debug = createGatherer({
    ...common,
    type: "debug",
    async answer(question) {
      const { node: filter, cmd, args, pretty } = DebugRequest.decode(question);
      if (!fits(key, filter)) return undefined;
      return new TextEncoder().encode(await commands.run(cmd, args, pretty));
    },
  });

  function viewOf(hub: NotifyHub): unknown {
    return childrenOf(hub, key.name, now()).map(({ key: { name, type }, ...stream }) => ({ name, type, ...stream }));
  }

  return {
    async nodes(example, timeoutMs) {
      const filter = example.key;
      const { replies, silent } = await nodes.ask(NodeKey.encode(filter), { timeoutMs, to: targetOf(filter) });
      return [
        ...replies.map((reply) => decoded(reply)).filter((found) => matches(Node, example, found)),
        ...silentKeys(silent, filter).map((key) => Node.create({ key, error: SILENT })),
      ].sort(byKey);
    },
    async notifyTree(filter, timeoutMs) {
      const { replies, silent } = await streams.ask(new Uint8Array(), { timeoutMs });
      const reports = new Map<string, NotifyNode[]>();
      for (const { node, value } of replies) reports.set(node.instance, NotifyReport.decode(value).children);
      return assemble(key, reports, silent).filter((row) => fits(row.key, filter));
    },
    async *debug(request, timeoutMs) {
      const { node: filter, id } = request;
      const waiting: DebugReply[] = [];
      let wake = (): void => {};
      const asked = debug.ask(DebugRequest.encode(request), {
        timeoutMs,
        to: targetOf(filter),
        onReply(reply) {
          waiting.push(DebugReply.create({ node: keyOf(reply.node), output: textOf(reply), id }));
          wake();
        },
      });
      let over = false;
      const done = () => {
        over = true;
        wake();
      };
      asked.then(done, done);
      for (;;) {
        yield* waiting.splice(0);
        if (over && waiting.length === 0) break;
        if (waiting.length === 0) await new Promise<void>((resolve) => wake = resolve);
      }
      for (const node of silentKeys((await asked).silent, filter)) {
        yield DebugReply.create({ node, output: `No answer: it ${SILENT}`, id });
      }
    },
  };
}

function textOf({ value, error }: GatheredReply): string {
  return error === undefined ? new TextDecoder().decode(value) : `Failed: ${error}`;
}

function decoded({ node, value, error }: GatheredReply): Node {
  return error === undefined ? Node.decode(value) : Node.create({ key: keyOf(node), error });
}

function byKey(a: Node, b: Node): number {
  const text = ({ key }: Node): string =>
    `${key.type} ${key.cloudletKey?.organization}/${key.cloudletKey?.name} ${key.name}`;
  const [left, right] = [text(a), text(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
