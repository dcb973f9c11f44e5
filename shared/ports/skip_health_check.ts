import { covers, lastPort, type PortRange } from "./port_range.ts";
import { type PortIssue, PortListError } from "./rules.ts";
import { readPortList } from "./parse.ts";

/** Ports of an app that are not probed: all of them, or the tcp ranges listed. */
export type SkippedPorts = "all" | readonly PortRange[];

/**
 * Reads `skip_hc_ports`: `all`, or tcp entries that lie inside the app's access ports.
 * Throws {@linkcode PortListError} with every fault.
 */
export function skippedHealthCheckPorts(text: string, accessPorts: readonly PortRange[]): SkippedPorts {
  if (text === "all") return "all";
  const { ports, issues } = readPortList(text, { path: "skip_hc_ports" });
  const faults: PortIssue[] = [...issues];
  for (const range of ports) {
    const value = `${range.protocol}:${range.port}`;
    if (range.protocol !== "tcp") {
      faults.push({ path: "skip_hc_ports", value, rule: "only tcp ports are probed" });
      continue;
    }
    for (let port = range.port; port <= lastPort(range); port++) {
      if (accessPorts.some((access) => covers(access, "tcp", port))) continue;
      faults.push({ path: "skip_hc_ports", value: `tcp:${port}`, rule: "is not among the access ports" });
      break;
    }
  }
  if (faults.length > 0) throw new PortListError(faults);
  return ports;
}
