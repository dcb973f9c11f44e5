import { createGatherer, type GatheredReply, type NotifyHub } from "../../../../shared/notify/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import {
  AppInstLatency,
  AppInstLatencyAsked,
  EXPLAIN_QUESTION,
  LATENCY_QUESTION,
  type MatchCandidate,
  MatchExplanation,
  MatchQuery,
} from "../../../../shared/schema/mod.ts";
import { failedPrecondition } from "../faults.ts";

/** The matching engines that are connected to this controller. */
export interface MatchingEngines {
  /** Has the clients of an instance asked for latencies. @returns how many were asked, by how many engines */
  requestLatency(request: AppInstLatency): Promise<{ clients: number; engines: number }>;
  /**
   * What an engine makes of a search.
   *
   * @throws {RpcError} FAILED_PRECONDITION when none is connected, or none could answer; says why.
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
      const { replies } = await latency.ask(AppInstLatency.encode(request), {
        timeoutMs: ANSWER_MS,
        to: { service: ENGINE },
      });
      const answers = replies.filter(({ error }) => error === undefined);
      const counts = answers.map(({ value }) => AppInstLatencyAsked.decode(value).clients);
      return { clients: counts.reduce((sum, count) => sum + count, 0), engines: counts.length };
    },
    async explain(query) {
      // All engines have the same tables: any one will do, but those on sites belong to somebody else.
      const engine = hub.streams().map(({ child }) => child)
        .find(({ service, scope }) => service === ENGINE && scope === undefined);
      if (engine === undefined) throw failedPrecondition("No matching engine is connected to this controller");
      const { replies } = await explanation.ask(MatchQuery.encode(query), {
        timeoutMs: ANSWER_MS,
        to: { service: ENGINE, instance: engine.instance },
      });
      const reply: GatheredReply | undefined = replies[0];
      if (reply === undefined) throw failedPrecondition("The matching engine did not answer in time");
      if (reply.error !== undefined) throw failedPrecondition(reply.error);
      return MatchExplanation.decode(reply.value).candidates;
    },
  };
}
