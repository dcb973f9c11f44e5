import { type ChildInfo, createGatherer, type Gathered, type NotifyHub } from "../../../../shared/notify/mod.ts";
import type { RpcError } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import {
  AppInstLatency,
  AppInstLatencyAsked,
  EXPLAIN_QUESTION,
  LATENCY_QUESTION,
  MatchCandidate,
  MatchExplanation,
  MatchQuery,
} from "../../../../shared/schema/mod.ts";
import { failedPrecondition } from "../faults.ts";

/** What has come of a question for latencies. */
export interface LatencyAsked {
  /** Devices that were asked. */
  readonly clients: number;
  /** Engines that have asked them. */
  readonly engines: number;
  /** Engines that have not answered, each with why. */
  readonly silent: readonly string[];
}

/**
 * The matching engines that are connected to this controller. Whoever wants to hear all of the region asks every
 * controller.
 */
export interface MatchingEngines {
  /**
   * Has the clients of an instance asked for latencies.
   *
   * @throws {RpcError} FAILED_PRECONDITION when no engine is connected
   */
  requestLatency(request: AppInstLatency): Promise<LatencyAsked>;
  /**
   * What the engines make of a search, one engine after the other. An engine that could not say anything is a candidate
   * with an unknown verdict and the reason.
   *
   * @throws {RpcError} FAILED_PRECONDITION when none is connected
   */
  explain(query: MatchQuery): Promise<readonly MatchCandidate[]>;
}

/** Longest time that engines get to answer, ms. */
const ANSWER_MS = 5_000;

const ENGINE = "dme";

/** Makes what asks the matching engines below a hub. */
export function matchingEngines(hub: NotifyHub, region: string, controller: string, clock: Clock): MatchingEngines {
  const node = { service: "controller", region, cloudlet: "", instance: controller };
  const notifyClock = {
    now: () => clock.now(),
    after(ms: number, task: () => void) {
      const timer = clock.setTimer(task, ms);
      return () => timer.cancel();
    },
  };
  const questions = (type: string) =>
    createGatherer({ type, node, hub, clock: notifyClock, answer: () => new Uint8Array() });
  const latency = questions(LATENCY_QUESTION);
  const explanation = questions(EXPLAIN_QUESTION);

  return {
    async requestLatency(request) {
      const gathered = await latency.ask(AppInstLatency.encode(request), {
        timeoutMs: ANSWER_MS,
        to: { service: ENGINE },
      });
      const counts = answers(gathered).map(({ value }) => AppInstLatencyAsked.decode(value).clients);
      const silent = failures(gathered).map(({ engine, why }) => `${engine}: ${why}`);
      if (counts.length + silent.length === 0) throw nobody();
      return { clients: counts.reduce((sum, count) => sum + count, 0), engines: counts.length, silent };
    },
    async explain(query) {
      // Those on sites belong to somebody else.
      const isOurs = ({ service, scope }: ChildInfo) => service === ENGINE && scope === undefined;
      if (!hub.streams().some(({ child }) => isOurs(child))) throw nobody();
      const gathered = await explanation.ask(MatchQuery.encode(query), {
        timeoutMs: ANSWER_MS,
        to: { service: ENGINE },
        through: isOurs,
      });
      return [
        ...answers(gathered).flatMap(({ node: { instance }, value }) =>
          MatchExplanation.decode(value).candidates.map((candidate) => ({ ...candidate, engines: [instance] }))
        ),
        ...failures(gathered).map(({ engine, why }) =>
          MatchCandidate.create({ reason: `${engine}: ${why}`, engines: [engine] })
        ),
      ];
    },
  };
}

function nobody(): RpcError {
  return failedPrecondition("No matching engine is connected to this controller");
}

function answers({ replies }: Gathered): Gathered["replies"] {
  return replies.filter(({ error }) => error === undefined);
}

function failures({ replies, silent }: Gathered): { engine: string; why: string }[] {
  return [
    ...replies.filter(({ error }) => error !== undefined).map(({ node, error }) => ({
      engine: node.instance,
      why: error!,
    })),
    ...silent.map(({ instance }) => ({ engine: instance, why: "has not answered in time" })),
  ];
}
