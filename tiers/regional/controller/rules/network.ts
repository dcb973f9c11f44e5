import type { Network } from "../../../../shared/schema/mod.ts";
import { isIP } from "node:net";
import { parseCidr } from "./cidr.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";

/** Checks a network; that it says what it connects is the schema's rule (specification 3.11). */
export function checkNetwork(network: Network, issues: Issues): void {
  checkName(issues, "key.name", network.key.name);
  network.routes.forEach(({ destinationCidr, nextHopIp }, i) => {
    const path = `routes[${i}]`;
    issues.check(
      parseCidr(destinationCidr) !== undefined,
      `${path}.destination_cidr`,
      destinationCidr,
      "must be a network",
    );
    issues.check(isAddress(nextHopIp), `${path}.next_hop_ip`, nextHopIp, "must be an address");
  });
}

/** Whether a text is an address; zones of link-local ones are not taken. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}
