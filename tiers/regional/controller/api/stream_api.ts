import type { CallContext, Handlers } from "../../../../shared/rpc/mod.ts";
import {
  AppInst,
  AppInstKind,
  CloudletKind,
  ClusterInstKind,
  GPUDriverKind,
  type ObjectKind,
  requiredIssues,
  type Result,
  type StreamObjApi,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { refuse } from "../faults.ts";
import { followProgress } from "../operations/follow.ts";
import type { Operations } from "../operations/operations.ts";
import { completeKey } from "./app_inst/key.ts";

/** Handlers of StreamObjApi. */
export function streamApi(context: ApiContext, operations: Operations): Handlers<typeof StreamObjApi> {
  const { region, clock } = context;
  function follow<T, K>(kind: ObjectKind<T, K>, key: K, call: CallContext): AsyncIterable<Result> {
    refuse(requiredIssues(kind.keyMessage, key));
    return followProgress({ region, operations, clock }, kind, kind.keyString(key), call.signal);
  }
  return {
    streamAppInst(request, call) {
      const instance = AppInst.create({ key: request });
      completeKey(context, instance);
      return follow(AppInstKind, instance.key, call);
    },
    streamClusterInst: (request, call) => follow(ClusterInstKind, request, call),
    streamGPUDriver: (request, call) => follow(GPUDriverKind, request, call),
    streamCloudlet: (request, call) => follow(CloudletKind, request, call),
  };
}
