import {
  type AlertPolicy,
  type AutoProvPolicy,
  type AutoScalePolicy,
  CloudletKind,
  durationText,
  equal,
  type Settings,
  TrustPolicy,
  type TrustPolicyException,
  TrustPolicyExceptionState,
} from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName, checkPolicyKey } from "./names.ts";
import { checkSecurityRules } from "./security_rules.ts";

const MAX_NODES = 10;
const DEFAULT_STABILIZATION_SEC = 300;
const MAX_CONNECTIONS = 1e12;
const MAX_TRIGGER_NS = 72 * 3600e9;
const SEVERITIES = ["info", "warning", "error"];

/** Checks an auto-provisioning policy (specification 3.11). */
export function checkAutoProvPolicy(policy: AutoProvPolicy, issues: Issues, before: AutoProvPolicy | undefined): void {
  checkPolicyKey(issues, policy.key);
  const { minActiveInstances: min, maxInstances: max, deployClientCount, cloudlets } = policy;
  issues.check(max === 0 || min <= max, "max_instances", max, "must be 0 or at least min_active_instances");
  issues.check(
    min > 0 || deployClientCount > 0,
    "deploy_client_count",
    undefined,
    "must be set, or min_active_instances: nothing would ever be deployed",
  );
  issues.check(
    before !== undefined || min <= cloudlets.length,
    "min_active_instances",
    min,
    `must be at most the number of cloudlets, ${cloudlets.length}`,
  );
  const keys = cloudlets.map(({ key }) => CloudletKind.keyString(key));
  keys.forEach((key, i) => {
    issues.check(keys.indexOf(key) === i, `cloudlets[${i}].key`, key, "must not be there twice");
  });
}

/** Fills in the defaults of an auto-scale policy. */
export function defaultAutoScalePolicy(policy: AutoScalePolicy): void {
  if (policy.stabilizationWindowSec === 0) policy.stabilizationWindowSec = DEFAULT_STABILIZATION_SEC;
}

/** Checks an auto-scale policy (specification 3.11). */
export function checkAutoScalePolicy(policy: AutoScalePolicy, issues: Issues): void {
  checkPolicyKey(issues, policy.key);
  const { minNodes, maxNodes, scaleUpCpuThresh: up, scaleDownCpuThresh: down } = policy;
  issues.check(maxNodes <= MAX_NODES, "max_nodes", maxNodes, `must be at most ${MAX_NODES}`);
  issues.check(maxNodes > minNodes, "max_nodes", maxNodes, `must be above min_nodes, ${minNodes}`);
  const byThreshold = up > 0 || down > 0;
  const byTarget = policy.targetCpu > 0 || policy.targetMem > 0 || policy.targetActiveConnections > 0;
  if (!byThreshold && !byTarget) {
    issues.add("target_cpu", undefined, "must be set, or target_mem, target_active_connections or the CPU thresholds");
  }
  if (byThreshold && byTarget) {
    issues.add("scale_up_cpu_thresh", up || undefined, "must not be set together with targets");
  }
  if (byThreshold) {
    issues.check(up <= 100, "scale_up_cpu_thresh", up, "must be at most 100");
    issues.check(down <= 100, "scale_down_cpu_thresh", down, "must be at most 100");
    issues.check(up > down, "scale_up_cpu_thresh", up, "must be above scale_down_cpu_thresh");
  }
  issues.check(policy.targetCpu <= 100, "target_cpu", policy.targetCpu, "must be at most 100");
  issues.check(policy.targetMem <= 100, "target_mem", policy.targetMem, "must be at most 100");
  issues.check(
    policy.targetActiveConnections <= MAX_CONNECTIONS,
    "target_active_connections",
    policy.targetActiveConnections,
    `must be at most ${MAX_CONNECTIONS}`,
  );
}

/** Checks an alert policy (specification 3.11). */
export function checkAlertPolicy(policy: AlertPolicy, issues: Issues, settings: Settings): void {
  checkName(issues, "key.organization", policy.key.organization);
  checkName(issues, "key.name", policy.key.name);
  const percents: [string, number][] = [
    ["cpu_utilization_limit", policy.cpuUtilizationLimit],
    ["mem_utilization_limit", policy.memUtilizationLimit],
    ["disk_utilization_limit", policy.diskUtilizationLimit],
  ];
  for (const [name, value] of percents) {
    issues.check(value <= 100, name, value, "must be at most 100");
    issues.check(
      value === 0 || policy.activeConnLimit === 0,
      name,
      value,
      "must not be set together with active_conn_limit",
    );
  }
  issues.check(
    policy.activeConnLimit > 0 || percents.some(([, value]) => value > 0),
    "cpu_utilization_limit",
    undefined,
    "must be set, or one of the other limits",
  );
  if (policy.severity !== "") {
    issues.check(SEVERITIES.includes(policy.severity), "severity", policy.severity, "must be info, warning or error");
  }
  const least = settings.alertPolicyMinTriggerTime;
  if (policy.triggerTime !== 0) {
    issues.check(
      policy.triggerTime >= least && policy.triggerTime <= MAX_TRIGGER_NS,
      "trigger_time",
      durationText(policy.triggerTime),
      `must be from ${durationText(least)} to ${durationText(MAX_TRIGGER_NS)}`,
    );
  }
}

/** Checks a trust policy (specification 3.6). */
export function checkTrustPolicy(policy: TrustPolicy, issues: Issues): void {
  checkPolicyKey(issues, policy.key);
  checkSecurityRules(policy.outboundSecurityRules, "outbound_security_rules", issues);
}

/** Checks a trust policy exception, and what may become of one (specification 3.11). */
export function checkTrustPolicyException(
  exception: TrustPolicyException,
  issues: Issues,
  before: TrustPolicyException | undefined,
): void {
  checkPolicyKey(issues, { organization: "", name: exception.key.name });
  const { state, outboundSecurityRules: rules } = exception;
  issues.check(rules.length > 0, "outbound_security_rules", undefined, "must hold at least one rule");
  checkSecurityRules(rules, "outbound_security_rules", issues);
  if (before === undefined) return;
  if (state !== before.state) {
    const decided = state === TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_ACTIVE ||
      state === TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_REJECTED;
    issues.check(decided, "state", undefined, "must be Active or Rejected");
  }
  const requested = TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_APPROVAL_REQUESTED;
  issues.check(
    before.state === requested || sameRules(exception, before),
    "outbound_security_rules",
    undefined,
    "may be changed only while approval is requested",
  );
}

function sameRules(a: TrustPolicyException, b: TrustPolicyException): boolean {
  const rulesOf = ({ outboundSecurityRules }: TrustPolicyException) => TrustPolicy.create({ outboundSecurityRules });
  return equal(TrustPolicy, rulesOf(a), rulesOf(b));
}
