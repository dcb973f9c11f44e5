import type { Cloudlet, CloudletKey } from "../../../../../shared/schema/mod.ts";
import type { SecretStore } from "../../../../../shared/secrets/mod.ts";
import { failedPrecondition } from "../../faults.ts";

/** The secrets that a request about a cloudlet carries; none of them ever reaches the region's store. */
export interface CloudletSecrets {
  /** Credentials for the infrastructure, by name. */
  readonly access?: Readonly<Record<string, string>>;
  /** Credentials for the Kafka cluster; "drop" when the cluster is given up. */
  readonly kafka?: { readonly user: string; readonly password: string } | "drop";
  /** License of the GPU driver. */
  readonly license?: string;
}

/** Takes the secrets out of a request. */
export function secretsOf({ accessVars, kafkaUser, kafkaPassword, gpuConfig }: Cloudlet): CloudletSecrets {
  const license = gpuConfig?.licenseConfig ?? "";
  return {
    ...(Object.keys(accessVars).length > 0 && { access: { ...accessVars } }),
    ...(kafkaUser !== "" && { kafka: { user: kafkaUser, password: kafkaPassword } }),
    ...(license !== "" && { license }),
  };
}

/** Whether a request carries any. */
export function hasSecrets({ access, kafka, license }: CloudletSecrets): boolean {
  return access !== undefined || license !== undefined || (kafka !== undefined && kafka !== "drop");
}

/** Path of one of a cloudlet's secrets: the same names always give the same path, and other names another one. */
export function cloudletSecretPath(
  region: string,
  { organization, name }: CloudletKey,
  secret: "access" | "kafka" | "gpu-license",
): string {
  return [region, "cloudlets", pathPart(organization), pathPart(name), secret].join("/");
}

/** Letters, digits and - stay; everything else, `_` too, becomes `_` and its code, as paths hold little else. */
function pathPart(text: string): string {
  return text.replace(/[^A-Za-z0-9-]/g, (character) => `_${character.codePointAt(0)!.toString(16)}_`);
}

/** The region's secrets. Throws when the controller was started without a place for them. */
export function requireSecrets(secrets: SecretStore | undefined): SecretStore {
  if (secrets) return secrets;
  throw failedPrecondition("This controller keeps no secrets: start it with --secrets, or leave credentials out");
}

/** Keeps what a request carried. */
export async function saveSecrets(
  secrets: SecretStore | undefined,
  region: string,
  key: CloudletKey,
  { access, kafka, license }: CloudletSecrets,
): Promise<void> {
  if (access) await requireSecrets(secrets).put(cloudletSecretPath(region, key, "access"), access);
  if (license !== undefined) {
    await requireSecrets(secrets).put(cloudletSecretPath(region, key, "gpu-license"), { license });
  }
  const kafkaPath = cloudletSecretPath(region, key, "kafka");
  if (kafka === "drop") await secrets?.delete(kafkaPath);
  else if (kafka) await requireSecrets(secrets).put(kafkaPath, kafka);
}

/** Forgets all secrets of a cloudlet. */
export async function dropSecrets(secrets: SecretStore | undefined, region: string, key: CloudletKey): Promise<void> {
  for (const secret of ["access", "kafka", "gpu-license"] as const) {
    await secrets?.delete(cloudletSecretPath(region, key, secret));
  }
}
