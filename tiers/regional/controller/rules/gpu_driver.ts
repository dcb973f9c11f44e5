import { type GPUDriver, type GPUDriverBuild, OSType } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";

/** Name under which the original kept a driver's license beside its builds. */
const LICENSE_FILE = "license.conf";
const MAX_BUILDS = 100;
const MAX_LICENSE_CHARACTERS = 256 * 1024;

/** Checks a driver without its builds (specification 3.11). */
export function checkGpuDriver({ key, licenseConfig }: GPUDriver, issues: Issues): void {
  checkName(issues, "key.name", key.name);
  checkName(issues, "key.organization", key.organization);
  issues.check(
    licenseConfig.length <= MAX_LICENSE_CHARACTERS,
    "license_config",
    undefined,
    `must be at most ${MAX_LICENSE_CHARACTERS} characters`,
  );
}

/** Checks the builds of a driver; `path` is the JSON path of each by its place. */
export function checkBuilds(builds: readonly GPUDriverBuild[], issues: Issues, path: (i: number) => string): void {
  issues.check(builds.length <= MAX_BUILDS, "builds", builds.length, `must be at most ${MAX_BUILDS}`);
  builds.slice(0, MAX_BUILDS).forEach((build, i) => {
    const at = path(i);
    checkBuild(build, issues, at);
    const taken = builds.slice(0, i).some(({ name }) => name === build.name);
    issues.check(!taken, `${at}.name`, build.name, "must not be there twice");
  });
}

function checkBuild(build: GPUDriverBuild, issues: Issues, at: string): void {
  const { name, driverPath, driverPathCreds, md5sum, operatingSystem, kernelVersion } = build;
  issues.check(name !== "", `${at}.name`, undefined, "is required");
  checkName(issues, `${at}.name`, name);
  issues.check(name !== LICENSE_FILE, `${at}.name`, name, "is a reserved name");
  const url = URL.parse(driverPath);
  const isWeb = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  issues.check(isWeb, `${at}.driver_path`, undefined, "must be a URL of http or https without credentials");
  issues.check(/^[0-9a-fA-F]{32}$/.test(md5sum), `${at}.md5sum`, md5sum, "must be 32 hexadecimal digits");
  issues.check(
    driverPathCreds === "" || /^[^:]+:./.test(driverPathCreds),
    `${at}.driver_path_creds`,
    undefined,
    "must be user:password",
  );
  if (operatingSystem !== OSType.LINUX) return;
  issues.check(kernelVersion !== "", `${at}.kernel_version`, undefined, "is required for Linux");
  const isPackage = !isWeb || url.pathname.endsWith(".deb");
  issues.check(isPackage, `${at}.driver_path`, undefined, "must be a file .deb for Linux");
}
