import { type Cloudlet, enumText, IpSupport, PlatformType } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";
import { PLATFORMS_TEXT, SUPPORTED } from "./platforms.ts";
import { parsePublicPortRange, PUBLIC_PORT_RANGE } from "./public_ports.ts";

/** Most variables of a cloudlet, and the longest name or value of one in characters. */
const MAX_VARIABLES = 100;
const MAX_VARIABLE_CHARACTERS = 4096;

/** Fills in the defaults of a new cloudlet (specification 1.6). */
export function defaultCloudlet(cloudlet: Cloudlet): void {
  if (cloudlet.ipSupport === IpSupport.IP_SUPPORT_UNKNOWN) cloudlet.ipSupport = IpSupport.IP_SUPPORT_DYNAMIC;
  if (cloudlet.physicalName === "") cloudlet.physicalName = cloudlet.key.name;
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
    isSupported(cloudlet.platformType),
    "platform_type",
    enumText(PlatformType, cloudlet.platformType),
    `must be one of ${PLATFORMS_TEXT}`,
  );
  issues.check(
    cloudlet.ipSupport !== IpSupport.IP_SUPPORT_STATIC,
    "ip_support",
    "Static",
    "must be Dynamic: static addresses are not supported",
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
  checkVariables(cloudlet.envVar, issues);
}

function checkVariables(variables: Record<string, string>, issues: Issues): void {
  const entries = Object.entries(variables);
  issues.check(
    entries.length <= MAX_VARIABLES,
    "env_var",
    entries.length,
    `must hold at most ${MAX_VARIABLES} entries`,
  );
  for (const [name, value] of entries) {
    const path = `env_var.${name.slice(0, 64)}`;
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

function isSupported(platform: PlatformType): boolean {
  return SUPPORTED.some((supported) => supported.platform === platform);
}
