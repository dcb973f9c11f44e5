import { type Cloudlet, enumText, InfraApiAccess, IpSupport, PlatformType } from "../../../../shared/schema/mod.ts";
import { platformFeatures, PLUGIN_PLATFORMS, quotaResources } from "../../../../shared/platform_types/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";
import { checkTables } from "./res_tag_map.ts";
import { parsePublicPortRange, PUBLIC_PORT_RANGE } from "./public_ports.ts";

/** How the platform's own services run at a site that says nothing of it. */
const DEFAULT_DEPLOYMENT = "docker";
const DEPLOYMENTS = ["docker", "kubernetes"];

/** Share of a limit above which there is an alert, percent. */
const DEFAULT_ALERT_THRESHOLD = 80;

/** Most variables of a cloudlet, and the longest name or value of one in characters. */
const MAX_VARIABLES = 100;
const MAX_VARIABLE_CHARACTERS = 4096;

/** Fills in the defaults of a new cloudlet (specification 1.6). */
export function defaultCloudlet(cloudlet: Cloudlet): void {
  if (cloudlet.ipSupport === IpSupport.IP_SUPPORT_UNKNOWN) cloudlet.ipSupport = IpSupport.IP_SUPPORT_DYNAMIC;
  if (cloudlet.physicalName === "") cloudlet.physicalName = cloudlet.key.name;
  if (cloudlet.deployment === "") cloudlet.deployment = DEFAULT_DEPLOYMENT;
  cloudlet.defaultResourceAlertThreshold ||= DEFAULT_ALERT_THRESHOLD;
}

/** Checks what may be set only at creation. */
export function checkNewCloudlet(cloudlet: Cloudlet, issues: Issues): void {
  checkName(issues, "key.organization", cloudlet.key.organization);
  checkName(issues, "key.name", cloudlet.key.name);
  issues.check(
    cloudlet.key.federatedOrganization === "",
    "key.federated_organization",
    cloudlet.key.federatedOrganization,
    "must be empty: federated sites are not supported",
  );
  issues.check(
    PLUGIN_PLATFORMS.includes(cloudlet.platformType),
    "platform_type",
    enumText(PlatformType, cloudlet.platformType),
    `must be one of ${PLUGIN_PLATFORMS.map((type) => enumText(PlatformType, type)).join(", ")}`,
  );
  issues.check(
    cloudlet.ipSupport !== IpSupport.IP_SUPPORT_STATIC,
    "ip_support",
    "Static",
    "must be Dynamic: static addresses are not supported",
  );
  checkPlatformParts(cloudlet, issues);
}

/** What decides how the platform's own services come to the site. */
function checkPlatformParts(cloudlet: Cloudlet, issues: Issues): void {
  const { deployment, deploymentLocal, platformType, infraConfig, vmPool } = cloudlet;
  const restricted = cloudlet.infraApiAccess === InfraApiAccess.RESTRICTED_ACCESS;
  const features = platformFeatures(platformType);
  issues.check(DEPLOYMENTS.includes(deployment), "deployment", deployment, `must be one of ${DEPLOYMENTS.join(", ")}`);
  if (deploymentLocal) {
    const rule = "must not be set with deployment_local";
    issues.check(Object.keys(cloudlet.accessVars).length === 0, "access_vars", undefined, rule);
    issues.check(cloudlet.vmImageVersion === "", "vm_image_version", cloudlet.vmImageVersion, rule);
    issues.check(deployment === DEFAULT_DEPLOYMENT, "deployment", deployment, rule);
    issues.check(!restricted, "infra_api_access", "RestrictedAccess", rule);
  }
  if (restricted && !features.vmPool) {
    const rule = "is required with restricted access";
    issues.check((infraConfig?.flavorName ?? "") !== "", "infra_config.flavor_name", "", rule);
    issues.check((infraConfig?.externalNetworkName ?? "") !== "", "infra_config.external_network_name", "", rule);
  }
  if (features.vmPool) issues.check(vmPool !== "", "vm_pool", vmPool, "is required on this platform");
  else issues.check(vmPool === "", "vm_pool", vmPool, "must be empty: this platform has no machine pools");
  issues.check(
    cloudlet.singleKubernetesClusterOwner === "" || features.singleCluster,
    "single_kubernetes_cluster_owner",
    cloudlet.singleKubernetesClusterOwner,
    "must be empty: the platform is not a single cluster",
  );
}

/** Checks what may be set at creation and later (specification 3.8). */
export function checkCloudlet(cloudlet: Cloudlet, issues: Issues): void {
  const { latitude, longitude } = cloudlet.location ?? { latitude: 0, longitude: 0 };
  if (cloudlet.location !== undefined) {
    issues.check(within(latitude, 90), "location.latitude", latitude, "must be from -90 to 90");
    issues.check(within(longitude, 180), "location.longitude", longitude, "must be from -180 to 180");
    issues.check(latitude !== 0 || longitude !== 0, "location", "0,0", "must be set: 0,0 is no place for a site");
  }
  issues.check(cloudlet.numDynamicIps >= 1, "num_dynamic_ips", cloudlet.numDynamicIps, "must be at least 1");
  cloudlet.allianceOrgs.forEach((organization, i) => {
    const path = `alliance_orgs[${i}]`;
    checkName(issues, path, organization);
    issues.check(organization !== "", path, organization, "must not be empty");
    issues.check(organization !== cloudlet.key.organization, path, organization, "must not be the cloudlet's own");
    issues.check(cloudlet.allianceOrgs.indexOf(organization) === i, path, organization, "must not be there twice");
  });
  checkVariables(cloudlet.envVar, "env_var", issues);
  checkVariables(cloudlet.accessVars, "access_vars", issues);
  checkFeatures(cloudlet, issues);
  checkQuotas(cloudlet, issues);
  checkTables(cloudlet, issues);
  checkKafka(cloudlet, issues);
  for (const [name, value] of Object.entries(cloudlet.timeLimits ?? {})) {
    const path = `time_limits.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    issues.check(Number(value) >= 0, path, value, "must not be negative");
  }
}

function checkFeatures(cloudlet: Cloudlet, issues: Issues): void {
  const { platformType, deployment, trustPolicy } = cloudlet;
  const features = platformFeatures(platformType);
  const lacks = `is not supported on platform ${enumText(PlatformType, platformType)}`;
  issues.check(trustPolicy === "" || features.trustPolicies, "trust_policy", trustPolicy, lacks);
  issues.check(
    !cloudlet.enableDefaultServerlessCluster || features.multiTenantClusters,
    "enable_default_serverless_cluster",
    true,
    lacks,
  );
  const twoManagers = features.highAvailability[deployment === "kubernetes" ? "kubernetes" : "docker"];
  issues.check(
    !cloudlet.platformHighAvailability || twoManagers,
    "platform_high_availability",
    true,
    `${lacks} with deployment ${deployment}`,
  );
}

function checkQuotas(cloudlet: Cloudlet, issues: Issues): void {
  const isPercent = (value: number) => Number.isInteger(value) && value >= 0 && value <= 100;
  issues.check(
    isPercent(cloudlet.defaultResourceAlertThreshold),
    "default_resource_alert_threshold",
    cloudlet.defaultResourceAlertThreshold,
    "must be from 0 to 100",
  );
  const known = quotaResources(cloudlet.platformType).map(({ name }) => name);
  cloudlet.resourceQuotas.forEach(({ name, alertThreshold }, i, all) => {
    const path = `resource_quotas[${i}]`;
    issues.check(known.includes(name), `${path}.name`, name, `must be one of ${known.join(", ")}`);
    issues.check(all.findIndex((other) => other.name === name) === i, `${path}.name`, name, "must not be there twice");
    issues.check(isPercent(alertThreshold), `${path}.alert_threshold`, alertThreshold, "must be from 0 to 100");
  });
}

function checkKafka({ kafkaCluster, kafkaUser, kafkaPassword }: Cloudlet, issues: Issues): void {
  const together = "must be set together with kafka_user, and both with kafka_cluster";
  issues.check((kafkaUser === "") === (kafkaPassword === ""), "kafka_password", undefined, together);
  issues.check(kafkaUser === "" || kafkaCluster !== "", "kafka_cluster", "", "is required with kafka_user");
}

function checkVariables(variables: Record<string, string>, field: string, issues: Issues): void {
  const entries = Object.entries(variables);
  issues.check(
    entries.length <= MAX_VARIABLES,
    field,
    entries.length,
    `must hold at most ${MAX_VARIABLES} entries`,
  );
  for (const [name, value] of entries) {
    const path = `${field}.${name.slice(0, 64)}`;
    // The value is not repeated: it may be a password.
    issues.check(
      name !== "" && name.length <= MAX_VARIABLE_CHARACTERS && value.length <= MAX_VARIABLE_CHARACTERS,
      path,
      undefined,
      `must have a name, and name and value of at most ${MAX_VARIABLE_CHARACTERS} characters`,
    );
  }
  const range = variables[PUBLIC_PORT_RANGE];
  if (range !== undefined) {
    issues.check(
      parsePublicPortRange(range) !== undefined,
      `env_var.${PUBLIC_PORT_RANGE}`,
      range,
      "must be a range of ports such as 21000-21099",
    );
  }
}

function within(value: number, limit: number): boolean {
  return Number.isFinite(value) && Math.abs(value) <= limit;
}
