/** Transport protocol of a port. */
export type PortProtocol = "tcp" | "udp";

/** One entry of a port list: a port, or an inclusive range of ports, of one protocol. */
export interface PortRange {
  readonly protocol: PortProtocol;
  /** First port, 1..65535. */
  readonly port: number;
  /** Last port of a range, above `port`; 0 for a single port. */
  readonly endPort: number;
  /** TLS is terminated in front of the app (tcp only). */
  readonly tls: boolean;
  /** Served by the packet proxy for many ports (udp only). */
  readonly nginx: boolean;
  /** Largest datagram in bytes, 1500..50000 (udp only); 0 when not given. */
  readonly maxPacketBytes: number;
}

/** Number of ports that an entry covers. */
export function portCount(range: PortRange): number {
  return lastPort(range) - range.port + 1;
}

/** Last port that an entry covers. */
export function lastPort(range: PortRange): number {
  return range.endPort === 0 ? range.port : range.endPort;
}

/** Whether two entries share a port of the same protocol. */
export function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.protocol === b.protocol && a.port <= lastPort(b) && b.port <= lastPort(a);
}

/** Whether an entry covers a port. */
export function covers(range: PortRange, protocol: PortProtocol, port: number): boolean {
  return range.protocol === protocol && range.port <= port && port <= lastPort(range);
}
