import assert from "node:assert/strict";
import { App, type DeepPartial, ImageType } from "../../../../shared/schema/mod.ts";
import { checkApp, defaultApp } from "../rules/app.ts";
import type { ImagePlaces } from "../rules/app_images.ts";
import { Issues } from "../rules/issues.ts";

/** A region that keeps no images itself. */
export const NOWHERE: ImagePlaces = { registryFqdn: "", artifactoryFqdn: "" };
/** A checksum as image paths have it. */
export const SUM = "0123456789abcdef0123456789ABCDEF";

/** A sound app: sandboxed, listening on one TCP port. */
export function app(more: DeepPartial<App> = {}): App {
  return App.create({
    key: { organization: "AtlasWorks", name: "Echo", version: "1.0" },
    imagePath: "/srv/echo.ts",
    accessPorts: "tcp:8080",
    defaultFlavor: { name: "small" },
    deployment: "process",
    ...more,
  });
}

/** A sound app of a deployment. */
export function appOf(deployment: string, more: DeepPartial<App> = {}): App {
  const paths: Record<string, string> = {
    kubernetes: "ghcr.io/acme/echo:1",
    docker: "ghcr.io/acme/echo:1",
    helm: "https://charts.example:stable/echo",
    vm: `https://images.example/echo.qcow2#md5:${SUM}`,
    process: "/srv/echo.ts",
  };
  const imageType = deployment === "vm" ? ImageType.IMAGE_TYPE_QCOW : ImageType.IMAGE_TYPE_UNKNOWN;
  return app({ deployment, imagePath: paths[deployment], imageType, ...more });
}

/** Paths and rules of all faults of an app, after its defaults. */
export function faultsOf(app: App, places = NOWHERE): string[] {
  defaultApp(app, places);
  const issues = new Issues();
  checkApp(app, issues);
  return issues.list.map(({ path }) => path);
}

/** The app with its defaults, of which none is wrong. */
export function withDefaults(app: App, places = NOWHERE): App {
  assert.deepEqual(faultsOf(app, places), []);
  return app;
}

/** A Kubernetes service that serves one port, as YAML. */
export const SERVICE = (type: string, protocol: string, port: number) =>
  `{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: ${type}, ports: [{protocol: ${protocol}, port: ${port}}]}}`;
