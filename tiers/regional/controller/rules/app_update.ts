import { App, applyMask, dme, equal, ImageType, requiredIssues } from "../../../../shared/schema/mod.ts";
import { checkApp, defaultApp } from "./app.ts";
import type { ImagePlaces } from "./app_images.ts";
import { dockerForm } from "./app_manifest.ts";
import { Issues } from "./issues.ts";

/** Fields that stay as they are while the app has instances (specification 3.3). */
const FROZEN = ["access_ports", "skip_hc_ports", "deployment", "deployment_generator"];
/** All that may change of an app of machines while it has instances. */
const FREE_OF_MACHINES = ["trusted", "vm_app_os_type"];
/** Changes that no instance has to be refreshed for. */
const WITHOUT_REVISION = ["alert_policies"];

/** What an update makes of an app. */
export interface AppUpdate {
  readonly app: App;
  /** JSON paths of the fields that the caller has changed. */
  readonly changed: readonly string[];
  /** JSON paths of the changes that instances of the app forbid. */
  readonly frozen: readonly string[];
  /** Whether instances differ from the app now, and it needs a new revision. */
  readonly needsRevision: boolean;
  readonly issues: Issues;
}

/** Applies the masked fields of a request to an app, with all that follows from them (specification 3.3). */
export function updateOfApp(before: App, request: App, places: ImagePlaces): AppUpdate {
  const issues = new Issues();
  const app = App.create(before);
  if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
  const { changed: paths, refused } = applyMask(App, app, request, request.fields);
  for (const { field, rule } of refused) issues.add(field, undefined, rule);
  const changed = [...new Set(paths.map((path) => path.split(".")[0]!))];
  if (issues.list.length > 0 || changed.length === 0) {
    return { app: App.create(before), changed: [], frozen: [], needsRevision: false, issues };
  }
  const masked = new Set(request.fields.map((path) => App.descriptor.fieldByNumber(Number(path.split(".")[0]))?.name));
  follow(app, before, new Set(changed), masked, issues);
  defaultApp(app, places);
  issues.list.push(...requiredIssues(App, app));
  checkApp(app, issues);
  return {
    app,
    changed: equal(App, app, before) ? [] : changed,
    frozen: frozenFields(app, before, changed),
    needsRevision: !changed.includes("revision") && changed.some((field) => !WITHOUT_REVISION.includes(field)),
    issues,
  };
}

/** What a change of one field means for others that are not named. */
function follow(
  app: App,
  before: App,
  changed: ReadonlySet<string>,
  masked: ReadonlySet<string | undefined>,
  issues: Issues,
): void {
  const givesManifest = masked.has("deployment_manifest") && app.deploymentManifest !== "";
  if (changed.has("deployment")) {
    // The old one's manifest and form of image go with it.
    if (!masked.has("image_type")) app.imageType = ImageType.IMAGE_TYPE_UNKNOWN;
    if (!masked.has("deployment_manifest")) app.deploymentManifest = "";
    if (!masked.has("deployment_generator")) app.deploymentGenerator = "";
  } else if (givesManifest) {
    if (changed.has("deployment_manifest") && !masked.has("deployment_generator")) app.deploymentGenerator = "";
  } else if (before.deploymentGenerator !== "") {
    // It is made anew of the app as it is now.
    app.deploymentManifest = "";
  } else if (app.deployment === "kubernetes" && changed.has("access_ports") && app.deploymentManifest !== "") {
    issues.add("deployment_manifest", "", "must be given again, as access_ports changes and it is not a generated one");
  }
  if (changed.has("allow_serverless") && !app.allowServerless && !masked.has("serverless_config")) {
    app.serverlessConfig = undefined;
  }
  const { QOS_NO_PRIORITY } = dme.QosSessionProfile;
  const givesUpQos = changed.has("qos_session_profile") && app.qosSessionProfile === QOS_NO_PRIORITY;
  if (givesUpQos && !masked.has("qos_session_duration")) app.qosSessionDuration = 0;
}

function frozenFields(app: App, before: App, changed: readonly string[]): string[] {
  if (before.deployment === "vm") return changed.filter((field) => !FREE_OF_MACHINES.includes(field));
  const frozen = changed.filter((field) => FROZEN.includes(field));
  if (app.deployment === "docker" && before.deployment === "docker" && dockerForm(app) !== dockerForm(before)) {
    frozen.push("deployment_manifest");
  }
  return frozen;
}
