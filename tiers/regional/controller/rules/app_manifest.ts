import {
  type EnvVariable,
  kubernetesBasicManifest,
  MAX_KUBERNETES_CHARACTERS,
  readEnvList,
  readKubernetesManifest,
  readProcessManifest,
  serviceName,
  type ServicePort,
} from "../../../../shared/manifest/mod.ts";
import { lastPort, type PortRange, readPortList } from "../../../../shared/ports/mod.ts";
import type { App, Flavor } from "../../../../shared/schema/mod.ts";
import { checkCompose } from "./app_compose.ts";
import { CONFIG_KIND, isUrl } from "./app_configs.ts";
import { isDeployment } from "./app_images.ts";
import type { Issues } from "./issues.ts";

/** Generator of Kubernetes manifests, the only one. */
export const KUBERNETES_BASIC = "kubernetes-basic";

const FIELD = "deployment_manifest";

/** How the manifest of a docker app is given; it may not change while the app has instances (specification 3.3). */
export type DockerForm = "image" | "compose text" | "compose archive";

/** How an app of deployment docker comes. */
export function dockerForm({ deploymentManifest }: Pick<App, "deploymentManifest">): DockerForm {
  if (deploymentManifest === "") return "image";
  return isArchiveUrl(deploymentManifest) ? "compose archive" : "compose text";
}

/** Whether a manifest is the URL of an archive, which is kept as such. */
export function isArchiveUrl(manifest: string): boolean {
  return isUrl(manifest) && new URL(manifest).pathname.toLowerCase().endsWith(".zip");
}

/** Whether a manifest has to be downloaded, as its text is what is kept. */
export function isManifestUrl({ deployment, deploymentManifest }: App): boolean {
  // A chart has no manifest at all.
  if (!isUrl(deploymentManifest) || !isDeployment(deployment) || deployment === "helm") return false;
  return !(deployment === "docker" && isArchiveUrl(deploymentManifest));
}

/**
 * Makes the manifest of a Kubernetes app that brings none. One that it brings has no generator, unless it is just what the
 * generator makes: an app that was shown can be given back as it is.
 */
export function defaultManifest(app: App): void {
  if (app.deployment !== "kubernetes") return;
  if (app.deploymentManifest === "") {
    if (app.deploymentGenerator === "") app.deploymentGenerator = KUBERNETES_BASIC;
    app.deploymentManifest = generated(app);
  } else if (app.deploymentGenerator !== "" && app.deploymentManifest !== generated(app)) {
    app.deploymentGenerator = "";
  }
}

/** Of an app with faults there is none, as nobody will see it. */
function generated(app: App): string {
  const { ports, issues } = readPortList(app.accessPorts, { deployment: app.deployment });
  if (issues.length > 0 || app.imagePath === "" || app.deploymentGenerator !== KUBERNETES_BASIC) return "";
  return kubernetesBasicManifest({
    name: kubernetesName(app),
    image: app.imagePath,
    command: words(app.command),
    ports,
    internal: app.internalPorts,
    onEveryNode: app.scaleWithCluster,
    env: envOf(app),
  });
}

/** Specification 0.7, names in Kubernetes. */
function kubernetesName({ key }: App): string {
  const text = `${key.name}${key.version}`.toLowerCase().replaceAll("_", "-").replace(/[ &,!]/g, "");
  return /^[a-z0-9]/.test(text) ? text : serviceName(text);
}

function words(command: string): string[] {
  return command.split(/\s+/).filter((word) => word !== "");
}

function envOf(app: App): EnvVariable[] {
  return app.configs.filter(({ kind, config }) => kind === CONFIG_KIND.envVars && !isUrl(config))
    .flatMap(({ config }) => readEnvList(config).variables);
}

/** Checks the manifest of an app whose defaults are filled in, by its deployment (specification 3.3). */
export function checkManifest(app: App, issues: Issues): void {
  const { deploymentManifest: manifest, deployment } = app;
  if (!isDeployment(deployment)) return;
  issues.check(
    app.deploymentGenerator === "" || (deployment === "kubernetes" && app.deploymentGenerator === KUBERNETES_BASIC),
    "deployment_generator",
    app.deploymentGenerator,
    `must be ${KUBERNETES_BASIC}, for deployment kubernetes only`,
  );
  if (manifest.length > MAX_KUBERNETES_CHARACTERS) {
    issues.add(FIELD, "", `has ${manifest.length} characters, at most ${MAX_KUBERNETES_CHARACTERS} are allowed`);
    return;
  }
  // Its faults are told by whoever tried to download it.
  if (manifest === "" || isManifestUrl(app)) return;
  switch (deployment) {
    case "kubernetes":
      return checkKubernetes(app, issues);
    case "helm":
      return issues.add(FIELD, manifest, "must be empty: a chart is its own manifest, settings go into configs");
    case "vm":
      return issues.check(manifest.startsWith("#cloud-config"), FIELD, manifest, 'must begin with "#cloud-config"');
    case "process":
      return void issues.list.push(...readProcessManifest(manifest).issues);
    case "docker":
      return dockerForm(app) === "compose text" ? checkCompose(app, issues) : undefined;
  }
}

function checkKubernetes(app: App, issues: Issues): void {
  const { facts, issues: faults } = readKubernetesManifest(app.deploymentManifest, {
    delimiter: app.templateDelimiter,
  });
  issues.list.push(...faults);
  if (faults.length > 0) return;
  const exposed = app.internalPorts ? facts.served : facts.balanced;
  const { ports } = readPortList(app.accessPorts, { deployment: app.deployment });
  for (const [index, range] of ports.entries()) {
    const missing = firstMissing(range, exposed);
    if (missing === undefined) continue;
    const service = app.internalPorts ? "Service" : "Service of type LoadBalancer";
    issues.add(FIELD, "", `must expose ${range.protocol}:${missing} of access_ports[${index}] by a ${service}`);
  }
  issues.check(
    !app.scaleWithCluster || facts.hasDaemonSet,
    FIELD,
    "",
    "must hold a DaemonSet, as scale_with_cluster is set",
  );
}

function firstMissing(range: PortRange, exposed: readonly ServicePort[]): number | undefined {
  const known = new Set(exposed.filter(({ protocol }) => protocol === range.protocol).map(({ port }) => port));
  for (let port = range.port; port <= lastPort(range); port++) if (!known.has(port)) return port;
  return undefined;
}

/** Checks what a Kubernetes app asks of its flavor: no more GPUs than it has. */
export function checkManifestFlavor(app: App, flavor: Flavor, issues: Issues): void {
  if (app.deployment !== "kubernetes" || app.deploymentManifest === "") return;
  const { gpus } = readKubernetesManifest(app.deploymentManifest, { delimiter: app.templateDelimiter }).facts;
  const has = gpuCount(flavor);
  const rule = `must not ask for ${gpus} GPUs: the default flavor ${flavor.key.name} has ${has}`;
  issues.check(gpus <= has, FIELD, "", rule);
}

/** GPUs of a flavor, from an optional resource such as `pci:1` or `vgpu:nvidia-63:2` (specification 3.7). */
function gpuCount({ optResMap }: Flavor & { optResMap?: Readonly<Record<string, string>> }): number {
  const count = Number(optResMap?.["gpu"]?.split(":").at(-1) ?? 0);
  return Number.isInteger(count) ? count : 0;
}
