import { type DnsDriver, DnsError } from "./driver.ts";
import { createLocalhostDns } from "./localhost_driver.ts";

/** Opens the DNS driver that `url` names: `localhost:`. Throws a DnsError for any other. */
export function openDns(url: string): DnsDriver {
  if (url === "localhost:") return createLocalhostDns();
  throw new DnsError(`DNS URL must be localhost:, given ${JSON.stringify(url)}`);
}
