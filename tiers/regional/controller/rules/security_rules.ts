import type { SecurityRule } from "../../../../shared/schema/mod.ts";
import { parseCidr } from "./cidr.ts";
import type { Issues } from "./issues.ts";

const MAX_PORT = 65_535;
/** Most rules of one list. */
const MAX_RULES = 1000;

/** Brings rules into the form in which they are kept: protocol in capitals, a last port (specification 3.6). */
export function defaultSecurityRules(rules: readonly SecurityRule[]): void {
  for (const rule of rules) {
    rule.protocol = rule.protocol.toUpperCase();
    if (rule.portRangeMax === 0) rule.portRangeMax = rule.portRangeMin;
  }
}

/** Checks rules whose defaults are filled in; `path` is the JSON path of their list (specification 3.6). */
export function checkSecurityRules(rules: readonly SecurityRule[], path: string, issues: Issues): void {
  issues.check(rules.length <= MAX_RULES, path, rules.length, `may hold at most ${MAX_RULES} rules`);
  for (const [index, rule] of rules.slice(0, MAX_RULES).entries()) checkRule(rule, `${path}[${index}]`, issues);
}

function checkRule(rule: SecurityRule, path: string, issues: Issues): void {
  const { protocol, portRangeMin: min, portRangeMax: max, remoteCidr } = rule;
  switch (protocol) {
    case "TCP":
    case "UDP": {
      const isPort = (port: number) => port >= 1 && port <= MAX_PORT;
      issues.check(isPort(min), `${path}.port_range_min`, min, `must be a port from 1 to ${MAX_PORT}`);
      const within = isPort(max) && max >= min;
      issues.check(within || !isPort(min), `${path}.port_range_max`, max, `must be from ${min} to ${MAX_PORT}`);
      break;
    }
    case "ICMP":
      issues.check(min === 0, `${path}.port_range_min`, min, "must be empty: ICMP has no ports");
      issues.check(max === 0 || max === min, `${path}.port_range_max`, max, "must be empty: ICMP has no ports");
      break;
    default:
      issues.add(`${path}.protocol`, protocol, "must be TCP, UDP or ICMP");
  }
  issues.check(
    parseCidr(remoteCidr) !== undefined,
    `${path}.remote_cidr`,
    remoteCidr,
    'must be a block of addresses such as "10.0.0.0/8"',
  );
}
