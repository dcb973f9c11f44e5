import type { PortRange } from "./port_range.ts";

/** Text of one entry in its canonical form, e.g. `udp:5000-5010:nginx:maxpktsize=1800`. */
export function formatPort(range: PortRange): string {
  let text = `${range.protocol}:${range.port}`;
  if (range.endPort !== 0) text += `-${range.endPort}`;
  if (range.tls) text += ":tls";
  if (range.nginx) text += ":nginx";
  if (range.maxPacketBytes !== 0) text += `:maxpktsize=${range.maxPacketBytes}`;
  return text;
}

/** Text of a list; reading it again gives the same entries. */
export function formatPortList(ports: readonly PortRange[]): string {
  return ports.map(formatPort).join(",");
}
