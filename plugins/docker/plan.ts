import { type ComposeRestart, type ComposeService, parseCompose, startOrder } from "../../shared/manifest/mod.ts";
import { ManifestError } from "../../shared/manifest/mod.ts";
import { type AppSpec, infrastructureName, type MappedPort, PlatformError } from "../../shared/platform/mod.ts";
import { networkName } from "./clusters.ts";
import { imageName, type ImageReference, parseImage } from "./images.ts";
import type { Site } from "./labels.ts";

/** One container of an instance. */
export interface Workload {
  /** Service of the compose file; empty: the instance is one container. */
  readonly service: string;
  /** Place in the compose file, from 0. */
  readonly index: number;
  readonly containerName: string;
  readonly image: ImageReference;
  /** Undefined: the image's. */
  readonly entrypoint?: readonly string[];
  /** Undefined: the image's. */
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Ports by which it is reached from outside. */
  readonly ports: readonly { readonly protocol: "tcp" | "udp"; readonly target: number; readonly publicPort: number }[];
  readonly volumes: readonly { readonly name: string; readonly target: string; readonly readOnly: boolean }[];
  /** Networks by the engine's names, at least one; in one of the app's own it has names. */
  readonly networks: readonly { readonly name: string; readonly aliases: readonly string[] }[];
  readonly restart: ComposeRestart;
}

/** All that is made for an instance. */
export interface Plan {
  /** In the order in which they are started. */
  readonly workloads: readonly Workload[];
  /** Networks and volumes of the instance's own, by the engine's names. */
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

/** Name of something of an instance, for the engine. */
function nameOf(site: Site, spec: AppSpec, ...parts: readonly string[]): string {
  return infrastructureName([spec.id, ...parts], `${[site.region, site.cloudlet, spec.key, ...parts].join("/")}`);
}

/** What is made for an instance: one container, or those of its compose file. Throws {@linkcode PlatformError} (Invalid). */
export function planOf(site: Site, spec: AppSpec): Plan {
  if (spec.manifest.trim() === "") return { workloads: [onlyContainer(site, spec)], networks: [], volumes: [] };
  if (/^https?:/.test(spec.manifest)) {
    throw new PlatformError(
      "Invalid",
      "An archive of compose files cannot run on this site, give one compose file as text",
    );
  }
  const app = parsed(spec.manifest);
  const network = (name: string) => nameOf(site, spec, "net", name);
  const volume = (name: string) => nameOf(site, spec, "vol", name);
  const outside = spec.ports.flatMap(singlePorts);
  const workloads = startOrder(app.services)!.map((service): Workload => ({
    service: service.name,
    index: app.services.indexOf(service),
    containerName: nameOf(site, spec, service.name),
    image: parseImage(service.image),
    entrypoint: service.entrypoint,
    command: service.command,
    environment: service.environment,
    ports: portsOf(service, outside),
    volumes: service.volumes.map((each) => ({
      name: volume(each.volume),
      target: each.target,
      readOnly: each.readOnly,
    })),
    networks: service.networks.map(({ name, aliases }) => ({
      name: network(name),
      aliases: [...new Set([service.name, ...aliases])],
    })),
    restart: service.restart,
  }));
  const reached = new Set(workloads.flatMap(({ ports }) => ports.map((port) => `${port.protocol}:${port.publicPort}`)));
  for (const { protocol, internalPort, publicPort } of outside) {
    if (reached.has(`${protocol}:${publicPort}`)) continue;
    throw new PlatformError("Invalid", `No service of the compose file publishes port ${protocol}:${internalPort}`);
  }
  return { workloads, networks: app.networks.map(network), volumes: app.volumes.map(volume) };
}

/** Names of the images that an instance needs. */
export function imagesOf({ workloads }: Plan): ImageReference[] {
  return [...new Map(workloads.map(({ image }) => [imageName(image), image])).values()];
}

function onlyContainer(site: Site, spec: AppSpec): Workload {
  const command = spec.command.split(/\s+/).filter((word) => word !== "");
  return {
    service: "",
    index: 0,
    containerName: nameOf(site, spec),
    image: parseImage(spec.imagePath),
    ...(command.length > 0 ? { command } : {}),
    environment: {},
    ports: spec.ports.flatMap(singlePorts).map(({ protocol, internalPort, publicPort }) => ({
      protocol,
      target: internalPort,
      publicPort,
    })),
    volumes: [],
    networks: [{ name: spec.cluster ? networkName(site, spec.cluster) : "bridge", aliases: [] }],
    restart: { when: "always" },
  };
}

function parsed(manifest: string): ReturnType<typeof parseCompose> {
  try {
    return parseCompose(manifest);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new PlatformError("Invalid", `The compose file cannot run on this site: ${error.message}`, { cause: error });
  }
}

function portsOf({ ports }: ComposeService, outside: readonly MappedPort[]): Workload["ports"] {
  return ports.flatMap(({ protocol, published, target }) =>
    outside.filter((port) => port.protocol === protocol && port.internalPort === published)
      .map(({ publicPort }) => ({ protocol, target, publicPort }))
  );
}

function singlePorts({ protocol, internalPort, publicPort, endPort }: MappedPort): MappedPort[] {
  const width = endPort === 0 ? 1 : endPort - internalPort + 1;
  return Array.from({ length: width }, (_, offset) => ({
    protocol,
    internalPort: internalPort + offset,
    publicPort: publicPort + offset,
    endPort: 0,
  }));
}
