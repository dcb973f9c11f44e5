import { type Identity, identityName } from "../identity/mod.ts";
import { CloudletKey, CloudletKind, fromJson, JsonError } from "../schema/mod.ts";

/** Reads a cloudlet's name from the configuration: `organization/name` or the key as JSON. Throws with the rule. */
export function parseCloudlet(text: string): CloudletKey {
  const key = text.trimStart().startsWith("{") ? parseJsonKey(text) : parsePlain(text);
  if (key.organization === "" || key.name === "") {
    throw new Error(`Option --cloudlet "${text}" must name an organization and a cloudlet: organization/name`);
  }
  return key;
}

function parsePlain(text: string): CloudletKey {
  const [organization, name, ...rest] = text.split("/");
  return CloudletKey.create(rest.length > 0 ? {} : { organization, name: name ?? "" });
}

function parseJsonKey(text: string): CloudletKey {
  try {
    return fromJson(CloudletKey, JSON.parse(text));
  } catch (error) {
    const rule = error instanceof JsonError
      ? error.issues.map((issue) => `${issue.path}: ${issue.rule}`).join("; ")
      : "is not JSON";
    throw new Error(`Option --cloudlet "${text}" is not a cloudlet key: ${rule}`, { cause: error });
  }
}

/** What the certificate of a service of a cloudlet must say. */
export interface CloudletService {
  readonly service: string;
  readonly key: Pick<CloudletKey, "organization" | "name">;
  readonly region: string;
}

/** Checks that a certificate is that of a service of a cloudlet. Throws, naming both, when it is not. */
export function checkCertificate(
  identity: Identity,
  { service, key, region }: CloudletService,
  folder: string,
): void {
  const fits = identity.tier === "cloudlet" && identity.service === service && identity.region === region &&
    identity.cloudlet.organization === key.organization && identity.cloudlet.name === key.name;
  if (fits) return;
  throw new Error(
    `The certificate in ${folder} is for ${identityName(identity)}, but this process is configured for ` +
      `${service} of cloudlet ${CloudletKind.keyString(CloudletKey.create(key))} in region "${region}"`,
  );
}
