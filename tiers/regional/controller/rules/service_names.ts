import { readKubernetesManifest } from "../../../../shared/manifest/mod.ts";
import type { PortRange } from "../../../../shared/ports/mod.ts";
import type { App } from "../../../../shared/schema/mod.ts";

/** A service of an app that is a load balancer of its own, with the ports that it exposes. */
export interface Balancer {
  readonly name: string;
  readonly ports: readonly { readonly protocol: string; readonly port: number }[];
}

/** The load balancers that an app's manifest asks for; none for apps that have no Kubernetes manifest. */
export function balancersOf({ deployment, deploymentManifest, templateDelimiter }: App): readonly Balancer[] {
  if (deployment !== "kubernetes" || deploymentManifest === "") return [];
  return readKubernetesManifest(deploymentManifest, { delimiter: templateDelimiter }).facts.balancers;
}

/**
 * What stands before an instance's name to reach a port, where each service has an address of its own: the service's name
 * and a dot, e.g. "echo-tcp."; empty for a port that no service exposes.
 */
export function namePrefix(balancers: readonly Balancer[], { protocol, port }: PortRange): string {
  const service = balancers.find(({ ports }) =>
    ports.some((exposed) => exposed.protocol === protocol && exposed.port === port)
  );
  return service === undefined ? "" : `${service.name}.`;
}
