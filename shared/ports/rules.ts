import { covers, type PortProtocol, type PortRange } from "./port_range.ts";

/** Most tcp ports that one list may hold; each costs a listener in the proxy in front of the app. */
export const MAX_TCP_PORTS = 1000;
/** Most udp ports that one list may hold. */
export const MAX_UDP_PORTS = 10_000;
/** Above this number of udp ports every udp entry is served by nginx: the other proxy cannot hold as many. */
export const NGINX_UDP_PORTS = 1000;
/** Most ports of one udp range of a kubernetes app: each becomes an entry of a Service. */
export const MAX_KUBERNETES_UDP_RANGE_PORTS = 1000;
/** Longest port list in characters; 11 000 single ports fit. */
export const MAX_LIST_CHARACTERS = 200_000;

/** One fault of a port list. */
export interface PortIssue {
  /** Where: the field's name and the entry's position, e.g. `access_ports[2]`. */
  readonly path: string;
  /** The text at fault. */
  readonly value: string;
  /** The rule that it breaks. */
  readonly rule: string;
}

/** A port list that breaks a rule; `issues` holds every fault. */
export class PortListError extends Error {
  override readonly name = "PortListError";
  readonly issues: readonly PortIssue[];

  constructor(issues: readonly PortIssue[]) {
    super(issues.map((issue) => `Invalid ${issue.path} "${issue.value}": ${issue.rule}`).join("; "));
    this.issues = issues;
  }
}

/** Ports that the platform itself uses on a site. */
const RESERVED: readonly { protocol: PortProtocol; port: number; use: string }[] = [
  { protocol: "tcp", port: 22, use: "platform SSH" },
  { protocol: "tcp", port: 53, use: "DNS" },
  { protocol: "udp", port: 53, use: "DNS" },
  { protocol: "tcp", port: 20800, use: "kubernetes join server" },
];

/** Text of the rule that a reserved port breaks, or undefined. */
export function reservedRule(range: PortRange): string | undefined {
  const hit = RESERVED.find((reserved) => covers(range, reserved.protocol, reserved.port));
  return hit && `${hit.protocol}:${hit.port} is reserved for ${hit.use}`;
}
