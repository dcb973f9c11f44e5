import type { PortRange } from "../../../../shared/ports/mod.ts";

/** Ports that a site's machines need for themselves: SSH, and the proxy's own (specification 4.10). */
const NEVER_PUBLIC = new Set([22, 65121]);

/** Where ports come from when an app's own number is taken (specification 4.10). */
const DEFAULT_RANGE: PublicPortRange = { first: 10_000, last: 64_999 };

/** Variable of a cloudlet that confines its public ports, e.g. "21000-21099"; for sites that share a machine. */
export const PUBLIC_PORT_RANGE = "PUBLIC_PORT_RANGE";

/** An inclusive range of public ports. */
export interface PublicPortRange {
  readonly first: number;
  readonly last: number;
}

/** Reads the value of {@linkcode PUBLIC_PORT_RANGE}; undefined when it is none. */
export function parsePublicPortRange(text: string): PublicPortRange | undefined {
  const match = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const range = { first: Number(match[1]), last: Number(match[2]) };
  return range.first >= 1 && range.first <= range.last && range.last <= 65_535 ? range : undefined;
}

/** Public ports that one instance holds on a cloudlet, as "tcp:443", by the instance's identifier. */
export type TakenPorts = Readonly<Record<string, readonly string[]>>;

/**
 * Finds a public port for each port of an app: the same number if it is free and allowed, else the first free one of the
 * range. TCP and UDP are counted apart.
 *
 * @param ports single ports only; ranges are refused before
 * @param range the site's own range; without one the same number may be any
 * @returns public ports in order, or the first port for which there is none
 */
export function allotPorts(
  ports: readonly PortRange[],
  taken: TakenPorts,
  range: PublicPortRange | undefined,
): { publicPorts: number[] } | { exhausted: PortRange } {
  const used = new Set(Object.values(taken).flat());
  const publicPorts: number[] = [];
  const search = range ?? DEFAULT_RANGE;
  for (const port of ports) {
    const free = (candidate: number) => !NEVER_PUBLIC.has(candidate) && !used.has(`${port.protocol}:${candidate}`);
    const sameAllowed = range === undefined || (port.port >= range.first && port.port <= range.last);
    let found = sameAllowed && free(port.port) ? port.port : undefined;
    for (let candidate = search.first; found === undefined && candidate <= search.last; candidate++) {
      if (free(candidate)) found = candidate;
    }
    if (found === undefined) return { exhausted: port };
    used.add(`${port.protocol}:${found}`);
    publicPorts.push(found);
  }
  return { publicPorts };
}
