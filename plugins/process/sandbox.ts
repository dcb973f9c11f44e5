import type { ProcessManifest } from "../../shared/manifest/mod.ts";
import type { AppSpec, MappedPort } from "../../shared/platform/mod.ts";

/** Most ports of one instance; each is a flag on a command line. */
export const MAX_PORTS = 1000;

/** What an instance is started with, beside its command line. */
export interface SandboxFacts {
  readonly region: string;
  readonly cloudlet: { readonly organization: string; readonly name: string };
  readonly modulePath: string;
  readonly scratchFolder: string;
  readonly cacheFolder: string;
}

/** A command line and environment. */
export interface Sandbox {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The command line that gives an app exactly what its manifest asks for: its own ports, the listed addresses, its
 * variables, and its scratch folder when asked. Denials come on top, as they also hold for what a listed name resolves
 * to: a name that points at the site's own machine or link stays closed.
 */
export function sandboxOf(spec: AppSpec, manifest: ProcessManifest, facts: SandboxFacts): Sandbox {
  const env: Record<string, string> = {
    ...manifest.env,
    PORT: String(spec.ports.find((port) => port.protocol === "tcp")?.publicPort ?? ""),
    ARCHIPELAGO_PORTS: JSON.stringify(portMap(spec.ports)),
    ARCHIPELAGO_REGION: facts.region,
    ARCHIPELAGO_CLOUDLET: `${facts.cloudlet.organization}/${facts.cloudlet.name}`,
    ARCHIPELAGO_APP: `${spec.app.organization}/${spec.app.name}/${spec.app.version}`,
  };
  if (manifest.permissions.readScratch || manifest.permissions.writeScratch) {
    env.ARCHIPELAGO_SCRATCH = facts.scratchFolder;
  }
  const names = [...new Set([...Object.keys(env), ...manifest.permissions.env])];
  const args = [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--no-code-cache",
    "--node-modules-dir=none",
    // what is not granted reads as unset instead of ending programs that merely look
    "--ignore-env",
    `--allow-env=${names.join(",")}`,
    `--v8-flags=--max-old-space-size=${heapMb(spec, manifest)}`,
  ];
  const net = [
    ...ownAddresses(spec.ports),
    ...manifest.permissions.net.map((target) => address(target.host, target.port)),
  ];
  if (net.length > 0) args.push(`--allow-net=${net.join(",")}`);
  const denied = deniedAddresses(spec.ports, manifest);
  if (denied.length > 0) args.push(`--deny-net=${denied.join(",")}`);
  if (manifest.permissions.readScratch) args.push(`--allow-read=${facts.scratchFolder}`);
  if (manifest.permissions.writeScratch) args.push(`--allow-write=${facts.scratchFolder}`);
  args.push(facts.modulePath, ...spec.command.split(/\s+/).filter((word) => word !== ""));
  return {
    args,
    env: { ...env, DENO_DIR: facts.cacheFolder, DENO_NO_UPDATE_CHECK: "1", DENO_NO_PROMPT: "1", NO_COLOR: "1" },
  };
}

/** Public port by "protocol:internal port", ranges expanded. */
export function portMap(ports: readonly MappedPort[]): Record<string, number> {
  const map: Record<string, number> = {};
  for (const port of ports) {
    for (let offset = 0; offset < widthOf(port); offset++) {
      map[`${port.protocol}:${port.internalPort + offset}`] = port.publicPort + offset;
    }
  }
  return map;
}

/** Number of ports that an entry covers. */
export function widthOf(port: MappedPort): number {
  return port.endPort === 0 ? 1 : port.endPort - port.internalPort + 1;
}

/** Heap limit of an instance in megabytes. */
export function heapMb(spec: AppSpec, manifest: ProcessManifest): number {
  return manifest.memoryMb ?? spec.flavor.ramMb;
}

/** The instance's own ports on every address of the machine; connecting there leads to the instance itself. */
function ownAddresses(ports: readonly MappedPort[]): string[] {
  const hosts = ["0.0.0.0", "[::]", "127.0.0.1", "[::1]", "localhost"];
  return Object.values(portMap(ports)).flatMap((port) => hosts.map((host) => `${host}:${port}`));
}

/** For every listed port the addresses that mean this machine or its link, to which a listed name may resolve. */
function deniedAddresses(ports: readonly MappedPort[], manifest: ProcessManifest): string[] {
  const own = new Set(Object.values(portMap(ports)));
  const local = ["127.0.0.0/8", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"];
  const targets = new Set(manifest.permissions.net.map((target) => target.port));
  return [...targets].flatMap((port) =>
    ["169.254.0.0/16", ...(own.has(port) ? [] : local)].map((host) => `${host}:${port}`)
  );
}

function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
