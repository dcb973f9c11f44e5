import { isIP } from "node:net";
import type { NetTarget } from "./manifest.ts";

const MAX_NAME_CHARACTERS = 253;

/** Reads `host:port` or `[IPv6]:port`; returns the rule that a wrong one breaks. */
export function parseNetTarget(text: string): NetTarget | { rule: string } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (!match) return { rule: 'must have the form "host:port", with an IPv6 address in brackets' };
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) return { rule: "the port must be a number from 1 to 65535" };
  const host = (match[1] ?? match[2]!).toLowerCase();
  if (match[1] !== undefined && isIP(host) !== 6) return { rule: "brackets are for IPv6 addresses" };
  const rule = hostRule(host);
  return rule ? { rule } : { host, port };
}

/**
 * Rule that a host breaks as a target of an app, or undefined: no wildcards, and no address that means the site's own
 * machine or its link (loopback, link-local, unspecified, multicast), in any notation.
 */
export function hostRule(host: string): string | undefined {
  if (host === "") return "the host must not be empty";
  if (host.includes("*")) return "wildcards are not allowed, list each host";
  if (isIP(host) !== 0) {
    return isForbiddenAddress(host)
      ? "loopback, link-local, unspecified and multicast addresses are not allowed"
      : undefined;
  }
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  if (name === "localhost" || name.endsWith(".localhost")) return "names of the site's own machine are not allowed";
  const labels = name.split(".");
  const last = labels.at(-1)!;
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last)) return "is neither a DNS name nor a plain IP address";
  const sound = name.length <= MAX_NAME_CHARACTERS &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/.test(label));
  return sound ? undefined : "is neither a DNS name nor a plain IP address";
}

/** Whether an IP address is loopback, link-local, unspecified, broadcast or multicast (RFC 6890), IPv4-mapped forms too. */
export function isForbiddenAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return forbiddenV4(address.split(".").map(Number));
    case 6:
      return forbiddenV6(expandV6(address));
    default:
      return false;
  }
}

function forbiddenV4(bytes: readonly number[]): boolean {
  const [a, b] = bytes as [number, number];
  return a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254);
}

function forbiddenV6(groups: readonly number[]): boolean {
  const first = groups[0]!;
  if ((first & 0xffc0) === 0xfe80 || (first & 0xff00) === 0xff00) return true;
  if (groups.slice(0, 5).some((group) => group !== 0)) return false;
  // ::, ::1, and the IPv4-compatible and IPv4-mapped forms
  if (groups[5] !== 0 && groups[5] !== 0xffff) return false;
  const v4 = [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff];
  return groups[5] === 0 || forbiddenV4(v4);
}

/** The eight 16-bit groups of an address that `isIP` took for IPv6. */
function expandV6(address: string): number[] {
  let text = address.split("%")[0]!;
  const dotted = /^(.*:)([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(text);
  if (dotted) {
    const [a, b, c, d] = dotted.slice(2).map(Number) as [number, number, number, number];
    text = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head, tail] = text.split("::");
  const groups = (part: string | undefined) => part ? part.split(":").map((group) => parseInt(group, 16)) : [];
  const front = groups(head);
  if (tail === undefined) return front;
  const back = groups(tail);
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}
