import { parseEntry } from "./entry.ts";
import { portCount, type PortRange, portsOverlap } from "./port_range.ts";
import {
  MAX_KUBERNETES_UDP_RANGE_PORTS,
  MAX_LIST_CHARACTERS,
  MAX_TCP_PORTS,
  MAX_UDP_PORTS,
  NGINX_UDP_PORTS,
  type PortIssue,
  PortListError,
  reservedRule,
} from "./rules.ts";

/** How a port list is read. */
export interface PortListOptions {
  /** Name of the field in messages. @default "access_ports" */
  readonly path?: string;
  /** Deployment of the app, for rules that depend on it. */
  readonly deployment?: string;
}

/** What a port list says, and everything that is wrong with it. */
export interface PortListResult {
  /** Entries that parsed, in order. */
  readonly ports: PortRange[];
  /** Every fault; empty when the list is valid. */
  readonly issues: PortIssue[];
}

/** Reads a port list and checks every rule of controller specification 3.1; an empty text is an empty list. */
export function readPortList(text: string, options: PortListOptions = {}): PortListResult {
  const path = options.path ?? "access_ports";
  if (text === "") return { ports: [], issues: [] };
  if (text.length > MAX_LIST_CHARACTERS) {
    const rule = `the list has ${text.length} characters, at most ${MAX_LIST_CHARACTERS} are allowed`;
    return { ports: [], issues: [{ path, value: `${text.slice(0, 40)}…`, rule }] };
  }
  const issues: PortIssue[] = [];
  const ports: PortRange[] = [];
  const placed: { at: string; text: string; range: PortRange }[] = [];
  for (const [index, entry] of text.split(",").entries()) {
    const at = `${path}[${index}]`;
    const parsed = parseEntry(entry);
    for (const rule of parsed.rules) issues.push({ path: at, value: entry, rule });
    if (!parsed.range) continue;
    ports.push(parsed.range);
    placed.push({ at, text: entry, range: parsed.range });
  }
  for (const { at, text: entry, range } of placed) {
    const reserved = reservedRule(range);
    if (reserved) issues.push({ path: at, value: entry, rule: reserved });
    if (
      options.deployment === "kubernetes" && range.protocol === "udp" &&
      portCount(range) > MAX_KUBERNETES_UDP_RANGE_PORTS
    ) {
      const rule = `a udp range of a kubernetes app may hold at most ${MAX_KUBERNETES_UDP_RANGE_PORTS} ports`;
      issues.push({ path: at, value: entry, rule });
    }
  }
  issues.push(...overlapIssues(placed), ...totalIssues(path, text, ports));
  return { ports: withNginx(ports), issues };
}

/** Reads a valid port list. Throws {@linkcode PortListError} with every fault of an invalid one. */
export function parsePortList(text: string, options: PortListOptions = {}): PortRange[] {
  const { ports, issues } = readPortList(text, options);
  if (issues.length > 0) throw new PortListError(issues);
  return ports;
}

function overlapIssues(placed: readonly { at: string; text: string; range: PortRange }[]): PortIssue[] {
  const issues: PortIssue[] = [];
  const sorted = [...placed].sort((a, b) =>
    a.range.protocol.localeCompare(b.range.protocol) || a.range.port - b.range.port
  );
  let widest = sorted[0];
  for (const entry of sorted.slice(1)) {
    if (widest && portsOverlap(widest.range, entry.range)) {
      issues.push({ path: entry.at, value: entry.text, rule: `overlaps with "${widest.text}"` });
    }
    const reaches = (one: PortRange) => one.port + portCount(one);
    if (
      !widest || widest.range.protocol !== entry.range.protocol || reaches(entry.range) > reaches(widest.range)
    ) widest = entry;
  }
  return issues;
}

function totalIssues(path: string, text: string, ports: readonly PortRange[]): PortIssue[] {
  const issues: PortIssue[] = [];
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  for (const [protocol, most] of [["tcp", MAX_TCP_PORTS], ["udp", MAX_UDP_PORTS]] as const) {
    const total = totalPorts(ports, protocol);
    if (total > most) {
      issues.push({ path, value: shown, rule: `holds ${total} ${protocol} ports, at most ${most} are allowed` });
    }
  }
  return issues;
}

function withNginx(ports: PortRange[]): PortRange[] {
  if (totalPorts(ports, "udp") <= NGINX_UDP_PORTS) return ports;
  return ports.map((range) => range.protocol === "udp" ? { ...range, nginx: true } : range);
}

function totalPorts(ports: readonly PortRange[], protocol: string): number {
  return ports.reduce((sum, range) => range.protocol === protocol ? sum + portCount(range) : sum, 0);
}
