import { type AppSpec, infrastructureName } from "../../shared/platform/mod.ts";
import { networkName } from "./clusters.ts";
import { imageName, parseImage } from "./images.ts";
import { fingerprintOf, LABEL, type Site, siteLabels } from "./labels.ts";

const BYTES_PER_MB = 1024 * 1024;
const NANO_CPUS = 1_000_000_000;
/** Enough for any server, and far below what would starve the site. */
const MAX_PROCESSES = 4096;

/** Name of the container of an instance. */
export function containerName(site: Site, spec: { readonly id: string; readonly key: string }): string {
  return infrastructureName([spec.id], `${site.region}/${site.cloudlet}/${spec.key}`);
}

/** What the engine is asked to make for an instance (POST /containers/create). */
export function containerBody(site: Site, spec: AppSpec): Record<string, unknown> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of spec.ports) {
    const width = port.endPort === 0 ? 1 : port.endPort - port.internalPort + 1;
    for (let offset = 0; offset < width; offset++) {
      const name = `${port.internalPort + offset}/${port.protocol}`;
      bindings[name] = [{ HostIp: "0.0.0.0", HostPort: String(port.publicPort + offset) }];
    }
  }
  const command = spec.command.split(/\s+/).filter((word) => word !== "");
  const memoryBytes = spec.flavor.ramMb * BYTES_PER_MB;
  return {
    Image: imageName(parseImage(spec.imagePath)),
    ...(command.length > 0 ? { Cmd: command } : {}),
    Env: [
      `ARCHIPELAGO_REGION=${site.region}`,
      `ARCHIPELAGO_CLOUDLET=${site.cloudlet}`,
      `ARCHIPELAGO_APP=${spec.app.organization}/${spec.app.name}/${spec.app.version}`,
    ],
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((name) => [name, {}])),
    Labels: {
      ...siteLabels(site),
      [LABEL.appInst]: spec.key,
      [LABEL.id]: spec.id,
      [LABEL.fingerprint]: fingerprintOf(spec),
    },
    HostConfig: {
      PortBindings: bindings,
      NetworkMode: spec.cluster ? networkName(site, spec.cluster) : "bridge",
      RestartPolicy: { Name: "unless-stopped" },
      Memory: memoryBytes,
      // equal to the memory: no swap beside it
      MemorySwap: memoryBytes,
      NanoCpus: spec.flavor.vcpus * NANO_CPUS,
      PidsLimit: MAX_PROCESSES,
      SecurityOpt: ["no-new-privileges"],
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
    },
  };
}
