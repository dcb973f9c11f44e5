/** Port lists of apps ("tcp:443:tls,udp:5000-5010"): grammar, limits and text form (controller specification 3.1). */
export { covers, lastPort, portCount, type PortProtocol, type PortRange, portsOverlap } from "./port_range.ts";
export {
  MAX_KUBERNETES_UDP_RANGE_PORTS,
  MAX_TCP_PORTS,
  MAX_UDP_PORTS,
  NGINX_UDP_PORTS,
  type PortIssue,
  PortListError,
} from "./rules.ts";
export { parsePortList, type PortListOptions, type PortListResult, readPortList } from "./parse.ts";
export { formatPort, formatPortList } from "./format.ts";
export { skippedHealthCheckPorts, type SkippedPorts } from "./skip_health_check.ts";
