import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  AppInst,
  AppInstKind,
  AppInstLatency,
  type AppInstLatencyApi,
  AppKind,
  type MatchApi,
  MatchQuery,
  requiredIssues,
  Result,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { notFound, refuse } from "../faults.ts";
import type { LatencyAsked } from "../replication/matching_engines.ts";
import { completeKey } from "./app_inst/key.ts";

/** Handlers of AppInstLatencyApi. */
export function appInstLatencyApi(context: ApiContext): Handlers<typeof AppInstLatencyApi> {
  const { region, engines } = context;
  return {
    async requestAppInstLatency(request) {
      const wanted = AppInst.create({ key: request.key });
      completeKey(context, wanted);
      refuse(requiredIssues(AppInstLatency, { key: wanted.key }));
      const key = AppInstKind.keyString(wanted.key);
      if (region.cache.get(AppInstKind, key) === undefined) throw notFound(AppInstKind, key);
      return Result.create({ message: askedText(await engines.requestLatency({ key: wanted.key })) });
    },
  };
}

function askedText({ clients, engines, silent }: LatencyAsked): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const missing = silent.length === 0 ? "" : `, no answer from ${silent.join(", ")}`;
  return `Asked ${count(clients, "device")} on ${count(engines, "matching engine")}${missing}`;
}

/** Handlers of MatchApi. */
export function matchApi({ region, engines }: ApiContext): Handlers<typeof MatchApi> {
  return {
    async *explainMatch(request) {
      refuse(requiredIssues(MatchQuery, request));
      const key = AppKind.keyString(request.appKey);
      if (region.cache.get(AppKind, key) === undefined) throw notFound(AppKind, key);
      yield* await engines.explain(request);
    },
  };
}
