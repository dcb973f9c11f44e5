import { lookup } from "node:dns/promises";

/** IPv4 addresses of a host's name, as the system's resolver has them. Throws when it has none. */
export async function resolveIpv4(name: string): Promise<string[]> {
  return (await lookup(name, { family: 4, all: true })).map(({ address }) => address);
}
