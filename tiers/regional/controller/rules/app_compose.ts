import { type ComposeApp, readCompose } from "../../../../shared/manifest/mod.ts";
import { lastPort, readPortList } from "../../../../shared/ports/mod.ts";
import type { App } from "../../../../shared/schema/mod.ts";
import { imageRule, normalizeImage } from "./docker_image.ts";
import type { Issues } from "./issues.ts";

const FIELD = "deployment_manifest";

/** Images of a compose file, with the paths of the fields that name them. */
export function composeImages({ services }: ComposeApp): { path: string; image: string }[] {
  return services.map(({ name, image }) => ({ path: `${FIELD}.services.${name}.image`, image: normalizeImage(image) }));
}

/**
 * Checks the compose file of a docker app: its form, its images, and that each access port is published by one of its
 * services, on which the region's port is then mapped.
 */
export function checkCompose(app: App, issues: Issues): void {
  issues.check(app.command === "", "command", app.command, "must be empty: services have commands of their own");
  const { app: compose, issues: faults } = readCompose(app.deploymentManifest, FIELD);
  issues.list.push(...faults);
  if (faults.length > 0) return;
  for (const { path, image } of composeImages(compose)) {
    const rule = imageRule(image);
    if (rule !== undefined) issues.add(path, image, rule);
  }
  const published = new Set(
    compose.services.flatMap(({ ports }) => ports.map((port) => `${port.protocol}:${port.published}`)),
  );
  const { ports } = readPortList(app.accessPorts, { deployment: app.deployment });
  for (const [index, range] of ports.entries()) {
    for (let port = range.port; port <= lastPort(range); port++) {
      if (published.has(`${range.protocol}:${port}`)) continue;
      issues.add(FIELD, "", `must publish ${range.protocol}:${port} of access_ports[${index}] by a service`);
      break;
    }
  }
}
