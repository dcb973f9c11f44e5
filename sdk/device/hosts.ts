/** A subscriber's network, as the SIM names it. */
export interface Network {
  /** Mobile country code, three digits. */
  readonly mcc: string;
  /** Mobile network code, two or three digits as the network gives them. */
  readonly mnc: string;
}

/** Port of the REST form. */
const REST_PORT = 38001;

/**
 * Address of the matching engine that serves a network; without one (no SIM, or Wi-Fi only) the one that leads to the
 * nearest region. There is no fall-back from the first to the second: a network without an engine has no such name.
 */
export function matchingEngineUrl(domain: string, network?: Network): string {
  const name = network === undefined ? "wifi" : `${network.mcc}-${network.mnc}`;
  return `https://${name}.dme.${domain}:${REST_PORT}`;
}

/** Carrier of a network, as calls name it; "" (any) without one. */
export function carrierOf(network?: Network): string {
  return network === undefined ? "" : network.mcc + network.mnc;
}
