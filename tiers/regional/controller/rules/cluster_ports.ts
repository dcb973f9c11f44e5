import type { PortRange } from "../../../../shared/ports/mod.ts";

/** Text of a port or range that an instance holds, e.g. "tcp:443" or "udp:5000-5010". */
export function heldPort({ protocol, port, endPort }: Pick<PortRange, "protocol" | "port" | "endPort">): string {
  return endPort === 0 ? `${protocol}:${port}` : `${protocol}:${port}-${endPort}`;
}

/** The first port that overlaps with one that is held, with the holder's; undefined when there is none. */
export function conflictingPort(
  ports: readonly PortRange[],
  held: readonly string[],
): { readonly port: string; readonly with: string } | undefined {
  const others = held.map((text) => ({ text, ...parseHeld(text) }));
  for (const port of ports) {
    const last = port.endPort === 0 ? port.port : port.endPort;
    const other = others.find(({ protocol, first, end }) =>
      protocol === port.protocol && port.port <= end && first <= last
    );
    if (other) return { port: heldPort(port), with: other.text };
  }
  return undefined;
}

function parseHeld(text: string): { protocol: string; first: number; end: number } {
  const [protocol, numbers] = text.split(":") as [string, string];
  const [first, end] = numbers.split("-").map(Number) as [number, number | undefined];
  return { protocol, first, end: end ?? first };
}
