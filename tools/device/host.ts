/**
 * Where to connect for a host name. Names under `localhost` are the machine itself (RFC 6761, 6.3), which not every
 * system's resolver knows; others are left to the system.
 */
export function connectHost(name: string): string {
  const bare = name.toLowerCase().replace(/\.$/, "");
  return bare === "localhost" || bare.endsWith(".localhost") ? "127.0.0.1" : name;
}
