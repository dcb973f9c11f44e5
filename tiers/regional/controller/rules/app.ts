import { createPublicKey } from "node:crypto";
import { nameRule } from "../../../../shared/dns/mod.ts";
import { ManifestError, parseModuleSource, readProcessManifest } from "../../../../shared/manifest/mod.ts";
import { readPortList } from "../../../../shared/ports/mod.ts";
import { AccessType, type App, enumText, ImageType } from "../../../../shared/schema/mod.ts";
import { imageRule, normalizeImage } from "./docker_image.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";
import { deploymentOf, DEPLOYMENTS_TEXT } from "./platforms.ts";

/** Longest command, in characters. */
const MAX_COMMAND_CHARACTERS = 4096;
const ANDROID_PACKAGE = /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$/;
const REVISION = /^[-_.:0-9A-Za-z]{1,64}$/;

const IMAGE_OF_DEPLOYMENT: Readonly<Record<string, ImageType>> = {
  process: ImageType.IMAGE_TYPE_MODULE,
  docker: ImageType.IMAGE_TYPE_DOCKER,
};

/** Fills in what a new or changed app leaves open (specification 3.2, 3.3). */
export function defaultApp(app: App): void {
  if (app.deployment === "") {
    const implied = Object.entries(IMAGE_OF_DEPLOYMENT).find(([, image]) => image === app.imageType);
    if (implied) app.deployment = implied[0];
  }
  if (app.imageType === ImageType.IMAGE_TYPE_UNKNOWN) {
    app.imageType = IMAGE_OF_DEPLOYMENT[app.deployment] ?? ImageType.IMAGE_TYPE_UNKNOWN;
  }
  if (app.accessType === AccessType.ACCESS_TYPE_DEFAULT_FOR_DEPLOYMENT) {
    app.accessType = AccessType.ACCESS_TYPE_LOAD_BALANCER;
  }
  if (app.deployment === "docker" && app.imagePath !== "") app.imagePath = normalizeImage(app.imagePath);
}

/** Stamp of an app's revision unless the caller gives one: YYYY-MM-DDThhmmss in UTC. */
export function revisionStamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll(":", "");
}

/** Checks an app whose defaults are filled in. */
export function checkApp(app: App, issues: Issues): void {
  checkName(issues, "key.organization", app.key.organization);
  checkName(issues, "key.name", app.key.name);
  checkName(issues, "key.version", app.key.version);
  issues.check(
    app.accessType !== AccessType.ACCESS_TYPE_DIRECT,
    "access_type",
    "Direct",
    "must be LoadBalancer: direct access is not supported",
  );
  issues.list.push(...readPortList(app.accessPorts, { deployment: app.deployment }).issues);
  checkDeployment(app, issues);
  checkPublicKey(app.authPublicKey, issues);
  if (app.officialFqdn !== "") {
    const rule = nameRule(app.officialFqdn);
    if (rule) issues.add("official_fqdn", app.officialFqdn, rule);
  }
  issues.check(
    app.androidPackageName === "" || ANDROID_PACKAGE.test(app.androidPackageName),
    "android_package_name",
    app.androidPackageName,
    "must be a package name such as com.example.app",
  );
  issues.check(
    app.revision === "" || REVISION.test(app.revision),
    "revision",
    app.revision,
    "must be at most 64 letters, digits and - _ . :",
  );
}

function checkDeployment(app: App, issues: Issues): void {
  const deployment = deploymentOf(app.deployment);
  if (deployment === undefined) {
    issues.add("deployment", app.deployment, `must be one of ${DEPLOYMENTS_TEXT}: others have no platform yet`);
    return;
  }
  const image = IMAGE_OF_DEPLOYMENT[app.deployment]!;
  issues.check(
    app.imageType === image,
    "image_type",
    enumText(ImageType, app.imageType),
    `must be ${enumText(ImageType, image)} for deployment ${app.deployment}`,
  );
  issues.check(app.imagePath !== "", "image_path", "", "is required");
  issues.check(
    app.command.length <= MAX_COMMAND_CHARACTERS,
    "command",
    app.command,
    `must be at most ${MAX_COMMAND_CHARACTERS} characters`,
  );
  switch (deployment.deployment) {
    case "process":
      checkModule(app, issues);
      return;
    case "docker":
      checkContainer(app, issues);
      return;
  }
}

function checkModule(app: App, issues: Issues): void {
  if (app.imagePath !== "") {
    try {
      parseModuleSource(app.imagePath);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      issues.list.push(...error.issues);
    }
  }
  issues.check(app.command === "", "command", app.command, "must be empty: a module has no command");
  issues.list.push(...readProcessManifest(app.deploymentManifest).issues);
}

function checkContainer(app: App, issues: Issues): void {
  if (app.imagePath !== "") {
    const rule = imageRule(app.imagePath);
    if (rule) issues.add("image_path", app.imagePath, rule);
  }
  issues.check(
    app.deploymentManifest === "",
    "deployment_manifest",
    app.deploymentManifest,
    "must be empty: compose files are not supported",
  );
}

function checkPublicKey(pem: string, issues: Issues): void {
  if (pem === "") return;
  try {
    createPublicKey(pem);
    // A private key parses as well, and must not lie around where all can read it.
    if (/PRIVATE KEY/.test(pem)) issues.add("auth_public_key", undefined, "must be a public key, not a private one");
  } catch {
    issues.add("auth_public_key", undefined, "must be a public key as PEM");
  }
}
