import { createPublicKey } from "node:crypto";
import { nameRule } from "../../../../shared/dns/mod.ts";
import { splitDelimiter } from "../../../../shared/manifest/mod.ts";
import { PortListError, readPortList, skippedHealthCheckPorts } from "../../../../shared/ports/mod.ts";
import { AccessType, type App, dme, durationText, enumText, VmAppOsType } from "../../../../shared/schema/mod.ts";
import { checkConfigs } from "./app_configs.ts";
import { checkImage, defaultImage, type ImagePlaces } from "./app_images.ts";
import { checkManifest, defaultManifest } from "./app_manifest.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";
import { checkSecurityRules, defaultSecurityRules } from "./security_rules.ts";
import { checkServerless, normalizeServerless } from "./serverless.ts";

/** Longest command, in characters. */
const MAX_COMMAND_CHARACTERS = 4096;
const MAX_ANNOTATIONS_CHARACTERS = 16 * 1024;
const MAX_POLICIES = 100;
const ANDROID_PACKAGE = /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$/;
const REVISION = /^[-_.:0-9A-Za-z]{1,64}$/;
const NO_PRIORITY = dme.QosSessionProfile.QOS_NO_PRIORITY;

/** Fills in what a new or changed app leaves open, and brings its parts into the form in which they are kept. */
export function defaultApp(app: App, places: ImagePlaces): void {
  if (app.autoProvPolicy !== "") {
    if (!app.autoProvPolicies.includes(app.autoProvPolicy)) app.autoProvPolicies.push(app.autoProvPolicy);
    app.autoProvPolicy = "";
  }
  if (app.accessType === AccessType.ACCESS_TYPE_DEFAULT_FOR_DEPLOYMENT) {
    app.accessType = AccessType.ACCESS_TYPE_LOAD_BALANCER;
  }
  defaultImage(app, places);
  defaultSecurityRules(app.requiredOutboundConnections);
  normalizeServerless(app);
  defaultManifest(app);
}

/** Stamp of an app's revision unless the caller gives one: YYYY-MM-DDThhmmss in UTC, later than the one before. */
export function revisionStamp(nowMs: number, before = ""): string {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(":", "");
  // Instances see by its revision that an app has changed, so two changes in one second must not share theirs.
  return stamp === before ? revisionStamp(nowMs + 1000, before) : stamp;
}

/** Checks an app whose defaults are filled in, as far as no other object is needed (specification 3.1 to 3.6). */
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
  checkPorts(app, issues);
  checkImage(app, issues);
  checkCommand(app, issues);
  checkManifest(app, issues);
  checkConfigs(app, issues);
  checkServerless(app, issues);
  checkSecurityRules(app.requiredOutboundConnections, "required_outbound_connections", issues);
  checkQos(app, issues);
  checkPolicies(app, issues);
  checkPublicKey(app.authPublicKey, issues);
  checkTexts(app, issues);
}

function checkPorts(app: App, issues: Issues): void {
  const { ports, issues: faults } = readPortList(app.accessPorts, { deployment: app.deployment });
  issues.list.push(...faults);
  // Against a list with faults, what is said of the other one would mislead.
  if (app.skipHcPorts === "" || faults.length > 0) return;
  try {
    skippedHealthCheckPorts(app.skipHcPorts, ports);
  } catch (error) {
    if (!(error instanceof PortListError)) throw error;
    issues.list.push(...error.issues);
  }
}

function checkCommand(app: App, issues: Issues): void {
  const { command, deployment } = app;
  issues.check(
    command.length <= MAX_COMMAND_CHARACTERS,
    "command",
    command,
    `must be at most ${MAX_COMMAND_CHARACTERS} characters`,
  );
  issues.check(command === "" || deployment !== "vm", "command", command, "must be empty: a machine has no command");
  issues.check(
    command === "" || deployment !== "process",
    "command",
    command,
    "must be empty: a module has no command",
  );
  issues.check(
    !app.scaleWithCluster || deployment === "kubernetes",
    "scale_with_cluster",
    true,
    "is for deployment kubernetes only",
  );
  const isMachine = deployment === "vm" || app.vmAppOsType === VmAppOsType.VM_APP_OS_UNKNOWN;
  issues.check(isMachine, "vm_app_os_type", enumText(VmAppOsType, app.vmAppOsType), "is for deployment vm only");
}

function checkQos({ qosSessionProfile: profile, qosSessionDuration: duration }: App, issues: Issues): void {
  issues.check(duration >= 0, "qos_session_duration", durationText(duration), "must not be negative");
  issues.check(
    profile !== NO_PRIORITY || duration <= 0,
    "qos_session_duration",
    durationText(duration),
    "needs a qos_session_profile other than NoPriority",
  );
}

function checkPolicies(app: App, issues: Issues): void {
  checkNames(app.autoProvPolicies, "auto_prov_policies", issues);
  checkNames(app.alertPolicies, "alert_policies", issues);
  const canMove = app.deployment === "kubernetes" || app.deployment === "helm" || app.deployment === "docker" ||
    app.deployment === "process";
  issues.check(
    canMove || app.autoProvPolicies.length === 0,
    "auto_prov_policies",
    app.autoProvPolicies,
    "must be empty for deployment vm: machines are not made by policy",
  );
}

function checkNames(names: readonly string[], path: string, issues: Issues): void {
  issues.check(names.length <= MAX_POLICIES, path, names.length, `may hold at most ${MAX_POLICIES} policies`);
  for (const [index, name] of names.entries()) {
    if (name === "") issues.add(`${path}[${index}]`, "", "must be the name of a policy");
    else if (names.indexOf(name) !== index) issues.add(`${path}[${index}]`, name, "is named twice");
  }
}

function checkTexts(app: App, issues: Issues): void {
  if (app.officialFqdn !== "") {
    // Several names are divided by commas.
    for (const name of app.officialFqdn.split(",")) {
      const rule = nameRule(name);
      if (rule) issues.add("official_fqdn", name, rule);
    }
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
  issues.check(
    splitDelimiter(app.templateDelimiter) !== undefined,
    "template_delimiter",
    app.templateDelimiter,
    'must be two words with one space between them, such as "{{ }}"',
  );
  issues.check(
    app.annotations.length <= MAX_ANNOTATIONS_CHARACTERS,
    "annotations",
    app.annotations,
    `must be at most ${MAX_ANNOTATIONS_CHARACTERS} characters`,
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
