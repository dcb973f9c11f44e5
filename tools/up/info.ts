/** Where one service runs, as `up.json` tells it. */
export interface ServiceInfo {
  name: string;
  type: string;
  /** Empty for what belongs to no region. */
  region: string;
  /** "organization/name" of the site; empty for what runs at none. */
  cloudlet: string;
  pid: number;
  /** Log file, absolute. */
  log: string;
  /** Named permission set of `deno.json`; empty for what is no Deno process. */
  permissionSet: string;
  urls: Record<string, string>;
}

/** What `DIR/up.json` holds; scripts depend on it. */
export interface UpInfo {
  version: 1;
  /** PEM file of the root that all certificates lead to, absolute. */
  ca: string;
  admin: { name: string; passwordFile: string };
  masterController: { rest: string };
  regions: Record<string, { controller: { grpc: string }; dme: { rest: string; grpc: string } }>;
  services: ServiceInfo[];
}
