import type { AppSpec } from "../../shared/platform/mod.ts";
import { imageName } from "./images.ts";
import { fingerprintOf, LABEL, type Site, siteLabels } from "./labels.ts";
import type { Plan, Workload } from "./plan.ts";

const BYTES_PER_MB = 1024 * 1024;
const NANO_CPUS = 1_000_000_000;
/** Enough for any server, and far below what would starve the site. */
const MAX_PROCESSES = 4096;

/** Labels of what belongs to an instance. */
export function instanceLabels(site: Site, spec: AppSpec): Record<string, string> {
  return { ...siteLabels(site), [LABEL.appInst]: spec.key, [LABEL.id]: spec.id };
}

/** What the engine is asked to make for a container of an instance (POST /containers/create). */
export function containerBody(site: Site, spec: AppSpec, plan: Plan, workload: Workload): Record<string, unknown> {
  const { service, ports, restart } = workload;
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { protocol, target, publicPort } of ports) {
    (bindings[`${target}/${protocol}`] ??= []).push({ HostIp: "0.0.0.0", HostPort: String(publicPort) });
  }
  // The containers of an instance share what its flavor gives, each the same part.
  const count = plan.workloads.length;
  const memoryBytes = Math.floor(spec.flavor.ramMb * BYTES_PER_MB / count);
  const [network] = workload.networks;
  const aliases = network!.aliases;
  return {
    Image: imageName(workload.image),
    ...(workload.entrypoint && { Entrypoint: workload.entrypoint }),
    ...(workload.command && { Cmd: workload.command }),
    Env: [
      ...Object.entries(workload.environment).map(([name, value]) => `${name}=${value}`),
      `ARCHIPELAGO_REGION=${site.region}`,
      `ARCHIPELAGO_CLOUDLET=${site.cloudlet}`,
      `ARCHIPELAGO_APP=${spec.app.organization}/${spec.app.name}/${spec.app.version}`,
    ],
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((name) => [name, {}])),
    Labels: {
      ...instanceLabels(site, spec),
      [LABEL.fingerprint]: fingerprintOf(spec),
      ...(service !== "" && {
        [LABEL.service]: service,
        [LABEL.place]: `${workload.index}/${count}`,
      }),
      ...(restart.when !== "always" && { [LABEL.ends]: "true" }),
    },
    HostConfig: {
      PortBindings: bindings,
      NetworkMode: network!.name,
      RestartPolicy: restartPolicy(workload),
      Memory: memoryBytes,
      // equal to the memory: no swap beside it
      MemorySwap: memoryBytes,
      NanoCpus: Math.floor(spec.flavor.vcpus * NANO_CPUS / count),
      PidsLimit: MAX_PROCESSES,
      SecurityOpt: ["no-new-privileges"],
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
      ...(workload.volumes.length > 0 && {
        Mounts: workload.volumes.map(({ name, target, readOnly }) => ({
          Type: "volume",
          Source: name,
          Target: target,
          ReadOnly: readOnly,
        })),
      }),
    },
    ...(aliases.length > 0 && { NetworkingConfig: { EndpointsConfig: { [network!.name]: { Aliases: aliases } } } }),
  };
}

function restartPolicy({ restart }: Workload): { Name: string; MaximumRetryCount?: number } {
  switch (restart.when) {
    case "always":
      return { Name: "unless-stopped" };
    case "never":
      return { Name: "no" };
    case "on-failure":
      return { Name: "on-failure", MaximumRetryCount: restart.times };
  }
}
