/** Where to listen, or what to connect to. */
export interface Address {
  /** A host name or an IP address, without brackets. */
  readonly hostname: string;
  /** 0 to 65535; 0 asks for any free port. */
  readonly port: number;
}

/** What `:port` alone means: a service listens on loopback unless it is told otherwise. */
const DEFAULT_HOSTNAME = "127.0.0.1";

/** Reads `host:port`, `[v6]:port` or `:port`; undefined when it is none of them. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  return port > 65_535 ? undefined : { hostname: match[1] ?? (match[2] || DEFAULT_HOSTNAME), port };
}

/** Writes an address so that {@linkcode parseAddress} reads it. */
export function formatAddress({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
