import { createGatherer, type NotifyClient } from "../../../shared/notify/mod.ts";
import type { Clock } from "../../../shared/runtime/mod.ts";
import {
  AppInstLatency,
  AppInstLatencyAsked,
  EXPLAIN_QUESTION,
  LATENCY_QUESTION,
  MatchExplanation,
  MatchQuery,
} from "../../../shared/schema/mod.ts";
import { explainMatch } from "./api/mod.ts";
import type { EdgeDesk } from "./edge/mod.ts";

/** Answers what controllers ask of matching engines. */
export function answerController(
  client: NotifyClient,
  { region, instance, cloudlet = "", clock }: { region: string; instance: string; cloudlet?: string; clock: Clock },
  edge: EdgeDesk,
): void {
  const common = {
    client,
    node: { service: "dme", region, cloudlet, instance },
    clock: {
      now: () => clock.now(),
      after(ms: number, task: () => void) {
        const timer = clock.setTimer(task, ms);
        return () => timer.cancel();
      },
    },
  };
  createGatherer({
    ...common,
    type: LATENCY_QUESTION,
    answer: (question) =>
      AppInstLatencyAsked.encode({ clients: edge.pushes.requestLatency(AppInstLatency.decode(question).key) }),
  });
  createGatherer({
    ...common,
    type: EXPLAIN_QUESTION,
    answer(question) {
      const why = edge.desk.notReady();
      if (why !== undefined) throw new Error(why);
      return MatchExplanation.encode({ candidates: explainMatch(edge.desk, MatchQuery.decode(question)) });
    },
  });
}
