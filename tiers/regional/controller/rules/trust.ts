import type { App, SecurityRule } from "../../../../shared/schema/mod.ts";
import { cidrContains, parseCidr } from "./cidr.ts";

/** Whether a rule lets all of a connection through: protocol, ports and addresses (specification 4.8). */
export function ruleAllows(rule: SecurityRule, connection: SecurityRule): boolean {
  if (rule.protocol.toUpperCase() !== connection.protocol.toUpperCase()) return false;
  const outer = parseCidr(rule.remoteCidr);
  const inner = parseCidr(connection.remoteCidr);
  if (outer === undefined || inner === undefined || !cidrContains(outer, inner)) return false;
  const [rulePorts, wanted] = [portsOf(rule), portsOf(connection)];
  return rulePorts.first <= wanted.first && wanted.last <= rulePorts.last;
}

/** What of an app a trust policy looks at. */
export type TrustedPart = Pick<App, "trusted" | "requiredOutboundConnections">;

/**
 * Why an app may not run where a trust policy is in force, or undefined when it may: it must be trusted, and one rule must
 * contain each connection that it needs (specification 4.8).
 *
 * @param rules those of the cloudlet's policy, and of the exceptions in state ACTIVE for this app and a pool of the cloudlet
 */
export function distrustOf(app: TrustedPart, rules: readonly SecurityRule[]): string | undefined {
  if (!app.trusted) return "the app is not trusted";
  const refused = app.requiredOutboundConnections.filter((wanted) => !rules.some((rule) => ruleAllows(rule, wanted)));
  if (refused.length === 0) return undefined;
  return `no rule of the trust policy or of an active exception allows ${refused.map(ruleText).join(", ")}`;
}

/** Text of a rule for people, e.g. `TCP 443 to 8.100.0.0/16`. */
export function ruleText(rule: SecurityRule): string {
  const { first, last } = portsOf(rule);
  const ports = first === 0 ? "" : first === last ? ` ${first}` : ` ${first}-${last}`;
  return `${rule.protocol}${ports} to ${rule.remoteCidr}`;
}

function portsOf({ portRangeMin, portRangeMax }: SecurityRule): { first: number; last: number } {
  return { first: portRangeMin, last: portRangeMax === 0 ? portRangeMin : portRangeMax };
}
