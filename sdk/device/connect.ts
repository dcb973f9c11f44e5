import type { Instance, Port } from "./instance.ts";
import type { Protocol } from "./texts.ts";

/** Where to connect to. */
export interface Endpoint {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** Which port of an app is meant. */
export interface WantedPort {
  /** @default "Tcp" when the instance has such a port, else any */
  readonly protocol?: Protocol;
  /** Number inside the app, in a range too. @default the first one */
  readonly internalPort?: number;
}

/** Where to connect to for a port of an instance; undefined when it has no such port (DME specification 4.6). */
export function endpointOf({ fqdn, ports }: Pick<Instance, "fqdn" | "ports">, wanted: WantedPort = {}):
  | Endpoint
  | undefined {
  const { protocol, internalPort } = wanted;
  const holds = (port: Port) =>
    (protocol === undefined || port.protocol === protocol) &&
    (internalPort === undefined || (port.internalPort <= internalPort && internalPort <= lastPort(port)));
  const fitting = ports.filter(holds);
  const port = fitting.find((each) => each.protocol === "Tcp") ?? fitting[0];
  if (port === undefined) return undefined;
  return {
    protocol: port.protocol,
    host: port.fqdnPrefix + fqdn,
    port: port.publicPort + (internalPort === undefined ? 0 : internalPort - port.internalPort),
    tls: port.tls,
  };
}

/** Internal number of the last port of a range, or of the single one. */
function lastPort({ internalPort, endPort }: Port): number {
  return endPort === 0 ? internalPort : endPort;
}

/**
 * The URL of an endpoint.
 *
 * @param scheme of the unprotected form; `http` becomes `https`, `ws` `wss` where the port is protected
 * @param path with its slash
 */
export function urlOf({ host, port, tls }: Endpoint, scheme = "http", path = "/"): string {
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `${scheme}${tls ? "s" : ""}://${name}:${port}${path}`;
}
