import { RpcError, Status } from "../../../../../shared/rpc/mod.ts";
import { CloudletKind, equal, TrustPolicy, TrustPolicyKind } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import type { Operation } from "../../operations/operation.ts";
import type { Progress } from "../../operations/progress.ts";
import { cloudletsUnder, requireTrustUnder } from "../app_trust.ts";
import { pushTrustPolicy } from "../cloudlet/mod.ts";
import { readKey } from "../requests.ts";
import { siteFailure } from "../site_work.ts";
import type { CatalogCalls } from "./catalog.ts";

/**
 * UpdateTrustPolicy: stores the rules and has every cloudlet that uses the policy put them in force, all at once. When
 * none of them can, the rules are those of before (specification 5.5), unless an instance has come that only the new ones
 * allow.
 */
export function updateTrustPolicy(
  context: ApiContext,
  policies: CatalogCalls<TrustPolicy>,
  request: TrustPolicy,
): Progress {
  const { region, operations } = context;
  const key = readKey(TrustPolicyKind, request);
  return operations.run(TrustPolicyKind, key, "update", async (operation) => {
    await region.change(async (tx) => {
      await tx.require(TrustPolicyKind, key);
      await operation.claim(tx);
    });
    const before = region.cache.get(TrustPolicyKind, key)!;
    const { message } = await policies.update(request);
    const after = region.cache.get(TrustPolicyKind, key);
    if (after !== undefined && !equal(TrustPolicy, before, after)) {
      await pushToAll(context, operation, key, before);
    }
    operation.progress.line(message);
  });
}

async function pushToAll(
  context: ApiContext,
  operation: Operation,
  key: string,
  before: TrustPolicy,
): Promise<void> {
  const { region } = context;
  const cloudlets = [...region.cache.referrersOfKind(TrustPolicyKind, key, CloudletKind)].sort();
  const failures: string[] = [];
  await Promise.all(cloudlets.map(async (cloudlet) => {
    try {
      const pushing = context.operations.run(
        CloudletKind,
        cloudlet,
        "update",
        (own) => pushTrustPolicy(context, own, cloudlet),
      );
      for await (const { message } of pushing.read(new AbortController().signal)) {
        operation.progress.line(`${cloudlet}: ${message}`);
      }
    } catch (error) {
      const { message } = RpcError.from(error);
      operation.progress.line(`${cloudlet}: ${message}`);
      failures.push(`${cloudlet}: ${message}`);
    }
  }));
  if (cloudlets.length === 0 || failures.length < cloudlets.length) return;
  try {
    await region.change(async (tx) => {
      const policy = await tx.get(TrustPolicyKind, key);
      if (policy === undefined) return;
      const restored = { ...policy, outboundSecurityRules: before.outboundSecurityRules };
      await requireTrustUnder(context, tx, restored, cloudletsUnder(context, key));
      tx.put(TrustPolicyKind, restored);
    });
  } catch (error) {
    // An instance came meanwhile that only the new rules allow.
    if (RpcError.from(error).code !== Status.FAILED_PRECONDITION) throw error;
    failures.push(`the rules of before cannot be put back: ${RpcError.from(error).message}`);
  }
  throw siteFailure(failures);
}
