import type { Metadata } from "../../../../../shared/rpc/mod.ts";
import {
  type AppInst,
  AppInstKind,
  clearUnset,
  CloudletPoolKey,
  fromJson,
  JsonError,
  RequestOption,
  requiredIssues,
} from "../../../../../shared/schema/mod.ts";
import { refuse } from "../../faults.ts";
import { checkAppInst } from "../../rules/app_inst.ts";
import { Issues } from "../../rules/issues.ts";

const CLUSTER_KEY = "key.cluster_inst_key.";

/** Takes a new instance without a cloudlet from a request. Throws all faults that can be told without one. */
export function readUnplaced(request: AppInst): AppInst {
  const instance = AppInstKind.message.create(request);
  clearUnset(AppInstKind.message, instance);
  const issues = new Issues();
  issues.list.push(
    ...requiredIssues(AppInstKind.message, instance).filter(({ path }) => !path.startsWith(CLUSTER_KEY)),
  );
  checkAppInst(instance, issues);
  refuse(issues.list);
  return instance;
}

/** The pools that the caller's organization was invited to, as the master controller says. */
export function invitedPools(metadata: Metadata): CloudletPoolKey[] {
  const text = metadata.get(RequestOption.cloudletPools);
  if (text === undefined) return [];
  const issues = new Issues();
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list.map((key) => fromJson(CloudletPoolKey, key, "region"));
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof JsonError)) throw error;
  }
  issues.add(RequestOption.cloudletPools, text, "must be a JSON list of keys of cloudlet pools");
  refuse(issues.list);
  return [];
}
