import { systemRpcClock } from "../rpc/mod.ts";
import { GatherReply, GatherRequest } from "../schema/mod.ts";
import type { NotifyClient } from "./client.ts";
import type { NotifyHub } from "./hub.ts";
import { isAt, type MessageMeta } from "./hub_core.ts";
import type { ChildInfo } from "./owned_table.ts";
import type { NotifyClock, NotifyLog } from "./ports.ts";

/** A node of the tree, as it calls itself. */
export interface NodeName {
  readonly service: string;
  readonly region: string;
  /** Key string; empty for services of other tiers. */
  readonly cloudlet: string;
  readonly instance: string;
}

/** Nodes that are to answer; what is left out does not matter. */
export interface GatherTarget {
  readonly service?: string;
  readonly cloudlet?: string;
  readonly instance?: string;
}

/** Answer of one node. */
export interface GatheredReply {
  readonly node: NodeName;
  readonly value: Uint8Array;
  /** Why it has none; its value is empty then. */
  readonly error?: string;
}

/** What has come of a question. */
export interface Gathered {
  readonly replies: readonly GatheredReply[];
  /** Nodes that were asked and have not said all in time, or have gone; what is below them may be missing with them. */
  readonly silent: readonly NodeName[];
  /** Replies that were dropped on their way because a queue was full. */
  readonly dropped: number;
}

/** Gives a node's own answer; undefined: it was not meant. A throw is passed on as its text. */
export type GatherAnswer = (question: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** What a node takes part with: a root has a hub, a leaf a client, a relay both. */
export interface GatherOptions {
  /** Type of the messages; questions and replies of different types have nothing to do with each other. */
  readonly type: string;
  readonly node: NodeName;
  readonly hub?: NotifyHub;
  readonly client?: NotifyClient;
  readonly answer: GatherAnswer;
  readonly clock?: NotifyClock;
  readonly log?: NotifyLog;
}

/** Asks this node and all below it. */
export interface Gatherer {
  /** Resolves when all have answered, or after `timeoutMs`. Each reply is also given to `onReply` when it comes. */
  ask(question: Uint8Array, options: AskOptions): Promise<Gathered>;
  /** Questions that are waiting for replies. */
  readonly open: number;
}

/** How a question is asked. */
export interface AskOptions {
  readonly timeoutMs: number;
  /** @default everybody */
  readonly to?: GatherTarget;
  /** Children that are asked and heard, by what is proven of them and not only by what they say. @default all */
  readonly through?: (child: ChildInfo) => boolean;
  readonly onReply?: (reply: GatheredReply) => void;
}

/** Questions at once; more are refused with what a busy node says. */
const MAX_OPEN = 1_000;
/** Part of its time that a node leaves to those below, so that it can still say who was silent. */
const SHARE_BELOW = 0.8;

/** A question on its way. */
interface Round {
  readonly waitingFor: Map<number, ChildInfo>;
  /** Replies seen of each child that is waited for. */
  readonly seen: Map<number, number>;
  readonly silent: NodeName[];
  dropped: number;
  readonly take: (reply: GatheredReply) => void;
  readonly done: () => void;
}

/** Makes a node take part in questions of a type. One of each type per hub and client. */
export function createGatherer(options: GatherOptions): Gatherer {
  const { type, node, hub, client, answer, log } = options;
  const clock = options.clock ?? systemRpcClock;
  const replyType = `${type}.reply`;
  const rounds = new Map<string, Round>();

  /** Asks this node and those below; replies go to `take` as they come. */
  async function gather(
    question: Uint8Array,
    to: GatherTarget,
    timeoutMs: number,
    take: (reply: GatheredReply) => void,
    through?: (child: ChildInfo) => boolean,
  ): Promise<{ silent: NodeName[]; dropped: number }> {
    if (rounds.size >= MAX_OPEN) throw new RangeError(`${MAX_OPEN} questions are open already`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const round: Round = {
      waitingFor: new Map(),
      seen: new Map(),
      silent: [],
      dropped: 0,
      take,
      done: () => {
        if (round.waitingFor.size === 0 && !own) resolve();
      },
    };
    const correlation = crypto.randomUUID();
    rounds.set(correlation, round);
    let own = fits(node, to);
    if (own) {
      ownReply(question).then((reply) => {
        if (!rounds.has(correlation)) return;
        own = false;
        if (reply) take(reply);
        round.done();
      });
    }
    if (hub) askBelow(hub, round, correlation, question, to, Math.floor(timeoutMs * SHARE_BELOW), through);
    round.done();
    const cancel = clock.after(timeoutMs, resolve);
    await promise;
    cancel();
    rounds.delete(correlation);
    for (const child of round.waitingFor.values()) round.silent.push(nameOf(child));
    if (own) round.silent.push(node);
    return { silent: round.silent, dropped: round.dropped };
  }

  function askBelow(
    hub: NotifyHub,
    round: Round,
    correlation: string,
    question: Uint8Array,
    to: GatherTarget,
    timeoutMs: number,
    through?: (child: ChildInfo) => boolean,
  ): void {
    const request = GatherRequest.encode(GatherRequest.create({ ...to, timeoutMs, value: question }));
    const children = hub.streams().map((stream) => stream.child).filter((child) =>
      mayReach(child, to) && (through?.(child) ?? true)
    );
    // One message for all is encoded once; a question for one cloudlet goes only where that may be.
    if (to.cloudlet === undefined && !through) hub.send(type, request, {}, { correlation });
    else for (const child of children) hub.send(type, request, { instance: child.instance }, { correlation });
    for (const child of children) round.waitingFor.set(child.id, child);
  }

  async function ownReply(question: Uint8Array): Promise<GatheredReply | undefined> {
    try {
      const value = await answer(question);
      return value && { node, value };
    } catch (error) {
      return { node, value: new Uint8Array(), error: error instanceof Error ? error.message : String(error) };
    }
  }

  function settle(round: Round, child: ChildInfo): void {
    if (round.waitingFor.delete(child.id)) round.done();
  }

  hub?.onMessage(replyType, (value, child, { correlation }) => {
    const round = rounds.get(correlation);
    // Too late, or of a child that was not asked.
    if (!round?.waitingFor.has(child.id)) return;
    const reply = decode(() => GatherReply.decode(value));
    if (!reply) return log?.("warn", "A reply cannot be decoded", { type, child: child.name });
    const seen = round.seen.get(child.id) ?? 0;
    if (!reply.last) {
      round.seen.set(child.id, seen + 1);
      if (reply.node) round.take({ node: reply.node, value: reply.value, error: reply.error || undefined });
      return;
    }
    round.dropped += Math.max(0, reply.replies - seen);
    round.silent.push(...reply.silent);
    settle(round, child);
  });
  // It takes no part in questions of this type, and nobody below it can be asked.
  hub?.onUnhandled((child, correlation) => {
    const round = rounds.get(correlation);
    if (round) settle(round, child);
  });
  hub?.onChild((child, event) => {
    if (event === "connected") return;
    for (const round of rounds.values()) {
      if (round.waitingFor.has(child.id)) round.silent.push(nameOf(child));
      settle(round, child);
    }
  });

  client?.onMessage(type, (value, meta) => {
    const request = decode(() => GatherRequest.decode(value));
    if (request) passUp(client, request, meta);
    else log?.("warn", "A question cannot be decoded", { type });
  });

  async function passUp(up: NotifyClient, request: GatherRequest, { correlation }: MessageMeta): Promise<void> {
    const { service, cloudlet, instance, timeoutMs, value } = request;
    const to = { service: service || undefined, cloudlet: cloudlet || undefined, instance: instance || undefined };
    let replies = 0;
    const send = (reply: Parameters<typeof GatherReply.create>[0]): void => {
      up.send(replyType, GatherReply.encode(GatherReply.create(reply)), { correlation });
    };
    const take = ({ node, value, error }: GatheredReply): void => {
      replies++;
      try {
        send({ node, value, error });
      } catch (tooLarge) {
        send({ node, error: tooLarge instanceof Error ? tooLarge.message : "The answer cannot be sent" });
      }
    };
    try {
      const { silent, dropped } = await gather(value, to, timeoutMs, take);
      send({ last: true, replies: replies + dropped, silent });
    } catch (error) {
      send({ node, error: error instanceof Error ? error.message : String(error) });
      send({ last: true, replies: replies + 1, silent: [] });
    }
  }

  return {
    async ask(question, { timeoutMs, to = {}, through, onReply }) {
      const replies: GatheredReply[] = [];
      const { silent, dropped } = await gather(question, to, timeoutMs, (reply) => {
        replies.push(reply);
        onReply?.(reply);
      }, through);
      return { replies, silent, dropped };
    },
    get open() {
      return rounds.size;
    },
  };
}

function nameOf({ service, region, scope, cloudlet, instance }: ChildInfo): NodeName {
  return { service, region, cloudlet: scope ?? cloudlet, instance };
}

function fits(node: NodeName, to: GatherTarget): boolean {
  return (to.service === undefined || to.service === node.service) &&
    (to.cloudlet === undefined || to.cloudlet === node.cloudlet) &&
    (to.instance === undefined || to.instance === node.instance);
}

/** Whether the node or one below it may be meant: below a node of a cloudlet are only nodes of the same one. */
function mayReach(child: ChildInfo, to: GatherTarget): boolean {
  return to.cloudlet === undefined || (child.scopes === undefined && child.cloudlet === "") || isAt(child, to.cloudlet);
}

function decode<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
