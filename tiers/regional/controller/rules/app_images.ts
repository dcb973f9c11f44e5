import { ManifestError, parseModuleSource } from "../../../../shared/manifest/mod.ts";
import { type App, enumText, ImageType } from "../../../../shared/schema/mod.ts";
import { imageRule, normalizeImage } from "./docker_image.ts";
import type { Issues } from "./issues.ts";

/** Where the region keeps images of apps that name none (specification 3.2). */
export interface ImagePlaces {
  /** Host, and port, of the registry for container images and charts; empty: none. */
  readonly registryFqdn: string;
  /** URL under which images of machines are; empty: none. */
  readonly artifactoryFqdn: string;
}

/** How apps can be deployed, and the forms of images that each takes, the usual one first. */
const IMAGES = {
  kubernetes: [ImageType.IMAGE_TYPE_DOCKER],
  helm: [ImageType.IMAGE_TYPE_HELM],
  docker: [ImageType.IMAGE_TYPE_DOCKER],
  vm: [ImageType.IMAGE_TYPE_QCOW, ImageType.IMAGE_TYPE_OVF],
  process: [ImageType.IMAGE_TYPE_MODULE],
} as const satisfies Readonly<Record<string, readonly ImageType[]>>;

/** A way to deploy an app. */
export type AppDeployment = keyof typeof IMAGES;

/** Names of the deployments, for messages. */
const DEPLOYMENTS_TEXT = Object.keys(IMAGES).join(", ");

const MAX_PATH_CHARACTERS = 1024;
const MD5 = /^[0-9a-fA-F]{32}$/;
const MD5_MARK = "#md5:";

/** Whether there is a deployment of that name. */
export function isDeployment(name: string): name is AppDeployment {
  return Object.hasOwn(IMAGES, name);
}

/** Fills in deployment, form and place of the image where they are left open and can be told (specification 3.2). */
export function defaultImage(app: App, places: ImagePlaces): void {
  if (app.deployment === "") app.deployment = deploymentOfImage(app.imageType);
  if (app.imageType === ImageType.IMAGE_TYPE_UNKNOWN && isDeployment(app.deployment)) {
    // A machine's image may have one of two forms.
    const images: readonly ImageType[] = IMAGES[app.deployment];
    if (images.length === 1) app.imageType = images[0]!;
  }
  if (app.imagePath === "") app.imagePath = defaultPath(app, places);
  else if (app.imageType === ImageType.IMAGE_TYPE_DOCKER) app.imagePath = normalizeImage(app.imagePath);
  else if (app.imageType === ImageType.IMAGE_TYPE_QCOW && app.md5sum !== "" && !app.imagePath.includes("#")) {
    app.imagePath += MD5_MARK + app.md5sum;
  }
}

function deploymentOfImage(image: ImageType): string {
  switch (image) {
    case ImageType.IMAGE_TYPE_DOCKER:
      return "kubernetes";
    case ImageType.IMAGE_TYPE_QCOW:
      return "vm";
    case ImageType.IMAGE_TYPE_HELM:
      return "helm";
    case ImageType.IMAGE_TYPE_MODULE:
      return "process";
    default:
      return "";
  }
}

function defaultPath(app: App, { registryFqdn, artifactoryFqdn }: ImagePlaces): string {
  const { organization, name, version } = app.key;
  switch (app.imageType) {
    case ImageType.IMAGE_TYPE_DOCKER:
      if (registryFqdn === "" || app.deploymentManifest !== "") return "";
      return `${registryFqdn}/${pathPart(organization)}/images/${pathPart(name)}:${tag(version)}`;
    case ImageType.IMAGE_TYPE_HELM:
      return registryFqdn === "" ? "" : `${registryFqdn}/${pathPart(organization)}/images/${pathPart(name)}`;
    case ImageType.IMAGE_TYPE_QCOW:
      if (artifactoryFqdn === "" || app.md5sum === "") return "";
      return `${artifactoryFqdn}repo-${encodeURIComponent(organization)}/${
        encodeURIComponent(name)
      }.qcow2${MD5_MARK}${app.md5sum}`;
    default:
      return "";
  }
}

/** Specification 0.7, docker path part; and in small letters, with single separators inside only, as registries want it. */
function pathPart(text: string): string {
  return tag(text).toLowerCase().replace(/^[._-]+|[._-]+$/g, "").replace(/[._-]*([._-])/g, "$1");
}

function tag(text: string): string {
  return text.replace(/[ ,]/g, "").replaceAll("&", "-").replaceAll("!", ".");
}

/** Checks deployment, form and place of the image of an app whose defaults are filled in (specification 3.2). */
export function checkImage(app: App, issues: Issues): void {
  if (!isDeployment(app.deployment)) {
    const rule = app.deployment === "" && app.imageType === ImageType.IMAGE_TYPE_UNKNOWN
      ? `must be one of ${DEPLOYMENTS_TEXT}, unless image_type implies it`
      : `must be one of ${DEPLOYMENTS_TEXT}`;
    issues.add("deployment", app.deployment, rule);
    return;
  }
  const images: readonly ImageType[] = IMAGES[app.deployment];
  const names = images.map((image) => enumText(ImageType, image)).join(" or ");
  if (!images.includes(app.imageType)) {
    const value = app.imageType === ImageType.IMAGE_TYPE_UNKNOWN ? "" : enumText(ImageType, app.imageType);
    issues.add("image_type", value, `must be ${names} for deployment ${app.deployment}`);
    return;
  }
  issues.check(app.md5sum === "" || MD5.test(app.md5sum), "md5sum", app.md5sum, "must be 32 hexadecimal digits");
  if (app.imagePath === "") checkMissing(app, issues);
  else if (app.imagePath.length > MAX_PATH_CHARACTERS) {
    issues.add("image_path", app.imagePath, `must be at most ${MAX_PATH_CHARACTERS} characters`);
  } else checkPath(app, issues);
}

/** A manifest of one's own names its images itself. */
function checkMissing(app: App, issues: Issues): void {
  switch (app.imageType) {
    case ImageType.IMAGE_TYPE_DOCKER:
      if (app.deploymentManifest === "") {
        issues.add("image_path", "", "is required: the region has no registry of its own");
      }
      return;
    case ImageType.IMAGE_TYPE_QCOW:
      issues.add("image_path", "", "is required, or md5sum where the region has a place for images of machines");
      return;
    default:
      issues.add("image_path", "", "is required");
  }
}

function checkPath(app: App, issues: Issues): void {
  const { imagePath } = app;
  const refuse = (rule: string | undefined) => {
    if (rule !== undefined) issues.add("image_path", imagePath, rule);
  };
  switch (app.imageType) {
    case ImageType.IMAGE_TYPE_DOCKER:
      return refuse(imageRule(imagePath));
    case ImageType.IMAGE_TYPE_QCOW:
      return refuse(qcowRule(imagePath));
    case ImageType.IMAGE_TYPE_OVF:
      return refuse(urlRule(imagePath) ?? (imagePath.includes(".ovf") ? undefined : "must name an .ovf file"));
    case ImageType.IMAGE_TYPE_HELM:
      return refuse(
        /^[a-zA-Z0-9][!-~]*\/[!-~]+$/.test(imagePath) ? undefined : 'must name a chart, as "repository/chart"',
      );
    case ImageType.IMAGE_TYPE_MODULE:
      try {
        parseModuleSource(imagePath);
      } catch (error) {
        if (!(error instanceof ManifestError)) throw error;
        issues.list.push(...error.issues);
      }
      return;
    default:
      return;
  }
}

function qcowRule(path: string): string | undefined {
  const mark = path.indexOf(MD5_MARK);
  if (mark < 0 || !/^[0-9a-fA-F]{32,}$/.test(path.slice(mark + MD5_MARK.length))) {
    return `must end in "${MD5_MARK}" and the sum of the image, 32 hexadecimal digits`;
  }
  const url = path.slice(0, mark);
  return urlRule(url) ??
    (/\.[A-Za-z0-9]+$/.test(new URL(url).pathname) ? undefined : "must name a file with an extension");
}

function urlRule(path: string): string | undefined {
  const url = URL.canParse(path) ? new URL(path) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return "must be an http or https URL";
  return url.username === "" && url.password === "" ? undefined : "must not hold credentials";
}
