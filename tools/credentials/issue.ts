import {
  createCa,
  type Identity,
  identityName,
  type IssuedCertificate,
  parseCertificate,
  writeCertificate,
} from "../../shared/identity/mod.ts";
import type { Clock, Environment, Files, RandomSource } from "../../shared/runtime/mod.ts";
import { openSecrets } from "../../shared/secrets/mod.ts";
import { DATA_VERSION, layoutOf } from "../up/layout.ts";
import type { CredentialsConfig } from "./options.ts";

/** What the work needs. */
export interface CredentialsDeps {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly environment: Environment;
}

/** Credentials cannot be issued; the message says why and what to do. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}

/** What was issued. */
export interface Credentials {
  readonly identity: Identity;
  readonly issued: IssuedCertificate;
}

/**
 * Issues the certificate of a cloudlet's service into a folder, for a service that runs on another machine than the
 * platform.
 *
 * @throws {CredentialsError} When the data folder is none, or the target folder belongs to another service.
 */
export async function issueCredentials(config: CredentialsConfig, deps: CredentialsDeps): Promise<Credentials> {
  const { files } = deps;
  const layout = layoutOf(config.data);
  await checkDataFolder(layout.version, config.data, files);
  if (!await files.exists(layout.region(config.region))) {
    const known = await files.exists(`${config.data}/regions`) ? await files.list(`${config.data}/regions`) : [];
    const names = known.map(({ name }) => name).join(", ") || "none yet";
    throw new CredentialsError(`--region ${config.region}: not a region of ${config.data}; there are: ${names}`);
  }
  const { region, cloudletOrg: organization, cloudlet: name, service } = config;
  const identity: Identity = { tier: "cloudlet", region, cloudlet: { organization, name }, service };
  await checkTarget(config.out, identity, files);
  // The store would make a key and an authority of its own where there is none.
  const url = config.secrets ?? `file:${layout.secrets}`;
  const secrets = await openSecrets(url, deps);
  try {
    if (!await secrets.get("ca/root")) {
      throw new CredentialsError(`${url} holds no authority; start the platform once first`);
    }
    const ca = await createCa({ secrets, clock: deps.clock, random: deps.random });
    const { dnsNames, ipAddresses, ttl: ttlMs } = config;
    const issued = await ca.issue({ identity, dnsNames, ipAddresses, ttlMs });
    await writeCertificate(config.out, issued, { files });
    return { identity, issued };
  } finally {
    secrets.close();
  }
}

async function checkDataFolder(versionFile: string, data: string, files: Files): Promise<void> {
  let version: unknown;
  try {
    version = JSON.parse(await files.readText(versionFile)).version;
  } catch (cause) {
    throw new CredentialsError(`--data ${data}: not the data folder of a platform`, { cause });
  }
  if (version !== DATA_VERSION) {
    throw new CredentialsError(`--data ${data}: of version ${version}, this release reads version ${DATA_VERSION}`);
  }
}

/** A folder may be renewed, but never turned from one service's into another's by a slip. */
async function checkTarget(out: string, identity: Identity, files: Files): Promise<void> {
  const file = `${out}/cert.pem`;
  if (!await files.exists(file)) return;
  const found = parseCertificate(await files.readText(file)).identity;
  if (found && identityName(found) === identityName(identity)) return;
  throw new CredentialsError(
    `--out ${out}: holds the certificate of ${found ? identityName(found) : "something else"}; choose another folder`,
  );
}
