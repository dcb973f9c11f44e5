import { RpcError, Status } from "../../../../../shared/rpc/mod.ts";
import { type AppInst, AppInstKind, AppKind, type CloudletPoolKey, Result } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { failedPrecondition } from "../../faults.ts";
import { ANY_CLUSTER } from "../../rules/cluster_names.ts";
import { clusterDeploymentOf } from "../../rules/deployments.ts";
import type { CreateOptions } from "../app_inst/admit.ts";
import { createAppInst } from "../app_inst/create.ts";
import { type Candidate, findCandidates } from "./candidates.ts";
import { preference, ranked } from "./rank.ts";

/** Candidates that are tried before the call gives up. */
const MAX_TRIES = 5;
/** Cloudlets whose reasons are told one by one. */
const MAX_TOLD = 20;

/**
 * CreateAppInst without a cloudlet: chooses one, tells why, and which were passed over for what reason. The cache has the
 * first word; the transaction that takes the instance in has the last, and when that refuses, the next best is tried.
 */
export async function* createOnBest(
  context: ApiContext,
  instance: AppInst,
  options: CreateOptions & { readonly pools: readonly CloudletPoolKey[] },
  signal: AbortSignal,
): AsyncGenerator<Result> {
  nameAnyCluster(context, instance);
  const { fitting, passedOver } = findCandidates(context, instance, options.pools);
  for (const { key, reason } of passedOver.slice(0, MAX_TOLD)) yield line(`Cloudlet ${key} passed over: it ${reason}`);
  if (passedOver.length > MAX_TOLD) yield line(`${passedOver.length - MAX_TOLD} more cloudlets passed over`);
  const order = ranked(fitting);
  for (const [i, candidate] of order.slice(0, MAX_TRIES).entries()) {
    const why = preference(candidate, order.slice(i + 1));
    yield line(`Cloudlet ${candidate.key} chosen of ${order.length - i}: ${why}`);
    const refusal = yield* tryOn(context, candidate, options, signal);
    if (refusal === undefined) return;
    yield line(`Cloudlet ${candidate.key} passed over: ${told(refusal)}`);
  }
  throw failedPrecondition(
    fitting.length === 0
      ? `None of the ${passedOver.length} cloudlets that the organization may use can take the instance`
      : `None of the ${Math.min(order.length, MAX_TRIES)} cloudlets that were tried could take the instance`,
  );
}

/** Creates the instance on one cloudlet. Returns why it was not taken in; throws what happens after that. */
async function* tryOn(
  context: ApiContext,
  { instance }: Candidate,
  options: CreateOptions,
  signal: AbortSignal,
): AsyncGenerator<Result, RpcError | undefined> {
  const key = AppInstKind.keyString(instance.key);
  let admitted = false;
  try {
    const progress = context.operations.run(
      AppInstKind,
      key,
      "create",
      (operation) =>
        createAppInst(context, operation, key, instance, { ...options, admitted: () => void (admitted = true) }),
      { override: options.override.value },
    );
    yield* progress.read(signal);
    return undefined;
  } catch (error) {
    const failure = RpcError.from(error);
    // Only what the cloudlet is to blame for is a reason to look at others.
    const refused = failure.code === Status.FAILED_PRECONDITION || failure.code === Status.INVALID_ARGUMENT ||
      failure.code === Status.ALREADY_EXISTS || failure.code === Status.NOT_FOUND;
    if (admitted || !refused) throw failure;
    return failure;
  }
}

/** An app that needs a cluster gets any, unless the caller named one. */
function nameAnyCluster({ region }: ApiContext, { key }: AppInst): void {
  const app = region.cache.get(AppKind, AppKind.keyString(key.appKey));
  const { clusterKey } = key.clusterInstKey;
  if (app && clusterDeploymentOf(app.deployment) !== "" && clusterKey.name === "") clusterKey.name = ANY_CLUSTER;
}

/** A refusal without the amounts that others use. */
function told({ message }: RpcError): string {
  return message.includes("Not enough resources available") ? "it has not enough resources left" : message;
}

function line(message: string): Result {
  return Result.create({ message });
}
