import { stringify } from "yaml";
import { lastPort, type PortRange } from "../ports/mod.ts";
import type { EnvVariable } from "./env_list.ts";

/** What a generated manifest is made from. */
export interface KubernetesBasicApp {
  /** Name and version in one, as names in Kubernetes are made: "rallygo1.0.0". */
  readonly name: string;
  /** Image with its registry in front, which is also the name of the secret for pulling it. */
  readonly image: string;
  /** Replaces the image's own command; empty: the image's. */
  readonly command: readonly string[];
  readonly ports: readonly PortRange[];
  /** Reachable inside the cluster alone. */
  readonly internal: boolean;
  /** One instance on each node of the cluster. */
  readonly onEveryNode: boolean;
  readonly env: readonly EnvVariable[];
}

/**
 * The manifest of an app that comes without one (controller specification 3.3): a Service for each protocol, and a
 * Deployment or DaemonSet of one container.
 */
export function kubernetesBasicManifest(app: KubernetesBasicApp): string {
  const labels = { run: label(app.name) };
  const services = (["tcp", "udp"] as const).map((protocol) => service(app, protocol, labels)).filter((s) =>
    s !== undefined
  );
  return [...services, workload(app, labels)].map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
}

/** Names in Kubernetes begin with a letter, and a Service's has no dots (specification 0.7). */
export function serviceName(text: string): string {
  const name = text.replaceAll(".", "");
  return /^[a-z]/.test(name) ? name : `a${name}`;
}

function service(app: KubernetesBasicApp, protocol: "tcp" | "udp", labels: { run: string }): object | undefined {
  const numbers = portNumbers(app.ports, protocol);
  if (numbers.length === 0) return undefined;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: fit(serviceName(app.name), `-${protocol}`), labels },
    spec: {
      type: app.internal ? "ClusterIP" : "LoadBalancer",
      selector: labels,
      ports: numbers.map((port) => ({
        name: `${protocol}${port}`,
        protocol: protocol.toUpperCase(),
        port,
        targetPort: port,
      })),
    },
  };
}

function workload(app: KubernetesBasicApp, labels: { run: string }): object {
  const ports = (["tcp", "udp"] as const).flatMap((protocol) =>
    portNumbers(app.ports, protocol).map((containerPort) => ({ containerPort, protocol: protocol.toUpperCase() }))
  );
  const container = {
    name: label(app.name),
    image: app.image,
    imagePullPolicy: "Always",
    ...(app.command.length > 0 && { command: [...app.command] }),
    ...(app.env.length > 0 && { env: [...app.env] }),
    ...(ports.length > 0 && { ports }),
  };
  const registry = app.image.slice(0, app.image.indexOf("/"));
  return {
    apiVersion: "apps/v1",
    kind: app.onEveryNode ? "DaemonSet" : "Deployment",
    metadata: { name: fit(app.name, "-deployment") },
    spec: {
      ...(!app.onEveryNode && { replicas: 1 }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [container],
          // A colon has no place in a name.
          ...(registry !== "" && { imagePullSecrets: [{ name: registry.replaceAll(":", "-") }] }),
        },
      },
    },
  };
}

/** Longest name of a Service, and of a label's value. */
const MAX_LABEL_CHARACTERS = 63;

function fit(name: string, suffix: string): string {
  return name.slice(0, MAX_LABEL_CHARACTERS - suffix.length).replace(/[-.]+$/, "") + suffix;
}

function label(name: string): string {
  return serviceName(name).slice(0, MAX_LABEL_CHARACTERS).replace(/-+$/, "");
}

function portNumbers(ports: readonly PortRange[], protocol: "tcp" | "udp"): number[] {
  return ports.filter((range) => range.protocol === protocol)
    .flatMap((range) => Array.from({ length: lastPort(range) - range.port + 1 }, (_, i) => range.port + i));
}
